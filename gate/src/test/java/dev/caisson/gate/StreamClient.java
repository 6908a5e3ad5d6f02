package dev.caisson.gate;

import dev.caisson.gate.http2.HeaderBlock;
import dev.caisson.gate.http2.HeaderField;
import dev.caisson.gate.http2.HeaderList;
import dev.caisson.gate.http2.Http2Connection;
import dev.caisson.gate.http2.Http2Stream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLSocket;

/// A well-behaved client of HTTP/2 behind a gate.
final class StreamClient implements AutoCloseable {
    /// What came back.
    record Answer(HeaderList head, String body, Optional<HeaderList> trailers) {
        String status() {
            return value(head, ":status");
        }
    }

    private final Bed bed;
    private final SSLSocket socket;
    final Http2Connection connection;
    private volatile IOException ended = new IOException("it has not ended");

    StreamClient(Bed bed) throws IOException {
        this.bed = bed;
        this.socket = bed.greet(Bed.HOST, "h2", "http/1.1");
        if (!socket.getApplicationProtocol().equals("h2")) {
            throw new IOException("the gate chose '" + socket.getApplicationProtocol() + "'");
        }
        this.connection = Http2Connection.client(socket.getInputStream(), socket.getOutputStream(), Bed.PATIENT);
        Thread.ofVirtual().start(() -> {
            try {
                connection.run();
            } catch (IOException e) {
                ended = e;
            }
        });
    }

    /// Begins the head of a request.
    HeaderBlock head(String method, String path) {
        return new HeaderBlock()
                .add(":method", method)
                .add(":scheme", "https")
                .add(":authority", Bed.HOST + ":" + bed.port())
                .add(":path", path);
    }

    Answer get(String path, String... fields) throws IOException {
        HeaderBlock head = head("GET", path);
        for (int i = 0; i < fields.length; i += 2) {
            head.add(fields[i], fields[i + 1]);
        }
        return answer(connection.open(head, true));
    }

    Answer post(String path, byte[] body, String... fields) throws IOException {
        HeaderBlock head = head("POST", path);
        for (int i = 0; i < fields.length; i += 2) {
            head.add(fields[i], fields[i + 1]);
        }
        Http2Stream stream = connection.open(head, false);
        Thread.ofVirtual().start(() -> {
            try {
                stream.send(body, body.length);
                stream.end();
            } catch (IOException e) {
                // the answer says why
            }
        });
        return answer(stream);
    }

    static Answer answer(Http2Stream stream) throws IOException {
        try (stream) {
            HeaderList head = stream.head();
            String body = all(stream);
            return new Answer(head, body, stream.trailers());
        }
    }

    static String all(Http2Stream stream) throws IOException {
        var all = new ByteArrayOutputStream();
        byte[] piece = new byte[8192];
        for (int count = stream.read(piece); count >= 0; count = stream.read(piece)) {
            all.write(piece, 0, count);
        }
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    static String value(HeaderList list, String name) {
        return String.join("|", values(list, name));
    }

    static List<String> values(HeaderList list, String name) {
        return list.fields().stream()
                .filter(field -> field.name().equals(name))
                .map(HeaderField::value)
                .toList();
    }

    IOException ended() {
        return ended;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
