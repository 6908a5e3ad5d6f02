package dev.caisson.cli.stats;

import dev.caisson.cli.caller.Caller;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Terminal;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;

/// A terminal that shows the same thing again and again, until somebody types q or Ctrl-C or asks this process to end.
final class LiveScreen implements AutoCloseable {
    private static final int DEFAULT_COLUMNS = 80;
    private static final long LOOK_MILLIS = 20;
    private static final int CONTROL_C = 3;
    private static final int CONTROL_D = 4;

    private final Fd input;
    private final Fd output;
    private final InputStream keys;
    private final Optional<Terminal.Mode> before;
    private volatile boolean ended;

    LiveScreen() {
        Caller caller = Caller.current();
        input = caller.descriptor(0);
        output = caller.descriptor(1);
        keys = caller.input();
        caller.onEnd(() -> ended = true);
        before = Terminal.isTerminal(input) ? Optional.of(Terminal.makeRaw(input)) : Optional.empty();
    }

    /// How many characters a line has room for.
    int columns() {
        return Terminal.size(output)
                .map(Terminal.Size::columns)
                .filter(columns -> columns > 0)
                .orElse(DEFAULT_COLUMNS);
    }

    /// Waits before the next look.
    /// @return false when it was asked to end
    boolean pause(Duration time) throws InterruptedException {
        long begun = System.nanoTime();
        while (System.nanoTime() - begun < time.toNanos()) {
            if (ended || isKeyToEnd()) {
                return false;
            }
            Thread.sleep(LOOK_MILLIS);
        }
        return !ended;
    }

    private boolean isKeyToEnd() {
        if (before.isEmpty()) {
            return false;
        }
        try {
            while (keys.available() > 0) {
                int key = keys.read();
                if (key == 'q' || key == 'Q' || key == CONTROL_C || key == CONTROL_D || key < 0) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            return true; // the terminal is gone
        }
    }

    @Override
    public void close() {
        before.ifPresent(mode -> Terminal.restore(input, mode));
    }
}
