package dev.caisson.seccomp;

import java.util.Optional;
import java.util.Set;

/// The `includes` or `excludes` of a Docker profile's rule: what the container's target must look like.
/// @param capabilities as `CAP_SYS_ADMIN`, out of the container's bounding set
/// @param architectures Go's names of the native architecture, as `amd64`
public record Selector(Set<String> capabilities, Set<String> architectures, Optional<KernelVersion> minKernel) {
    public static final Selector NONE = new Selector(Set.of(), Set.of(), Optional.empty());

    public Selector {
        capabilities = Set.copyOf(capabilities);
        architectures = Set.copyOf(architectures);
    }

    /// True for `includes`: every part that is given must hold; all of the capabilities, one of the architectures.
    boolean includes(Target target) {
        return target.capabilities().containsAll(capabilities)
                && (architectures.isEmpty()
                        || architectures.contains(target.architecture().goName()))
                && minKernel.map(least -> !target.kernel().isBefore(least)).orElse(true);
    }

    /// True for `excludes`: any part that holds is enough; one of the capabilities, one of the architectures.
    boolean excludes(Target target) {
        return capabilities.stream().anyMatch(target.capabilities()::contains)
                || architectures.contains(target.architecture().goName())
                || minKernel.map(least -> !target.kernel().isBefore(least)).orElse(false);
    }
}
