package dev.caisson.gate;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// The bytes of one side of a connection, read ahead.
final class Input {
    private static final int BUFFER = 16_384;

    private final InputStream in;
    private final byte[] buffer = new byte[BUFFER];
    private int at;
    private int end;

    Input(InputStream in) {
        this.in = in;
    }

    private boolean fill() throws IOException {
        int count = in.read(buffer, 0, BUFFER);
        at = 0;
        end = Math.max(0, count);
        return count > 0;
    }

    /// True if bytes are there without waiting.
    boolean hasMore() {
        return at < end;
    }

    /// Waits for a byte, and takes none.
    /// @return false at the end
    boolean await() throws IOException {
        return at < end || fill();
    }

    private int next() throws IOException {
        return await() ? buffer[at++] & 0xff : -1;
    }

    /// Reads some bytes.
    /// @return how many; -1 at the end
    int read(byte[] into, int most) throws IOException {
        if (!await()) {
            return -1;
        }
        int count = Math.min(most, end - at);
        System.arraycopy(buffer, at, into, 0, count);
        at += count;
        return count;
    }

    /// Reads a line that ends with CR LF, and has neither of them within.
    ///
    /// @param most bytes without its end
    /// @return the line without its end; empty if the stream ends before it begins
    Optional<String> line(int most) throws IOException, Refusal {
        if (!await()) {
            return Optional.empty();
        }
        var line = new StringBuilder();
        while (true) {
            int next = next();
            switch (next) {
                case -1 -> throw new EOFException("the connection ended within a line");
                case '\r' -> {
                    if (next() != '\n') {
                        throw Refusal.malformed("a carriage return stands alone: end lines with CR LF");
                    }
                    return Optional.of(line.toString());
                }
                case '\n' -> throw Refusal.malformed("a line ends with LF alone: end lines with CR LF");
                case 0 -> throw Refusal.malformed("a line has a NUL: leave it out");
                default -> {
                    if (line.length() == most) {
                        throw new Refusal(
                                Refusal.TOO_LARGE, "a line is longer than " + most + " bytes: send a shorter one");
                    }
                    line.append((char) next);
                }
            }
        }
    }

    /// Reads a line that must be there.
    String requiredLine(int most) throws IOException, Refusal {
        return line(most).orElseThrow(() -> new EOFException("the connection ended before a line"));
    }

    /// Encodes what [#line] returns.
    static byte[] bytes(String line) {
        return line.getBytes(StandardCharsets.ISO_8859_1);
    }
}
