package dev.caisson.hostaudit.checks;

import dev.caisson.audit.Check;
import dev.caisson.audit.Checks;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.ImageFacts;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/// A check of the live host with the function that answers it. The function sees nothing but facts, and answers for
/// every subject that the check concerns.
public record HostRule(Check check, Function<Facts, List<Answer>> judge) {
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
