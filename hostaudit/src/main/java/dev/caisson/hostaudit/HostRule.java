package dev.caisson.hostaudit;

import dev.caisson.audit.Check;
import dev.caisson.audit.Checks;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// A check of the live host with the function that answers it. The function sees nothing but facts, and answers for
/// every subject that the check concerns.
record HostRule(Check check, Function<Facts, List<Answer>> judge) {
    /// Checks of what dockerd alone has: its settings and its releases.
    private static final Set<String> OF_DOCKERD = Set.of(
            "icc-on",
            "log-level",
            "iptables-off",
            "ulimits-default",
            "cgroup-parent",
            "base-size",
            "authorization-off",
            "logs-local",
            "no-new-privileges-default-off",
            "live-restore-off",
            "userland-proxy-on",
            "experimental-on",
            "engine-outdated");

    /// Checks whose advice is an option of a container, which means nothing to an engine that may make no groups.
    private static final Set<String> OF_GROUPS =
            Set.of("cgroup-unexpected", "memory-unbounded", "cpu-unbounded", "pids-unbounded");

    private static final String A_PLACE =
            "Give the engine a place for control groups: on a host with version 2 of them, have systemd delegate them to"
                    + " users (Delegate=cpu cpuset io memory pids in a drop-in of user@.service), and start the engine"
                    + " as a service of its user; until then no option of a container limits it.";

    static HostRule of(String name, Function<Facts, List<Answer>> judge) {
        return new HostRule(
                Checks.find(name).orElseThrow(() -> new IllegalArgumentException("there is no check " + name)), judge);
    }

    /// About the host or the engine as a whole.
    static HostRule one(String name, Function<Facts, Answer> judge) {
        return of(name, facts -> List.of(judge.apply(facts)));
    }

    /// About the engine; where none answers, that is the answer.
    static HostRule engine(String name, java.util.function.BiFunction<Facts, EngineFacts, Answer> judge) {
        return one(
                name,
                facts -> facts.engine()
                        .map(engine -> engine.isPodman() && OF_DOCKERD.contains(name)
                                ? Answer.notApplicable(Answer.ENGINE, "podman has no such setting or release")
                                : judge.apply(facts, engine))
                        .orElseGet(() -> without(facts)));
    }

    /// An engine that did not answer may well run.
    private static Answer without(Facts facts) {
        return facts.gaps().stream()
                .filter(Facts.Gap::ofEngine)
                .findFirst()
                .map(gap -> Answer.notEvaluated(Answer.ENGINE, gap.reason()))
                .orElse(Answer.notApplicable(Answer.ENGINE, "no container engine runs here"));
    }

    /// About each container: one that runs from the kernel's view of it, any other from its configuration.
    static HostRule container(
            String name, java.util.function.BiFunction<ContainerFacts, ContainerFacts.Truth, Answer> judge) {
        return of(
                name,
                facts -> facts.containers().stream()
                        .flatMap(container -> container
                                .truth()
                                .map(truth -> advised(name, facts, container, truth, judge.apply(container, truth)))
                                .or(() -> withoutTruth(name, facts, container))
                                .stream())
                        .toList());
    }

    private static Optional<Answer> withoutTruth(String name, Facts facts, ContainerFacts container) {
        return container.runs()
                ? Optional.of(Answer.notEvaluated(Answer.subject(container), container.truthReason()))
                : ConfiguredChecks.judge(name, facts, container);
    }

    private static Answer advised(
            String name, Facts facts, ContainerFacts container, ContainerFacts.Truth truth, Answer answer) {
        boolean withoutPlace = facts.engine().filter(EngineFacts::isOfUser).isPresent()
                && !truth.cgroup().contains(container.id());
        return withoutPlace && OF_GROUPS.contains(name) ? answer.advising(A_PLACE) : answer;
    }

    /// About each container, running or not, from what the engine says of it.
    static HostRule claimed(String name, Function<ContainerFacts, Answer> judge) {
        return of(name, facts -> facts.containers().stream().map(judge).toList());
    }

    /// About each image.
    static HostRule image(String name, java.util.function.BiFunction<Facts, ImageFacts, Answer> judge) {
        return of(
                name,
                facts -> facts.images().stream()
                        .map(image -> judge.apply(facts, image))
                        .toList());
    }
}
