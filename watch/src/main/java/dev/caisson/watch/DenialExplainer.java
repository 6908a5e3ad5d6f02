package dev.caisson.watch;

import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Explainer;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.seccomp.Target;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Denial;
import java.util.List;
import java.util.Optional;

/// Explains denied calls that somebody else has noted, from the profile that the container's filter was made of.
public final class DenialExplainer {
    private final Explainer explainer;

    private DenialExplainer(Explainer explainer) {
        this.explainer = explainer;
    }

    public static DenialExplainer of(ContainerSpec spec) {
        KernelVersion kernel = KernelVersion.parse(System.getProperty("os.version"));
        return new DenialExplainer(new Explainer(
                Filters.profile(spec),
                new Target(Architecture.host(), kernel, spec.capabilities().mask())));
    }

    /// Explains a call; empty for one that programs make only to learn what the kernel has.
    /// @param error that it failed with
    /// @param count how often it came
    public Optional<Denial> explain(SeccompData call, int error, long count) {
        Action answer = Action.errno(error);
        return HarmlessDenial.matches(call, answer)
                ? Optional.empty()
                : Optional.of(denial(call, answer, explainer.explain(call).brief(), count));
    }

    /// Explains a call that installs a filter with a listener of the program's own.
    public Denial wantedListener(SeccompData call, long count) {
        return denial(call, Action.errno("EBUSY"), DenialLog.ONE_LISTENER, count);
    }

    /// Stands for calls of kinds that were counted only.
    public static Denial others(long count) {
        return new Denial(DenialNotes.OTHERS, "", "", "", "", List.of(), count);
    }

    private Denial denial(SeccompData call, Action answer, List<String> reasons, long count) {
        return new Denial(explainer.explain(call).call(), answer.toString(), "", "", "", reasons, count);
    }
}
