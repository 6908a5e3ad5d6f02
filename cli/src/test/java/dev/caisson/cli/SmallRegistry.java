package dev.caisson.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;

/// A registry whose repositories all have one image of one layer, for whoever gives any user and password.
final class SmallRegistry implements AutoCloseable {
    /// Who asked for what.
    record Asked(String repository, String user) {}

    private static final int LAYER = 1 << 20;
    /// Begins a greeting of TLS.
    private static final int TLS = 0x16;

    final List<Asked> asked = new CopyOnWriteArrayList<>();
    /// Has a permit for each layer that may be given whole; of another one half is sent.
    final Semaphore layers = new Semaphore(0);
    /// Has a permit for each layer of which half was sent.
    final Semaphore begun = new Semaphore(0);

    private final ServerSocket listening;
    private final Map<String, byte[]> blobs = new ConcurrentHashMap<>();
    private final byte[] manifest;

    SmallRegistry() throws IOException {
        listening = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        byte[] layer = layer();
        String config =
                "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\""
                        + digest(layer) + "\"]}}";
        byte[] bytes = config.replace("amd64", System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64")
                .getBytes(StandardCharsets.UTF_8);
        blobs.put(digest(bytes), bytes);
        blobs.put(digest(layer), layer);
        manifest = ("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{"
                        + "\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"" + digest(bytes)
                        + "\",\"size\":" + bytes.length + "},\"layers\":[{\"mediaType\":"
                        + "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"" + digest(layer) + "\",\"size\":"
                        + layer.length + "}]}")
                .getBytes(StandardCharsets.UTF_8);
        Thread.ofVirtual().start(this::serve);
    }

    String name() {
        return "127.0.0.1:" + listening.getLocalPort();
    }

    /// An archive with one file, which fills it and is another one each time: a layer that is there already is not
    /// fetched.
    private static byte[] layer() throws IOException {
        byte[] header = new byte[512];
        put(header, 0, "a");
        put(header, 100, "0000644");
        put(header, 108, "0000000");
        put(header, 116, "0000000");
        put(header, 124, "%011o".formatted(LAYER));
        put(header, 136, "00000000000");
        put(header, 148, "        ");
        put(header, 156, "0");
        put(header, 257, "ustar");
        put(header, 263, "00");
        int sum = 0;
        for (byte one : header) {
            sum += one & 0xff;
        }
        put(header, 148, "%06o".formatted(sum));
        header[154] = 0;
        var archive = new ByteArrayOutputStream();
        archive.write(header);
        byte[] content = new byte[LAYER];
        new Random().nextBytes(content);
        archive.write(content);
        archive.write(new byte[1024]);
        return archive.toByteArray();
    }

    private static void put(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }

    private static String digest(byte[] bytes) {
        try {
            return "sha256:"
                    + HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private void serve() {
        while (true) {
            try {
                Socket client = listening.accept();
                Thread.ofVirtual().start(() -> answer(client));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void answer(Socket client) {
        try (client) {
            InputStream in = client.getInputStream();
            OutputStream out = client.getOutputStream();
            for (Optional<String> head = head(in); head.isPresent(); head = head(in)) {
                answer(head.get(), out);
                out.flush();
            }
        } catch (IOException e) {
            // the client went
        }
    }

    private static Optional<String> head(InputStream in) throws IOException {
        var head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0 || (head.isEmpty() && next == TLS)) {
                return Optional.empty();
            }
            head.append((char) next);
        }
        return Optional.of(head.toString());
    }

    private void answer(String head, OutputStream out) throws IOException {
        String path = head.split(" ", 3)[1];
        Optional<String> login = head.lines()
                .filter(line -> line.toLowerCase(Locale.ROOT).startsWith("authorization: basic "))
                .map(line -> new String(Base64.getDecoder().decode(line.substring(21)), StandardCharsets.UTF_8))
                .findFirst();
        if (login.isEmpty()) {
            write(out, "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"", new byte[0]);
            return;
        }
        String[] parts = path.split("/", -1);
        if (parts.length > 3) {
            asked.add(new Asked(parts[2], login.get().split(":", 2)[0]));
        }
        if (path.contains("/manifests/")) {
            write(out, "200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json", manifest);
            return;
        }
        byte[] blob = blobs.getOrDefault(parts[parts.length - 1], new byte[0]);
        if (blob.length > LAYER && !layers.tryAcquire()) {
            begin(out, "200 OK", blob.length);
            out.write(blob, 0, LAYER / 2);
            out.flush();
            begun.release();
            layers.acquireUninterruptibly();
            out.write(blob, LAYER / 2, blob.length - LAYER / 2);
            return;
        }
        write(out, "200 OK", blob);
    }

    private static void begin(OutputStream out, String head, int length) throws IOException {
        out.write(("HTTP/1.1 " + head + "\r\nContent-Length: " + length + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
    }

    private static void write(OutputStream out, String head, byte[] body) throws IOException {
        begin(out, head, body.length);
        out.write(body);
    }

    @Override
    public void close() {
        try {
            listening.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        layers.release(1000);
    }
}
