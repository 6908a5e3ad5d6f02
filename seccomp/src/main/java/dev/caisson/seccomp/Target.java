package dev.caisson.seccomp;

import java.util.Set;

/// The target of a compilation: a machine, its kernel, and the container's bounding set.
/// @param architecture the machine's native ABI
/// @param mask the capabilities as the kernel writes them, the `CapBnd` of `/proc/PID/status`; bits that have no name
///     select nothing in any profile, and are left out
public record Target(Architecture architecture, KernelVersion kernel, long mask) {
    /// Checks that the architecture is one that a machine can be natively.
    /// @throws SeccompException UNSUPPORTED_ARCHITECTURE
    public Target {
        if (!architecture.isNative()) {
            throw new SeccompException(
                    SeccompException.Code.UNSUPPORTED_ARCHITECTURE,
                    architecture + " is no machine of its own: compile for one that lets it in, X86_64 or AARCH64, "
                            + "with a profile whose archMap names it");
        }
        mask = Capabilities.known(mask);
    }

    /// With the capabilities by their names, as `CAP_CHOWN`.
    /// @throws SeccompException UNKNOWN_CAPABILITY, UNSUPPORTED_ARCHITECTURE
    public Target(Architecture architecture, KernelVersion kernel, Set<String> capabilities) {
        this(architecture, kernel, Capabilities.mask(capabilities));
    }

    /// The capabilities by their names.
    public Set<String> capabilities() {
        return Capabilities.ofMask(mask);
    }
}
