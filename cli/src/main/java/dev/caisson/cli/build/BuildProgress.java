package dev.caisson.cli.build;

import dev.caisson.build.BuildListener;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.image.PullProgress;
import dev.caisson.image.PullListener;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/// Shows how a build goes on: a line for everything, or, on a terminal, the last lines of the step that runs.
final class BuildProgress implements BuildListener {
    private static final int SHOWN_LINES = 6;
    private static final int WIDTH = 110;
    private static final double NANOS = 1e9;

    private final PrintWriter err;
    private final boolean redraws;
    private final Deque<String> latest = new ArrayDeque<>();
    private final StringBuilder whole = new StringBuilder();
    private String title = "";
    private long begun;
    private int drawn;

    /// @param redraws whether `err` is a terminal whose lines may be drawn again
    BuildProgress(PrintWriter err, boolean redraws) {
        this.err = err;
        this.redraws = redraws;
    }

    private static String cut(String line) {
        return line.length() > WIDTH ? line.substring(0, WIDTH - 1) + "…" : line;
    }

    @Override
    public synchronized void begins(int number, String where, String text) {
        begun = System.nanoTime();
        title = "#" + number + " [" + where + "] " + OneLine.of(text);
        latest.clear();
        whole.setLength(0);
        drawn = 0;
        err.println(redraws ? cut(title) : title);
        err.flush();
    }

    @Override
    public synchronized void output(int number, String text) {
        String time = String.format(Locale.ROOT, "%.3f", seconds(System.nanoTime() - begun));
        for (String line : text.stripTrailing().split("\n", -1)) {
            String shown = "#" + number + " " + time + " " + (line.isBlank() ? "" : OneLine.of(line));
            if (redraws) {
                remember(shown);
            } else {
                err.println(shown);
            }
        }
        if (redraws) {
            draw();
        }
        err.flush();
    }

    private void remember(String line) {
        if (latest.size() == SHOWN_LINES) {
            latest.removeFirst();
        }
        latest.addLast(cut(line));
        if (whole.length() < 1 << 20) {
            whole.append(line).append('\n');
        }
    }

    private void draw() {
        var text = new StringBuilder(erased());
        latest.forEach(line -> text.append(line).append('\n'));
        drawn = latest.size();
        err.print(text);
    }

    private String erased() {
        String up = drawn == 0 ? "" : "\u001b[" + drawn + "A\u001b[J";
        drawn = 0;
        return up;
    }

    @Override
    public synchronized void ends(int number, boolean cached, Duration time) {
        String end = cached ? "CACHED" : String.format(Locale.ROOT, "DONE %.1fs", seconds(time.toNanos()));
        if (redraws) {
            // the title is one line above what is drawn
            err.print("\u001b[" + (drawn + 1) + "A\u001b[J");
            drawn = 0;
            err.println(cut(title) + " " + end);
        } else {
            err.println("#" + number + " " + end);
        }
        latest.clear();
        err.flush();
    }

    @Override
    public synchronized void warns(String sentence) {
        err.println("warning: " + OneLine.of(sentence));
        err.flush();
    }

    @Override
    public PullListener pulls(String image) {
        err.println("fetching " + OneLine.of(image));
        err.flush();
        return new PullProgress(err);
    }

    /// Shows all that the step that failed has written.
    synchronized void abandon() {
        if (redraws && !latest.isEmpty()) {
            err.print(erased());
            err.print(whole);
            latest.clear();
            err.flush();
        }
    }

    private static double seconds(long nanos) {
        return nanos / NANOS;
    }
}
