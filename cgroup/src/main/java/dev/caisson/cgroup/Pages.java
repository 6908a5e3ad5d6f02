package dev.caisson.cgroup;

import dev.caisson.spec.Bytes;

/// The unit that the kernel's memory controller counts in.
public final class Pages {
    private Pages() {}

    /// The amount in whole pages, rounded down: what the kernel gives back when it is asked for a limit.
    public static Bytes whole(Bytes amount) {
        return amount.isUnlimited() ? amount : Bytes.of(amount.count() & -Kernel.PAGE_SIZE);
    }
}
