package dev.caisson.cli.caller;

import dev.caisson.engine.Container;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Terminal;
import dev.caisson.spec.TerminalSize;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// Passes the signals of the caller on to the program, as `docker run` does. Before there is a program they end the
/// command. The third Ctrl-C or SIGTERM within ten seconds kills a program that does not end by them.
public final class SignalForwarding {
    /// The program that takes the signals.
    public record Target(IntPredicate signal, Runnable kill, Consumer<TerminalSize> resize) {
        public static Target of(Container container) {
            return new Target(container::signal, container::kill, container::resize);
        }
    }

    private static final int PATIENCE = 3;
    private static final long WINDOW_NANOS = Duration.ofSeconds(10).toNanos();
    private static final int BY_SIGNAL = 128;

    private final PrintWriter err;
    private final Caller caller = Caller.current();
    private final Deque<Long> asked = new ArrayDeque<>();
    private final List<Integer> held = new ArrayList<>();
    private boolean holds;
    private @Nullable Target to;
    private @Nullable Fd terminal;
    private String lineEnd = "";

    private SignalForwarding(PrintWriter err) {
        this.err = err;
    }

    public static SignalForwarding begin(PrintWriter err) {
        var forwarding = new SignalForwarding(err);
        forwarding.caller.onSignal(forwarding::take);
        return forwarding;
    }

    /// Holds signals back for a program that is about to start.
    public synchronized void hold() {
        holds = true;
    }

    /// Passes signals on, first those that were held back.
    /// @param target has started its program
    public synchronized void to(Target target) {
        to = target;
        held.forEach(this::take);
        held.clear();
    }

    /// Passes changes of this terminal's size on as well.
    public synchronized void resizes(Fd from) {
        terminal = from;
        lineEnd = "\r"; // it may be raw
    }

    private synchronized void take(int number) {
        Target target = to;
        Fd from = terminal;
        if (target == null) {
            if (holds) {
                held.add(number);
            } else if (ProcessSignals.asksToEnd(number)) {
                caller.exit(BY_SIGNAL + number);
            }
        } else if (number == ProcessSignals.WINCH && from != null) {
            Terminal.size(from)
                    .map(size -> new TerminalSize(size.rows(), size.columns()))
                    .ifPresent(target.resize());
        } else if (isOneTooMany(number)) {
            err.println("caisson: it has not ended after " + PATIENCE + " signals and is killed" + lineEnd);
            target.kill().run();
        } else {
            boolean _ = target.signal().test(number);
        }
    }

    private boolean isOneTooMany(int number) {
        if (number != ProcessSignals.INT && number != ProcessSignals.TERM) {
            return false;
        }
        long now = System.nanoTime();
        asked.addLast(now);
        while (now - asked.getFirst() > WINDOW_NANOS) {
            asked.removeFirst();
        }
        return asked.size() >= PATIENCE;
    }
}
