package dev.caisson.engine;

import dev.caisson.launch.Privilege;
import dev.caisson.linux.NativeAccess;
import dev.caisson.spec.Capability;

/// Checks what an engine needs from the process that it lives in.
final class HostAccess {
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
            throw new EngineException(
                    "ROOT_NEEDED",
                    "the engine needs root with CAP_SYS_ADMIN and CAP_SYS_PTRACE over the host: use sudo; in a pod, add both"
                            + " capabilities, or set privileged: true (docs/in-a-pod.md)");
        }
    }
}
