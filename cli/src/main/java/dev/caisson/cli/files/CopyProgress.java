package dev.caisson.cli.files;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.CopyReport;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongConsumer;

/// The line that shows how far a copy is, where standard error is a terminal.
final class CopyProgress implements LongConsumer {
    private static final String CLEAR = "\r\u001b[K";
    private static final long PAUSE_NANOS = 100_000_000;
    private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

    private final PrintWriter err;
    private final boolean shown;
    private final String activity;
    private long last = System.nanoTime();
    private boolean written;
    private long leftOut;

    CopyProgress(PrintWriter err, boolean quiet, boolean intoContainer) {
        this.err = err;
        this.shown = !quiet && Caller.current().colours().error();
        this.activity = intoContainer ? "Copying to container - " : "Copying from container - ";
    }

    @Override
    public void accept(long bytes) {
        if (!shown || System.nanoTime() - last < PAUSE_NANOS) {
            return;
        }
        last = System.nanoTime();
        written = true;
        err.print(CLEAR + activity + size(bytes));
        err.flush();
    }

    /// Takes the line away.
    void fail() {
        if (written) {
            err.print(CLEAR);
            err.flush();
        }
    }

    void end(String destination, CopyReport report) {
        fail();
        leftOut = report.leftOut();
        if (shown) {
            err.println("Successfully copied " + size(report.bytes()) + " to " + OneLine.of(destination));
        }
    }

    long leftOut() {
        return leftOut;
    }

    /// Writes a size as docker does: three digits, steps of 1000.
    static String size(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1000 && unit < UNITS.length - 1) {
            value /= 1000;
            unit++;
        }
        String digits = value >= 100 || unit == 0
                ? String.format(Locale.ROOT, "%.0f", value)
                : String.format(Locale.ROOT, value >= 10 ? "%.1f" : "%.2f", value);
        return (digits.contains(".") ? digits.replaceAll("\\.?0+$", "") : digits) + UNITS[unit];
    }
}
