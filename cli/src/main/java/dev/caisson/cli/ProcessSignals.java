package dev.caisson.cli;

import dev.caisson.linux.Signals;
import java.util.Set;
import java.util.function.IntConsumer;

/// Signals that are sent to this process. The launcher blocks them for the commands that pass them on, so that none of
/// them means anything to the JVM, SIGQUIT neither; here they are read. What was not blocked ends the process as usual.
final class ProcessSignals {
    static final int HUP = 1;
    static final int INT = 2;
    static final int QUIT = 3;
    static final int TERM = 15;
    static final int WINCH = 28;

    private ProcessSignals() {}

    /// Has signals that the launcher blocked end this process again.
    static void leaveToKernel() {
        Signals.unblock(Signals.blocked());
    }

    /// Calls `handler` with the number of each signal that comes, in one thread of its own.
    static void handle(IntConsumer handler) {
        Set<Integer> blocked = Signals.blocked();
        if (blocked.isEmpty()) {
            return;
        }
        Signals signals = Signals.open(blocked);
        Thread.ofPlatform().daemon().name("caisson-signals").start(() -> {
            while (true) {
                handler.accept(signals.await());
            }
        });
    }

    /// Calls `interrupted` when somebody asks this process to end.
    static void handleEnd(Runnable interrupted) {
        handle(number -> {
            if (asksToEnd(number)) {
                interrupted.run();
            }
        });
    }

    /// True if a process ends by this signal unless it handles it, and people send it for that.
    static boolean asksToEnd(int number) {
        return number == HUP || number == INT || number == QUIT || number == TERM;
    }
}
