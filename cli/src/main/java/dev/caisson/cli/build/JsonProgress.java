package dev.caisson.cli.build;

import dev.caisson.build.BuildListener;
import dev.caisson.cli.text.JsonText;
import dev.caisson.image.Digest;
import dev.caisson.image.PullListener;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Shows how a build goes on as lines of JSON, each of which is a `SolveStatus` of BuildKit's client: `vertexes` for
/// steps, `logs` for what they write, `statuses` for layers that are fetched.
final class JsonProgress implements BuildListener {
    private static final int STANDARD_OUTPUT = 1;
    private static final int STANDARD_ERROR = 2;

    private final PrintWriter err;
    private final Map<Integer, Vertex> vertexes = new HashMap<>();
    private int pulls;

    /// A step, or an image that is fetched.
    private record Vertex(String digest, String name, Instant started) {
        static Vertex of(String kind, int number, String name) {
            String text = kind + " " + number + " " + name;
            return new Vertex(Digest.of(text.getBytes(StandardCharsets.UTF_8)).toString(), name, Instant.now());
        }

        Map<String, Object> fields() {
            var fields = new LinkedHashMap<String, Object>();
            fields.put("digest", digest);
            fields.put("name", name);
            fields.put("started", started.toString());
            return fields;
        }

        Map<String, Object> done() {
            Map<String, Object> fields = fields();
            fields.put("completed", Instant.now().toString());
            return fields;
        }
    }

    JsonProgress(PrintWriter err) {
        this.err = err;
    }

    private void print(String kind, Map<String, Object> fields) {
        err.println(JsonText.of(Map.of(kind, List.of(fields))));
        err.flush();
    }

    private Vertex vertex(int number) {
        Vertex vertex = vertexes.get(number);
        if (vertex == null) {
            throw new IllegalStateException("step " + number + " has not begun");
        }
        return vertex;
    }

    @Override
    public synchronized void begins(int number, String where, String text) {
        Vertex vertex = Vertex.of("step", number, "[" + where + "] " + text);
        vertexes.put(number, vertex);
        print("vertexes", vertex.fields());
    }

    @Override
    public synchronized void output(int number, boolean isError, String text) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("vertex", vertex(number).digest());
        fields.put("stream", isError ? STANDARD_ERROR : STANDARD_OUTPUT);
        fields.put("data", base64(text));
        fields.put("timestamp", Instant.now().toString());
        print("logs", fields);
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public synchronized void ends(int number, boolean cached, Duration time) {
        Map<String, Object> fields = vertex(number).done();
        if (cached) {
            fields.put("cached", true);
        }
        print("vertexes", fields);
    }

    @Override
    public synchronized void fails(int number, String sentence) {
        Map<String, Object> fields = vertex(number).done();
        fields.put("error", sentence);
        print("vertexes", fields);
    }

    @Override
    public synchronized void cancels(int number) {
        fails(number, "canceled");
    }

    @Override
    public synchronized void warns(String sentence) {
        print("warnings", Map.of("level", 1, "short", base64(sentence)));
    }

    @Override
    public synchronized PullListener pulls(String image) {
        Vertex vertex = Vertex.of("image", ++pulls, "[internal] fetch " + image);
        print("vertexes", vertex.fields());
        return new Layers(vertex);
    }

    /// The layers of an image that is fetched. Only those that are there are shown.
    private final class Layers implements PullListener {
        private final Vertex vertex;

        Layers(Vertex vertex) {
            this.vertex = vertex;
        }

        @Override
        public void layer(int number, Digest digest, long done, long size, boolean isPresent) {
            if (done < size) {
                return;
            }
            var fields = new LinkedHashMap<String, Object>();
            fields.put("id", digest.toString());
            fields.put("vertex", vertex.digest());
            fields.put("name", isPresent ? "exists" : "fetched");
            fields.put("total", size);
            fields.put("current", done);
            fields.put("timestamp", Instant.now().toString());
            fields.put("completed", Instant.now().toString());
            synchronized (JsonProgress.this) {
                print("statuses", fields);
            }
        }
    }
}
