package dev.caisson.engine;

import dev.caisson.launch.FilterProgram;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Step;
import dev.caisson.launch.monitor.DeniedCalls;
import dev.caisson.linux.Fd;
import dev.caisson.linux.MemoryFile;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Denial;
import dev.caisson.watch.DenialExplainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The system calls that the filter of a container which outlives its command denied: its monitor answers
/// what the filter asks, and notes it.
final class DetachedDenials {
    private DetachedDenials() {}

    /// Returns sealed memory with the filter that answers for the plan's, the caller's to close; empty if that asks
    /// nobody.
    static Optional<Fd> answers(LaunchPlan plan) {
        Optional<byte[]> asking = plan.all(Step.InstallFilter.class).stream()
                .findFirst()
                .map(install -> install.program().bytes());
        return HealthProbes.filter(plan)
                .map(FilterProgram::bytes)
                .filter(answering ->
                        asking.filter(asks -> !Arrays.equals(asks, answering)).isPresent())
                .map(answering -> MemoryFile.sealed("caisson-answers", answering));
    }

    /// Returns what its programs were denied since it was created, in the order of the first time.
    static List<Denial> of(DetachedPlace place) {
        return of(place, false);
    }

    /// Returns what its health checks were denied since then.
    static List<Denial> ofHealthChecks(DetachedPlace place) {
        return of(place, true);
    }

    private static List<Denial> of(DetachedPlace place, boolean healthChecks) {
        return place.left(DeniedCalls.NAME, DeniedCalls.MOST_BYTES + 1)
                .flatMap(DeniedCalls::decode)
                .flatMap(calls ->
                        KeptSpec.of(place.id(), place.options()).map(spec -> explained(calls, spec, healthChecks)))
                .orElse(List.of());
    }

    private static List<Denial> explained(DeniedCalls calls, ContainerSpec spec, boolean healthChecks) {
        DenialExplainer explainer = DenialExplainer.of(spec);
        var denials = new ArrayList<Denial>();
        for (DeniedCalls.Kind kind : calls.kinds()) {
            if (healthChecks != (kind.source() == DeniedCalls.Source.HEALTH_CHECK)) {
                continue;
            }
            if (kind.error() == DeniedCalls.Kind.WANTED_LISTENER) {
                denials.add(explainer.wantedListener(kind.first(), kind.count()));
            } else {
                explainer.explain(kind.first(), kind.error(), kind.count()).ifPresent(denials::add);
            }
        }
        if (calls.others() > 0 && !healthChecks) {
            denials.add(DenialExplainer.others(calls.others()));
        }
        return denials;
    }
}
