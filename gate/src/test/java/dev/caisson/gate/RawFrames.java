package dev.caisson.gate;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import javax.net.ssl.SSLSocket;

/// A client of HTTP/2 that sends whatever it is told, frame for frame.
final class RawFrames implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int PRIORITY = 2;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PUSH_PROMISE = 5;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;
    static final int END_STREAM = 1;
    static final int END_HEADERS = 4;
    static final int WHOLE = END_STREAM | END_HEADERS;

    /// What came back: a frame, without its padding.
    @SuppressWarnings("ArrayRecordComponent") // none is compared
    record Frame(int type, int flags, int stream, byte[] payload) {
        /// Returns the code of RST_STREAM or GOAWAY.
        int code() {
            int at = type == GOAWAY ? 4 : 0;
            return payload[at + 3] & 0xff;
        }
    }

    private final SSLSocket socket;
    private final ByteArrayOutputStream waiting = new ByteArrayOutputStream();

    /// Greets, with settings of its own.
    RawFrames(Bed bed, byte... settings) throws IOException {
        this(bed.greet(Bed.HOST, "h2"));
        preface();
        frame(SETTINGS, 0, 0, settings);
    }

    RawFrames(SSLSocket socket) {
        this.socket = socket;
    }

    RawFrames preface() {
        waiting.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        return this;
    }

    RawFrames frame(int type, int flags, int stream, byte... payload) {
        return frame(type, flags, stream, payload, payload.length);
    }

    /// @param length that the frame says
    RawFrames frame(int type, int flags, int stream, byte[] payload, int length) {
        waiting.write(length >> 16);
        waiting.write(length >> 8);
        waiting.write(length);
        waiting.write(type);
        waiting.write(flags);
        waiting.writeBytes(word(stream));
        waiting.writeBytes(payload);
        return this;
    }

    static byte[] word(long number) {
        return new byte[] {(byte) (number >> 24), (byte) (number >> 16), (byte) (number >> 8), (byte) number};
    }

    /// Encodes fields, names and values in turn, as literals.
    static byte[] block(String... fields) {
        var block = new ByteArrayOutputStream();
        for (int i = 0; i < fields.length; i += 2) {
            block.write(0);
            for (String text : Arrays.asList(fields[i], fields[i + 1])) {
                byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
                if (bytes.length < 127) {
                    block.write(bytes.length);
                } else {
                    block.write(127);
                    int rest = bytes.length - 127;
                    for (; rest > 127; rest >>= 7) {
                        block.write(0x80 | (rest & 127));
                    }
                    block.write(rest);
                }
                block.writeBytes(bytes);
            }
        }
        return block.toByteArray();
    }

    /// Encodes a request of the bed's host, with further fields.
    static byte[] request(Bed bed, String method, String... fields) {
        var all = new ByteArrayOutputStream();
        all.writeBytes(
                block(":method", method, ":scheme", "https", ":authority", Bed.HOST + ":" + bed.port(), ":path", "/"));
        all.writeBytes(block(fields));
        return all.toByteArray();
    }

    /// Sends what waits. The other side may have ended the connection by then.
    RawFrames send() throws IOException {
        byte[] bytes = waiting.toByteArray();
        waiting.reset();
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
        return this;
    }

    /// Sends it, or a part of it if the other side ends the connection.
    RawFrames attack() {
        try {
            send();
        } catch (IOException e) {
            waiting.reset(); // it has ended
        }
        return this;
    }

    /// Reads a frame; empty at the end of the connection.
    Optional<Frame> next() {
        try {
            InputStream in = socket.getInputStream();
            byte[] head = in.readNBytes(9);
            if (head.length < 9) {
                return Optional.empty();
            }
            int length = ((head[0] & 0xff) << 16) | ((head[1] & 0xff) << 8) | (head[2] & 0xff);
            int stream =
                    ((head[5] & 0x7f) << 24) | ((head[6] & 0xff) << 16) | ((head[7] & 0xff) << 8) | (head[8] & 0xff);
            return Optional.of(new Frame(head[3], head[4], stream, in.readNBytes(length)));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// Reads up to a frame of a type; empty if the connection ends before.
    Optional<Frame> until(int type) {
        Optional<Frame> next = next();
        while (next.isPresent() && next.get().type() != type) {
            next = next();
        }
        return next;
    }

    /// Reads to the end of the connection.
    /// @return the code of its GOAWAY; -1 if there was none
    int ended() {
        int code = -1;
        for (Optional<Frame> next = next(); next.isPresent(); next = next()) {
            if (next.get().type() == GOAWAY) {
                code = next.get().code();
            }
        }
        return code;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
