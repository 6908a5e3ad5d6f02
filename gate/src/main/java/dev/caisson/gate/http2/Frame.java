package dev.caisson.gate.http2;

import java.util.Arrays;

/// A frame, RFC 9113 section 4.1.
///
/// @param payload the reader's, until the next frame is read
@SuppressWarnings("ArrayRecordComponent") // none is compared
record Frame(int type, int flags, int stream, byte[] payload, int length) {
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
    static final int ACK = 1;
    static final int END_HEADERS = 4;
    static final int PADDED = 8;
    static final int WITH_PRIORITY = 0x20;

    static final int HEAD = 9;
    /// The longest payload, in both directions: SETTINGS_MAX_FRAME_SIZE if nobody says another one.
    static final int MOST_PAYLOAD = 16_384;

    private static final int PRIORITY_BYTES = 5;

    /// A part of the payload.
    record Part(int from, int to) {
        int length() {
            return to - from;
        }
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /// Returns the number of 31 bits at a place.
    int number(int at) {
        return (int) (word(at) & 0x7fffffff);
    }

    /// Returns the number of 32 bits at a place.
    long word(int at) {
        return ((payload[at] & 0xffL) << 24)
                | ((payload[at + 1] & 0xff) << 16)
                | ((payload[at + 2] & 0xff) << 8)
                | (payload[at + 3] & 0xff);
    }

    /// Returns what stands between the padding and the priority.
    Part content() throws ConnectionException {
        int from = has(PADDED) ? 1 : 0;
        int padding = has(PADDED) && length > 0 ? payload[0] & 0xff : 0;
        if (type == HEADERS && has(WITH_PRIORITY)) {
            from += PRIORITY_BYTES;
        }
        if (from > length) {
            throw new ConnectionException(ErrorCode.FRAME_SIZE_ERROR, "a frame is shorter than its fields");
        }
        if (padding > length - from) {
            throw new ConnectionException(ErrorCode.PROTOCOL_ERROR, "a frame has more padding than payload");
        }
        return new Part(from, length - padding);
    }

    byte[] bytes(Part part) {
        return Arrays.copyOfRange(payload, part.from(), part.to());
    }

    Frame requireLength(int bytes) throws ConnectionException {
        if (length != bytes) {
            throw new ConnectionException(
                    ErrorCode.FRAME_SIZE_ERROR, "a frame of type " + type + " has " + length + " bytes");
        }
        return this;
    }
}
