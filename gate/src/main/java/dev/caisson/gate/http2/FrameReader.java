package dev.caisson.gate.http2;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/// Reads frames. Notes since when one is incomplete, so that somebody else can end a connection that drips.
final class FrameReader {
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final InputStream in;
    private final byte[] head = new byte[Frame.HEAD];
    private final byte[] payload = new byte[Frame.MOST_PAYLOAD];
    private volatile long begun;

    FrameReader(InputStream in) {
        this.in = in;
    }

    /// Reads what a client begins with, RFC 9113 section 3.4.
    void preface() throws IOException {
        byte[] read = in.readNBytes(PREFACE.length);
        if (!Arrays.equals(read, PREFACE)) {
            throw new ConnectionException(ErrorCode.PROTOCOL_ERROR, "the connection does not begin as one of HTTP/2");
        }
    }

    static byte[] prefaceBytes() {
        return PREFACE.clone();
    }

    /// Reads one.
    /// @return empty if the connection ends before it
    Optional<Frame> next() throws IOException {
        int first = in.read();
        if (first < 0) {
            return Optional.empty();
        }
        if (begun == 0) {
            begun = System.nanoTime() | 1;
        }
        head[0] = (byte) first;
        fill(head, 1, Frame.HEAD);
        int length = ((head[0] & 0xff) << 16) | ((head[1] & 0xff) << 8) | (head[2] & 0xff);
        if (length > Frame.MOST_PAYLOAD) {
            throw new ConnectionException(
                    ErrorCode.FRAME_SIZE_ERROR, "a frame has more than " + Frame.MOST_PAYLOAD + " bytes");
        }
        fill(payload, 0, length);
        int stream = ((head[5] & 0x7f) << 24) | ((head[6] & 0xff) << 16) | ((head[7] & 0xff) << 8) | (head[8] & 0xff);
        return Optional.of(new Frame(head[3] & 0xff, head[4] & 0xff, stream, payload, length));
    }

    /// Says that what was read is complete: a frame, or the last one of a header block.
    void complete() {
        begun = 0;
    }

    /// Returns since when a frame or header block is incomplete; 0 if none is.
    long begun() {
        return begun;
    }

    private void fill(byte[] into, int from, int to) throws IOException {
        if (in.readNBytes(into, from, to - from) < to - from) {
            throw new EOFException("the connection ended within a frame");
        }
    }
}
