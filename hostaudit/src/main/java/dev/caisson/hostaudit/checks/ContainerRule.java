package dev.caisson.hostaudit.checks;

import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Facts;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;

/// Makes checks of containers: a running one is judged by what the kernel shows of it, any other by its configuration.
final class ContainerRule {
    /// Checks whose advice is an option of a container, which means nothing to an engine that may make no groups.
    private static final Set<String> OF_GROUPS =
            Set.of("cgroup-unexpected", "memory-unbounded", "cpu-unbounded", "pids-unbounded");

    private static final String A_PLACE =
            "Give the engine a place for control groups: on a host with version 2 of them, have systemd delegate them to"
                    + " users (Delegate=cpu cpuset io memory pids in a drop-in of user@.service), and start the engine"
                    + " as a service of its user; until then no option of a container limits it.";

    private ContainerRule() {}

    /// About each container: one that runs from the kernel's view of it, any other from its configuration.
    static HostRule of(String name, BiFunction<ContainerFacts, ContainerFacts.Truth, Answer> judge) {
        return HostRule.of(
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
}
