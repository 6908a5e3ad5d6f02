package dev.caisson.cli;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.caisson.engine.ContainerStatus;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/// Docker's `--filter`: of several with the same key one must match, but labels all of them; and every key must.
final class ContainerFilter {
    private static final Set<String> STATES =
            Set.of("created", "restarting", "running", "removing", "paused", "exited", "dead");

    private final Map<String, List<Predicate<ContainerStatus>>> byKey;
    private final boolean mentionsStatus;

    private ContainerFilter(Map<String, List<Predicate<ContainerStatus>>> byKey) {
        this.byKey = byKey;
        this.mentionsStatus = byKey.containsKey("status");
    }

    static ContainerFilter parse(List<String> texts) {
        return new ContainerFilter(texts.stream()
                .map(text -> RunOptions.pair("--filter", text))
                .collect(groupingBy(pair -> pair[0], mapping(ContainerFilter::condition, toList()))));
    }

    private static Predicate<ContainerStatus> condition(String... pair) {
        String value = pair[1];
        return switch (pair[0]) {
            case "label" -> label(value);
            case "name" -> container -> container.name().orElse("").contains(value);
            case "id" -> container -> container.id().value().startsWith(value);
            case "status" -> {
                if (!STATES.contains(value)) {
                    throw CommandException.usage("--filter status takes running, exited or dead, not '" + value + "'");
                }
                yield container -> ListCommand.state(container).equals(value);
            }
            default -> throw CommandException.usage("--filter takes label, name, id or status, not '" + pair[0] + "'");
        };
    }

    private static Predicate<ContainerStatus> label(String text) {
        int equals = text.indexOf('=');
        if (equals < 0) {
            return container -> container.labels().containsKey(text);
        }
        String value = text.substring(equals + 1);
        return container -> value.equals(container.labels().get(text.substring(0, equals)));
    }

    /// True if one that has ended is shown without being asked for with `-a`.
    boolean mentionsStatus() {
        return mentionsStatus;
    }

    boolean accepts(ContainerStatus container) {
        return byKey.entrySet().stream().allMatch(entry -> {
            var conditions = entry.getValue().stream();
            return entry.getKey().equals("label")
                    ? conditions.allMatch(condition -> condition.test(container))
                    : conditions.anyMatch(condition -> condition.test(container));
        });
    }
}
