package dev.caisson.cli.build;

import dev.caisson.build.BuildListener;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.image.PullProgress;
import dev.caisson.image.PullListener;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Shows on a terminal how a build goes on: a line for each step that has ended, and below them the last lines of those
/// that run, drawn again and again.
final class TerminalProgress implements BuildListener {
    private static final int SHOWN_LINES = 6;
    private static final int WIDTH = 110;
    private static final int MOST_KEPT = 1 << 20;

    private final PrintWriter err;
    private final Map<Integer, Step> running = new LinkedHashMap<>();
    private final List<String> ended = new ArrayList<>();
    private int drawn;
    private boolean isPulling;

    private static final class Step {
        final String title;
        final long begun = System.nanoTime();
        final Deque<String> latest = new ArrayDeque<>();
        final StringBuilder all = new StringBuilder();

        Step(String title) {
            this.title = title;
        }
    }

    TerminalProgress(PrintWriter err) {
        this.err = err;
    }

    private static String cut(String line) {
        return line.length() > WIDTH ? line.substring(0, WIDTH - 1) + "…" : line;
    }

    @Override
    public synchronized void begins(int number, String where, String text) {
        running.put(number, new Step(BuildProgress.title(number, where, text)));
        draw();
    }

    @Override
    public synchronized void output(int number, boolean isError, String text) {
        Step step = step(number);
        for (String part : BuildProgress.lines(text)) {
            String line = BuildProgress.line(number, step.begun, part);
            if (step.latest.size() == SHOWN_LINES) {
                step.latest.removeFirst();
            }
            step.latest.addLast(cut(line));
            if (step.all.length() < MOST_KEPT) {
                step.all.append(line).append('\n');
            }
        }
        draw();
    }

    private Step step(int number) {
        Step step = running.get(number);
        if (step == null) {
            throw new IllegalStateException("step " + number + " does not run");
        }
        return step;
    }

    @Override
    public synchronized void ends(int number, boolean cached, Duration time) {
        end(number, BuildProgress.end(cached, time.toNanos()));
    }

    @Override
    public synchronized void fails(int number, String sentence) {
        ended.addAll(List.of(BuildProgress.lines(step(number).all.toString())));
        end(number, "ERROR");
    }

    @Override
    public synchronized void cancels(int number) {
        end(number, "CANCELED");
    }

    private void end(int number, String word) {
        Step step = step(number);
        running.remove(number);
        ended.add(cut(step.title) + " " + word);
        draw();
    }

    private void draw() {
        if (isPulling) {
            return; // bars are drawn
        }
        var text = new StringBuilder(erased());
        ended.forEach(line -> text.append(line).append('\n'));
        ended.clear();
        int each = Math.max(1, SHOWN_LINES / Math.max(1, running.size()));
        for (Step step : running.values()) {
            text.append(cut(step.title)).append('\n');
            drawn++;
            for (String line : step.latest.stream()
                    .skip(Math.max(0, step.latest.size() - each))
                    .toList()) {
                text.append(line).append('\n');
                drawn++;
            }
        }
        err.print(text);
        err.flush();
    }

    private String erased() {
        String up = drawn == 0 ? "" : "\u001b[" + drawn + "A\u001b[J";
        drawn = 0;
        return up;
    }

    @Override
    public synchronized void warns(String sentence) {
        ended.add("warning: " + OneLine.of(sentence));
        draw();
    }

    @Override
    public synchronized PullListener pulls(String image) {
        err.print(erased());
        err.println("fetching " + OneLine.of(image));
        err.flush();
        isPulling = true;
        return new PullProgress(err, true);
    }

    @Override
    public synchronized void pulled(String image) {
        isPulling = false;
        draw();
    }
}
