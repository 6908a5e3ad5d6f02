package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.launch.HostException;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorFailures;
import dev.caisson.spec.TerminalSize;
import dev.caisson.state.LogEntry;
import dev.caisson.state.LogReader;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/// A connection to the standard streams of a container that outlives its command. Output is read from the container's
/// log, so that whoever reads it slowly holds nobody up and misses nothing that the log still has.
///
/// One thread may follow its output while another writes its input.
public final class Attachment implements AutoCloseable {
    /// A message to the monitor has room for it.
    private static final int MOST_AT_ONCE = 32 << 10;
    private static final Duration LOOK = Duration.ofMillis(500);

    private final DetachedPlace place;
    private final Monitor input;
    private final Monitor output;
    private final LogReader log;

    /// @param input closed with this
    Attachment(DetachedPlace place, Monitor input) throws InterruptedException {
        this.place = place;
        this.input = input;
        Monitor second = null;
        try {
            second = place.monitor();
            second.watch(true, true);
            output = second;
            log = place.log(OptionalLong.of(0));
        } catch (RuntimeException | InterruptedException e) {
            if (second != null) {
                second.close();
            }
            input.close();
            throw e;
        }
    }

    /// Passes on what the container writes from now on, until it has ended.
    ///
    /// @param entries is called in the order of the output
    /// @param goesOn asked now and then; the rest is left when it says no
    /// @return its state then
    @SuppressWarnings("exports") // for Caisson's own modules
    public ContainerState follow(Consumer<List<LogEntry>> entries, java.util.function.BooleanSupplier goesOn)
            throws InterruptedException {
        present(entries, "entries");
        present(goesOn, "goesOn");
        boolean wasUp = false;
        while (true) {
            ContainerState state = state();
            boolean up = state.isUp();
            wasUp |= up || state.lastEnd().isPresent();
            for (List<LogEntry> next = log.next(); !next.isEmpty(); next = log.next()) {
                entries.accept(next);
            }
            if (!goesOn.getAsBoolean() || (wasUp && !up && !(state instanceof ContainerState.Created))) {
                return state;
            }
            waitForNotice();
        }
    }

    /// True if it was written faster than it was read here, so that a part was not passed on.
    public boolean hasGap() {
        return log.hasGap();
    }

    private ContainerState state() throws InterruptedException {
        try {
            return ToldState.of(output.state());
        } catch (HostException e) {
            return gone(e);
        }
    }

    private ContainerState gone(HostException e) {
        if (MonitorFailures.isGone(e)) {
            return place.lastState();
        }
        throw e;
    }

    private void waitForNotice() throws InterruptedException {
        try {
            boolean _ = output.notice(LOOK).isPresent();
        } catch (HostException e) {
            gone(e);
        }
    }

    /// Writes to its standard input, waiting while the program does not read.
    /// @return false if its input is closed
    public boolean write(byte[] bytes, int count) throws InterruptedException {
        if (present(bytes, "bytes").length < count || count < 0) {
            throw ArgumentException.invalid(
                    count + " bytes of " + bytes.length + " cannot be written: give 0 to all of them");
        }
        for (int done = 0; done < count; ) {
            byte[] piece = Arrays.copyOfRange(bytes, done, Math.min(count, done + MOST_AT_ONCE));
            int taken = input.write(piece);
            if (taken < 0) {
                return false;
            }
            done += taken;
            if (taken < piece.length) {
                boolean _ = input.notice(LOOK).isPresent();
            }
        }
        return true;
    }

    /// Closes its standard input.
    public void endInput() throws InterruptedException {
        input.endInput();
    }

    /// Changes the size of its terminal; nothing where it has none.
    public synchronized void resize(TerminalSize size) throws InterruptedException {
        try (Monitor monitor = place.monitor()) {
            monitor.resize(
                    new dev.caisson.linux.Terminal.Size(present(size, "size").rows(), size.columns()));
        }
    }

    /// Leaves the container as it is.
    @Override
    public void close() {
        input.close();
        output.close();
        log.close();
    }
}
