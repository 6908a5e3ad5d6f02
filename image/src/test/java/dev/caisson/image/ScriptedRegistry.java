package dev.caisson.image;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;

/// A registry on loopback, of plain http, that answers as a test wants it to, also against all rules.
public final class ScriptedRegistry implements AutoCloseable {
    /// What came.
    ///
    /// @param headers by their lower-case names
    @SuppressWarnings("ArrayRecordComponent") // nobody compares requests
    public record Request(String method, String path, Map<String, String> headers, byte[] content) {
        public boolean hasAuthorization() {
            return headers.containsKey("authorization");
        }
    }

    /// Writes an answer.
    @FunctionalInterface
    public interface Script {
        void answer(Request request, OutputStream out) throws IOException;
    }

    private static final Pattern METHOD = Pattern.compile("(?:GET|HEAD|POST|PUT|PATCH|DELETE) ");

    public final List<Request> requests = new CopyOnWriteArrayList<>();
    private final ServerSocket server;
    private final Script script;

    public ScriptedRegistry(Script script) throws IOException {
        this.script = script;
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::accept);
    }

    /// Answers as a registry that has one image, whatever it is called.
    static Script serving(SampleImage image) {
        return (request, out) -> {
            if (request.path().contains("/manifests/")) {
                ok(out, SampleImage.MANIFEST_TYPE, image.manifest);
                return;
            }
            blob(image, request, out);
        };
    }

    /// Answers a blob's request, from the byte on that it asks for.
    static void blob(SampleImage image, Request request, OutputStream out) throws IOException {
        String digest = request.path().substring(request.path().indexOf("sha256:") + "sha256:".length());
        byte[] blob = image.blobs.get(new Digest(digest));
        if (blob == null) {
            plain(out, "404 Not Found", "{\"errors\":[{\"code\":\"BLOB_UNKNOWN\"}]}");
            return;
        }
        ok(out, "application/octet-stream", blob);
    }

    public static void ok(OutputStream out, String type, byte[] content) throws IOException {
        head(out, "200 OK", "Content-Type: " + type, "Content-Length: " + content.length);
        out.write(content);
    }

    public static void plain(OutputStream out, String status, String content, String... headers) throws IOException {
        var all = new String[headers.length + 1];
        System.arraycopy(headers, 0, all, 0, headers.length);
        all[headers.length] = "Content-Length: " + content.length();
        head(out, status, all);
        out.write(content.getBytes(StandardCharsets.US_ASCII));
    }

    public static void head(OutputStream out, String status, String... headers) throws IOException {
        String head = "HTTP/1.1 " + status + "\r\nConnection: close\r\n" + String.join("\r\n", headers) + "\r\n\r\n";
        out.write(head.getBytes(StandardCharsets.US_ASCII));
    }

    public String name() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException e) {
                return; // the test is over
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            var in = new BufferedInputStream(socket.getInputStream());
            String first = line(in);
            if (!METHOD.matcher(first).lookingAt()) {
                return; // TLS
            }
            var headers = new LinkedHashMap<String, String>();
            for (String line = line(in); !line.isEmpty(); line = line(in)) {
                int colon = line.indexOf(':');
                headers.put(
                        line.substring(0, colon).toLowerCase(Locale.ROOT),
                        line.substring(colon + 1).strip());
            }
            byte[] content = in.readNBytes(Integer.parseInt(headers.getOrDefault("content-length", "0")));
            var request = new Request(first.split(" ", 3)[0], first.split(" ", 3)[1], headers, content);
            requests.add(request);
            script.answer(request, socket.getOutputStream());
            socket.getOutputStream().flush();
        } catch (IOException e) {
            // the client has hung up
        }
    }

    private static String line(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
            line.append((char) b);
        }
        return line.toString().stripTrailing();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
