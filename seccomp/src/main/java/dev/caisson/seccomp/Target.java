package dev.caisson.seccomp;

import java.util.Set;
import java.util.TreeSet;

/// What a profile is compiled for: a machine, its kernel, and the container's bounding set.
/// @param architecture the machine's native ABI
/// @param capabilities as `CAP_CHOWN`
public record Target(Architecture architecture, KernelVersion kernel, Set<String> capabilities) {
    /// Checks the names of the capabilities, and that the architecture is one that a machine can be natively.
    /// @throws SeccompException UNKNOWN_CAPABILITY, UNSUPPORTED_ARCHITECTURE
    public Target {
        if (!architecture.isNative()) {
            throw new SeccompException(
                    SeccompException.Code.UNSUPPORTED_ARCHITECTURE,
                    architecture + " is let in on other machines; compile for the machine's own architecture");
        }
        capabilities = Set.copyOf(capabilities);
        for (String capability : new TreeSet<>(capabilities)) {
            Capabilities.check(capability);
        }
    }

    /// With the capabilities as the kernel's bit mask, the `CapBnd` of `/proc/PID/status`.
    public Target(Architecture architecture, KernelVersion kernel, long capabilities) {
        this(architecture, kernel, Capabilities.ofMask(capabilities));
    }
}
