package dev.caisson.watch;

import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.CallExplainer;
import dev.caisson.seccomp.Explanation;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.spec.Denial;
import dev.caisson.watch.DenialNotes.Kind;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Tells denied calls of one filter with what would have allowed them. What explains is made for the first one.
final class ExplainedCalls {
    private final Filter filter;
    private final boolean complain;
    private final Supplier<CallExplainer> reasons;
    private volatile @Nullable CallExplainer made;

    /// @param complain whether the calls pass all the same
    ExplainedCalls(Filter filter, boolean complain, Supplier<CallExplainer> reasons) {
        this.filter = filter;
        this.complain = complain;
        this.reasons = reasons;
    }

    /// Returns the kind of a call; empty before the first was explained.
    Optional<Kind> kind(SeccompData data) {
        return Optional.ofNullable(made).map(explainer -> kind(explainer, data));
    }

    private static Kind kind(CallExplainer explainer, SeccompData data) {
        return new Kind(data.number(), data.arch(), explainer.examined(data));
    }

    /// Makes what explains if it is not there, which may take a while.
    Kind explainedKind(SeccompData data) {
        return kind(explainer(), data);
    }

    Denial denial(SeccompData data, Action action, Caller caller) {
        Explanation explanation = explainer().explain(data);
        boolean wantsListener = filter.isForListener(data) && action.kind() != Action.Kind.ERRNO;
        String answer =
                wantsListener ? Action.errno("EBUSY").toString() : (complain ? Action.ALLOW : action).toString();
        List<String> why = wantsListener ? DenialLog.ONE_LISTENER : explanation.brief();
        return new Denial(explanation.call(), answer, caller.process(), caller.executable(), caller.location(), why, 1);
    }

    /// For one thread at a time.
    private CallExplainer explainer() {
        CallExplainer known = made;
        if (known == null) {
            known = reasons.get();
            made = known;
        }
        return known;
    }
}
