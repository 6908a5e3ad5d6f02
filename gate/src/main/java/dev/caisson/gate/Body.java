package dev.caisson.gate;

import java.io.EOFException;
import java.io.IOException;
import java.util.Locale;

/// A body that is carried from one side to the other, in the frames that it came in, RFC 9112 section 6. Chunks are
/// written anew; what a client may hide in them, extensions and trailers, does not go on.
final class Body {
    /// Takes pieces of a body.
    interface Sink {
        /// Takes one.
        ///
        /// @param bytes the caller's again when it returns
        void take(byte[] bytes, int count) throws IOException;
    }

    private static final int PIECE = 16_384;
    private static final int LONGEST_SIZE = 32;
    private static final int LONGEST_TRAILER = 8192;
    private static final int MOST_TRAILERS = 32;
    private static final int MOST_DIGITS = 15;

    private Body() {}

    /// Carries a body of known length.
    static void sized(Input from, long length, Sink to) throws IOException {
        byte[] piece = new byte[(int) Math.min(length, PIECE)];
        for (long left = length; left > 0; ) {
            int count = from.read(piece, (int) Math.min(left, PIECE));
            if (count < 0) {
                throw new EOFException("the connection ended within a body");
            }
            to.take(piece, count);
            left -= count;
        }
    }

    /// Carries chunks up to the last one.
    ///
    /// @return how many trailers stood behind it, which do not go on
    static int chunked(Input from, Sink to) throws IOException, Refusal {
        while (true) {
            String size = from.requiredLine(LONGEST_SIZE);
            if (size.isEmpty()
                    || size.length() > MOST_DIGITS
                    || !size.toLowerCase(Locale.ROOT).matches("[0-9a-f]+")) {
                throw Refusal.malformed("a chunk does not begin with its size alone: send no chunk extensions");
            }
            long length = Long.parseLong(size, 16);
            if (length == 0) {
                break;
            }
            sized(from, length, to);
            if (!from.requiredLine(LONGEST_SIZE).isEmpty()) {
                throw Refusal.malformed("a chunk is longer than its size: send CR LF behind it");
            }
        }
        int trailers = 0;
        while (!from.requiredLine(LONGEST_TRAILER).isEmpty()) {
            if (++trailers > MOST_TRAILERS) {
                throw new Refusal(Refusal.TOO_LARGE, "more than " + MOST_TRAILERS + " trailers: send fewer");
            }
        }
        return trailers;
    }

    /// Carries all up to the end of the connection.
    static void rest(Input from, Sink to) throws IOException {
        byte[] piece = new byte[PIECE];
        for (int count = from.read(piece, PIECE); count > 0; count = from.read(piece, PIECE)) {
            to.take(piece, count);
        }
    }
}
