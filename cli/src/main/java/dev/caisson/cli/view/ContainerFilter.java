package dev.caisson.cli.view;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.text.NamePattern;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.ContainerState;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.HealthReport;
import dev.caisson.spec.Mount;
import dev.caisson.spec.PortMapping;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/// Docker's `--filter`: of several with the same key one must match, but labels all of them; and every key must.
public final class ContainerFilter {
    private static final Set<String> STATES =
            Set.of("created", "restarting", "running", "removing", "paused", "exited", "dead");

    private static final Set<String> HEALTH = Set.of("starting", "healthy", "unhealthy", "none");

    private final List<String> texts;
    private final Map<String, List<Predicate<ContainerStatus>>> byKey;

    private ContainerFilter(List<String> texts, List<ContainerStatus> among) {
        this.texts = texts;
        this.byKey = texts.stream()
                .map(text -> OptionText.pair("--filter", text))
                .collect(groupingBy(pair -> pair[0], mapping(pair -> condition(pair, among), toList())));
    }

    public static ContainerFilter parse(List<String> texts) {
        return new ContainerFilter(List.copyOf(texts), List.of());
    }

    /// The same, where containers are compared with one of these.
    ContainerFilter among(List<ContainerStatus> containers) {
        return texts.stream().anyMatch(text -> text.startsWith("before=") || text.startsWith("since="))
                ? new ContainerFilter(texts, containers)
                : this;
    }

    private static Predicate<ContainerStatus> condition(String[] pair, List<ContainerStatus> among) {
        String value = pair[1];
        return switch (pair[0]) {
            case "label" -> label(value);
            case "name" -> name(value);
            case "label!" -> label(value).negate();
            case "ancestor" -> {
                Predicate<String> image = ImageMatch.of(value);
                yield container -> image.test(container.image());
            }
            case "network" -> NetworkView.isOn(value);
            case "publish" -> NetworkView.hasPort("--filter publish", value, PortMapping::hostPort);
            case "expose" -> NetworkView.hasPort("--filter expose", value, PortMapping::containerPort);
            case "until" -> {
                Instant time = LogTime.parse("--filter until", value, Instant.now());
                yield container -> container.created().isBefore(time);
            }
            case "exited" -> exited(value);
            case "before" ->
                created(value, among, time -> container -> container.created().isBefore(time));
            case "since" ->
                created(value, among, time -> container -> container.created().isAfter(time));
            case "id" -> container -> container.id().value().startsWith(value);
            case "status" -> {
                if (!STATES.contains(value)) {
                    throw CommandException.usage(
                            "--filter status takes created, running, paused, restarting, exited or dead, not '" + value
                                    + "'");
                }
                yield container -> container.word().equals(value);
            }
            case "volume" -> volume(value);
            case "health" -> {
                if (!HEALTH.contains(value)) {
                    throw CommandException.usage(
                            "--filter health takes starting, healthy, unhealthy or none, not '" + value + "'");
                }
                yield container -> container
                        .state()
                        .map(ContainerState::health)
                        .orElse(HealthReport.Health.NONE)
                        .word()
                        .equals(value);
            }
            default ->
                throw CommandException.usage(
                        "--filter takes label, label!, name, id, ancestor, exited, before, since, until, health, status, network, publish, expose or volume, not '"
                                + pair[0] + "'");
        };
    }

    private static Predicate<ContainerStatus> name(String value) {
        Predicate<String> pattern = NamePattern.of(value);
        return container -> pattern.test(container.name().orElse(""))
                || pattern.test("/" + container.name().orElse(""));
    }

    /// The name of a volume, or the target of any mount.
    private static Predicate<ContainerStatus> volume(String value) {
        EngineOptions options = Caller.current().directories();
        return container ->
                DetachedContainer.find(container.id().value(), options)
                        .map(DetachedContainer::mounts)
                        .orElse(List.of())
                        .stream()
                        .anyMatch(mount -> value.equals("/" + mount.target().relative())
                                || (mount instanceof Mount.Volume volume
                                        && volume.name()
                                                .filter(name -> name.value().equals(value))
                                                .isPresent()));
    }

    private static Predicate<ContainerStatus> exited(String value) {
        if (!value.matches("[0-9]{1,3}")) {
            throw CommandException.usage("--filter exited takes an exit status, not '" + value + "'");
        }
        int status = Integer.parseInt(value);
        return container -> !container.running()
                && container.exitStatus().isPresent()
                && container.exitStatus().getAsInt() == status;
    }

    private static Predicate<ContainerStatus> created(
            String value, List<ContainerStatus> among, Function<Instant, Predicate<ContainerStatus>> compared) {
        if (among.isEmpty()) {
            return _ -> false;
        }
        return among.stream()
                .filter(container -> container.name().filter(value::equals).isPresent())
                .findFirst()
                .or(() -> among.stream()
                        .filter(container -> container.id().value().startsWith(value))
                        .findFirst())
                .map(found -> compared.apply(found.created()))
                .orElseThrow(() -> CommandException.usage("--filter knows no container '" + value + "'"));
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
        return byKey.containsKey("status") || byKey.containsKey("exited");
    }

    public boolean accepts(ContainerStatus container) {
        return byKey.entrySet().stream().allMatch(entry -> {
            var conditions = entry.getValue().stream();
            return entry.getKey().startsWith("label")
                    ? conditions.allMatch(condition -> condition.test(container))
                    : conditions.anyMatch(condition -> condition.test(container));
        });
    }
}
