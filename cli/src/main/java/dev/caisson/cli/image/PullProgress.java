package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.text.SizeText;
import dev.caisson.image.Digest;
import dev.caisson.image.PullListener;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/// Shows how a pull or a push goes on: a bar for each layer on a terminal, else a line for each layer that is
/// there.
public final class PullProgress implements PullListener {
    private static final int BAR = 30;
    private static final long PAUSE_NANOS = 100_000_000L;
    private static final int DIGITS = 4;
    private static final int MOST_BARS = 40;

    /// Words for the states of a layer.
    ///
    /// @param going while it is transferred
    /// @param done when it has been
    /// @param present if it was there
    record Words(String going, String done, String present) {
        static final Words OF_A_PULL = new Words("Downloading", "Pull complete", "Already exists");
        static final Words OF_A_PUSH = new Words("Pushing", "Pushed", "Layer already exists");
    }

    private record Layer(String id, long done, long size, boolean isPresent) {
        boolean isComplete() {
            return done >= size;
        }
    }

    private final PrintWriter err;
    private final Words words;
    private final boolean isTerminal;
    private final List<Layer> layers = new ArrayList<>();
    private long shown;
    private int lines;

    public PullProgress(PrintWriter err) {
        this(err, Words.OF_A_PULL);
    }

    /// @param isTerminal whether `err` is one
    public PullProgress(PrintWriter err, boolean isTerminal) {
        this(err, Words.OF_A_PULL, isTerminal);
    }

    PullProgress(PrintWriter err, Words words) {
        this(err, words, Caller.current().colours().error());
    }

    private PullProgress(PrintWriter err, Words words, boolean isTerminal) {
        this.err = err;
        this.words = words;
        this.isTerminal = isTerminal;
    }

    /// Returns a listener for the value of `--progress`.
    static PullListener of(String progress, PrintWriter err, Words words) {
        return switch (progress) {
            case "auto" -> new PullProgress(err, words);
            case "plain" -> new PullProgress(err, words, false);
            case "json" -> new JsonPullProgress(err, words);
            default -> throw CommandException.usage("--progress is auto, plain or json, not " + OneLine.of(progress));
        };
    }

    static String passedOverText(String mirror, String sentence) {
        return "mirror " + mirror + " is passed over: " + sentence;
    }

    @Override
    public synchronized void passedOver(String mirror, String sentence) {
        err.println(OneLine.of(passedOverText(mirror, sentence)));
        err.flush();
        lines = 0;
    }

    @Override
    public synchronized void layer(int number, Digest digest, long done, long size, boolean isPresent) {
        while (layers.size() <= number) {
            layers.add(new Layer("", 0, 1, false));
        }
        boolean wasComplete =
                !layers.get(number).id().isEmpty() && layers.get(number).isComplete();
        var layer = new Layer(digest.hex().substring(0, 12), done, size, isPresent);
        layers.set(number, layer);
        if (wasComplete) {
            return;
        }
        if (!isTerminal || layers.size() > MOST_BARS) {
            if (layer.isComplete()) {
                err.println(layer.id() + ": " + (isPresent ? words.present() : words.done()));
                err.flush();
            }
            return;
        }
        long now = System.nanoTime();
        if (layer.isComplete() || now - shown > PAUSE_NANOS) {
            shown = now;
            draw();
        }
    }

    private void draw() {
        var text = new StringBuilder();
        if (lines > 0) {
            text.append("\u001b[").append(lines).append('A');
        }
        lines = 0;
        for (Layer layer : layers) {
            text.append("\r\u001b[K")
                    .append(layer.id().isEmpty() ? "" : line(layer))
                    .append('\n');
            lines++;
        }
        err.print(text);
        err.flush();
    }

    private String line(Layer layer) {
        if (layer.isComplete()) {
            return layer.id() + ": " + (layer.isPresent() ? words.present() : words.done());
        }
        int filled = (int) (BAR * layer.done() / Math.max(1, layer.size()));
        return layer.id() + ": " + words.going() + " [" + "=".repeat(filled) + ">" + " ".repeat(BAR - filled) + "] "
                + SizeText.of(layer.done(), DIGITS) + "/" + SizeText.of(layer.size(), DIGITS);
    }
}
