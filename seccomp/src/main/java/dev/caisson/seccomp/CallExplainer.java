package dev.caisson.seccomp;

import java.util.List;

/// Explains what is decided about calls, in any thread.
public interface CallExplainer {
    Explanation explain(SeccompData data);

    /// Returns the arguments that the decision about this call may depend on, as wide as the kernel reads them.
    List<Long> examined(SeccompData data);
}
