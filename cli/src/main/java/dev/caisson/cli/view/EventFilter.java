package dev.caisson.cli.view;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.LifeEvent;
import dev.caisson.engine.LifeEvent.Kind;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// The `--filter` of `caisson events`: of several with the same key one must match, but labels all of them; and every
/// key must.
final class EventFilter {
    private static final String LABEL = "label";

    private final Map<String, List<Predicate<LifeEvent>>> byKey;

    private EventFilter(Map<String, List<Predicate<LifeEvent>>> byKey) {
        this.byKey = byKey;
    }

    static EventFilter parse(List<String> texts) {
        return new EventFilter(texts.stream()
                .map(text -> OptionText.pair("--filter", text))
                .collect(groupingBy(pair -> pair[0], mapping(EventFilter::condition, toList()))));
    }

    private static Predicate<LifeEvent> condition(String[] pair) {
        String value = pair[1];
        return switch (pair[0]) {
            case "container" ->
                event -> event.kind() == Kind.CONTAINER
                        && (value.equals(event.attributes().get("name"))
                                || (!value.isEmpty() && event.id().startsWith(value)));
            case "network" ->
                event -> event.kind() == Kind.NETWORK
                        && (value.equals(event.attributes().get("name"))
                                || (!value.isEmpty() && event.id().startsWith(value)));
            case "volume" -> event -> event.kind() == Kind.VOLUME && event.id().equals(value);
            case "event" ->
                event -> event.action().equals(value) || event.action().startsWith(value + ":");
            case "image" -> {
                Predicate<String> image = ImageMatch.of(value);
                yield event -> switch (event.kind()) {
                    case CONTAINER -> image.test(event.attributes().getOrDefault("image", ""));
                    case IMAGE ->
                        image.test(event.attributes().getOrDefault("name", ""))
                                || image.test(event.id())
                                || event.id().startsWith("sha256:" + value);
                    case NETWORK, VOLUME -> false;
                };
            }
            case "scope" -> _ -> value.equals("local");
            case "type" -> type(value);
            case LABEL -> label(value);
            default ->
                throw CommandException.usage(
                        "--filter takes container, event, image, label, network, scope, type or volume, not '" + pair[0]
                                + "'");
        };
    }

    private static Predicate<LifeEvent> type(String value) {
        if (!List.of("container", "image", "network", "volume").contains(value)) {
            throw CommandException.usage(
                    "--filter type takes container, image, network or volume, there are no events of others, not '"
                            + value + "'");
        }
        return event -> event.kind().word().equals(value);
    }

    private static Predicate<LifeEvent> label(String text) {
        int equals = text.indexOf('=');
        return equals < 0
                ? event -> event.attributes().containsKey(text)
                : event -> text.substring(equals + 1).equals(event.attributes().get(text.substring(0, equals)));
    }

    boolean accepts(LifeEvent event) {
        return byKey.entrySet().stream()
                .allMatch(entry -> entry.getKey().equals(LABEL)
                        ? entry.getValue().stream().allMatch(one -> one.test(event))
                        : entry.getValue().stream().anyMatch(one -> one.test(event)));
    }
}
