package dev.caisson.engine;

import dev.caisson.launch.Privilege;
import dev.caisson.linux.NativeAccess;
import dev.caisson.spec.Capability;
import java.util.List;
import java.util.stream.Collectors;

/// Checks what an engine needs from the process that it lives in.
final class HostAccess {
    /// What a launch needs besides: for ids, owners and modes of what it makes.
    private static final List<Capability> OTHERS = List.of(
            Capability.CHOWN,
            Capability.DAC_OVERRIDE,
            Capability.FOWNER,
            Capability.SETGID,
            Capability.SETPCAP,
            Capability.SETUID);

    private HostAccess() {}

    /// Looked at before any class is loaded that calls native code, and would fail for good.
    static void requireNative() {
        NativeAccess.missingOption().ifPresent(option -> {
            throw new EngineException(
                    "NATIVE_ACCESS_DENIED", "this JVM denies Caisson native access: start it with " + option);
        });
    }

    static void requireRoot() {
        requireRoot(Privilege.read());
    }

    static void requireRoot(Privilege own) {
        if (own.effectiveUid() != 0
                || !own.capabilities().contains(Capability.SYS_ADMIN)
                || !own.capabilities().contains(Capability.SYS_PTRACE)) {
            throw needed(
                    "the engine needs root with CAP_SYS_ADMIN and CAP_SYS_PTRACE over the host: use sudo; in a pod, add both"
                            + " capabilities, or set privileged: true (docs/in-a-pod.md)");
        }
        if (!own.overHost()) {
            throw needed(
                    "the engine needs root of the host, and this process is root of a user namespace only: start it outside of"
                            + " any; in a pod, leave out hostUsers: false");
        }
        String missing = OTHERS.stream()
                .filter(capability -> !own.capabilities().contains(capability))
                .map(capability -> "CAP_" + capability)
                .collect(Collectors.joining(", "));
        if (!missing.isEmpty()) {
            throw needed("the engine needs capabilities that this process does not have: give it " + missing
                    + ", such as by CapabilityBoundingSet= of its systemd unit");
        }
    }

    private static EngineException needed(String sentence) {
        return new EngineException("ROOT_NEEDED", sentence);
    }
}
