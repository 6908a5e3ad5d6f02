package dev.caisson.cli.image;

import dev.caisson.cli.text.JsonText;
import dev.caisson.image.Digest;
import dev.caisson.image.PullListener;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// Shows how a pull or a push goes on as lines of JSON, in the form of Docker's API: `status`, the `id` of a layer, and
/// `progressDetail` with the bytes that are there and all. A layer that goes on has at most ten lines a second.
final class JsonPullProgress implements PullListener {
    private static final long PAUSE_NANOS = 100_000_000L;
    private static final int ID = 12;

    private final PrintWriter err;
    private final PullProgress.Words words;
    private final Map<Integer, Long> shown = new HashMap<>();

    JsonPullProgress(PrintWriter err, PullProgress.Words words) {
        this.err = err;
        this.words = words;
    }

    @Override
    public synchronized void layer(int number, Digest digest, long done, long size, boolean isPresent) {
        boolean isComplete = done >= size;
        long now = System.nanoTime();
        Long before = shown.get(number);
        if (before != null && (before == Long.MAX_VALUE || (!isComplete && now - before < PAUSE_NANOS))) {
            return;
        }
        shown.put(number, isComplete ? Long.MAX_VALUE : now);
        var line = new LinkedHashMap<String, Object>();
        line.put("status", isComplete ? isPresent ? words.present() : words.done() : words.going());
        var detail = new LinkedHashMap<String, Object>();
        detail.put("current", done);
        detail.put("total", size);
        line.put("progressDetail", detail);
        line.put("id", digest.hex().substring(0, ID));
        print(line);
    }

    @Override
    public synchronized void passedOver(String mirror, String sentence) {
        print(Map.of("status", PullProgress.passedOverText(mirror, sentence)));
    }

    private void print(Map<String, Object> line) {
        err.println(JsonText.of(line));
        err.flush();
    }
}
