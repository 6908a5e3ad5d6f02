package dev.caisson.linux;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/// Has no thread wait in the kernel while the JVM shuts down: HotSpot gives those that do 300 ms to come back before it
/// ends the process. From then on they look every few milliseconds, so that what other hooks close still works.
final class ShutdownWake {
    private static final long PAUSE_NANOS = 5_000_000;
    private static final Set<Polling> OPEN = ConcurrentHashMap.newKeySet();
    private static volatile boolean begun = !install();

    private ShutdownWake() {}

    private static boolean install() {
        try {
            Runtime.getRuntime()
                    .addShutdownHook(
                            Thread.ofPlatform().name("caisson shutdown").unstarted(ShutdownWake::begin));
            return true;
        } catch (IllegalStateException e) { // it shuts down already
            return false;
        }
    }

    private static void begin() {
        begun = true;
        OPEN.forEach(Polling::wake);
    }

    static void add(Polling polling) {
        OPEN.add(polling);
    }

    static void remove(Polling polling) {
        OPEN.remove(polling);
    }

    static boolean hasBegun() {
        return begun;
    }

    /// Waits outside of the kernel, no longer than a caller wants to.
    static void pause(int millis) {
        LockSupport.parkNanos(millis < 0 ? PAUSE_NANOS : Math.min(PAUSE_NANOS, millis * 1_000_000L));
    }
}
