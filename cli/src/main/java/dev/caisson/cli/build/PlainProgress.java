package dev.caisson.cli.build;

import dev.caisson.build.BuildListener;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.image.PullProgress;
import dev.caisson.image.PullListener;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Shows a line for everything that a build does. Lines of one step stay together: those of another wait until that
/// one has ended, says nothing for a second, or has spoken for five.
final class PlainProgress implements BuildListener {
    private static final long SILENCE = Duration.ofSeconds(1).toNanos();
    private static final long LONGEST = Duration.ofSeconds(5).toNanos();
    private static final int MOST_WAITING = 1000;

    private final PrintWriter err;
    private final Map<Integer, Step> steps = new LinkedHashMap<>();
    private @Nullable Step current;
    private long since;
    private long spoke;

    private static final class Step {
        final int number;
        final String title;
        final long begun = System.nanoTime();
        final List<String> waiting = new ArrayList<>();
        boolean hasEnded;

        Step(int number, String title) {
            this.number = number;
            this.title = title;
        }
    }

    PlainProgress(PrintWriter err) {
        this.err = err;
    }

    @Override
    public synchronized void begins(int number, String where, String text) {
        steps.put(number, new Step(number, BuildProgress.title(number, where, text)));
        show();
    }

    @Override
    public synchronized void output(int number, boolean isError, String text) {
        Step step = step(number);
        for (String line : BuildProgress.lines(text)) {
            step.waiting.add(BuildProgress.line(number, step.begun, line));
        }
        show();
    }

    @Override
    public synchronized void ends(int number, boolean cached, Duration time) {
        end(number, BuildProgress.end(cached, time.toNanos()));
    }

    @Override
    public synchronized void fails(int number, String sentence) {
        end(number, "ERROR: " + OneLine.of(sentence));
    }

    @Override
    public synchronized void cancels(int number) {
        end(number, "CANCELED");
    }

    private Step step(int number) {
        Step step = steps.get(number);
        if (step == null) {
            throw new IllegalStateException("step " + number + " has not begun");
        }
        return step;
    }

    private void end(int number, String word) {
        Step step = step(number);
        step.hasEnded = true;
        step.waiting.add("#" + number + " " + word);
        show();
    }

    @Override
    public synchronized void waits() {
        show();
    }

    private void show() {
        long now = System.nanoTime();
        Step shown = current;
        if (shown == null) {
            shown = steps.values().stream().findFirst().orElse(null);
            turn(shown, now);
        }
        while (shown != null) {
            if (!shown.waiting.isEmpty()) {
                spoke = now;
                shown.waiting.forEach(err::println);
                shown.waiting.clear();
            }
            if (shown.hasEnded) {
                steps.remove(shown.number);
            } else if (!isOver(now)) {
                break;
            }
            Step last = shown;
            Optional<Step> next = next(last);
            if (next.isEmpty() && !last.hasEnded) {
                break;
            }
            shown = next.or(() -> steps.values().stream().findFirst()).orElse(null);
            if (!last.hasEnded) {
                err.println("#" + last.number + " ...");
            }
            turn(shown, now);
        }
        err.flush();
    }

    private boolean isOver(long now) {
        return now - spoke > SILENCE
                || now - since > LONGEST
                || steps.values().stream().anyMatch(step -> step.waiting.size() > MOST_WAITING);
    }

    /// Returns the step whose turn is next: one that has ended, or has most to say.
    private Optional<Step> next(Step last) {
        Optional<Step> ended = steps.values().stream()
                .filter(step -> step != last && step.hasEnded)
                .findFirst();
        return ended.or(() -> steps.values().stream()
                .filter(step -> step != last && !step.waiting.isEmpty())
                .max((one, other) -> Integer.compare(one.waiting.size(), other.waiting.size())));
    }

    private void turn(@Nullable Step step, long now) {
        current = step;
        since = now;
        spoke = now;
        if (step != null) {
            err.println(step.title);
        }
    }

    @Override
    public synchronized void warns(String sentence) {
        err.println("warning: " + OneLine.of(sentence));
        err.flush();
    }

    @Override
    public synchronized PullListener pulls(String image) {
        err.println("fetching " + OneLine.of(image));
        err.flush();
        return new PullProgress(err, false);
    }
}
