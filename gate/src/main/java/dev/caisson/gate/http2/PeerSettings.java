package dev.caisson.gate.http2;

/// The settings of the other side that this side keeps to, RFC 9113 section 6.5.2. The others say what this side never
/// uses: it keeps no table for header blocks, and its frames are no longer than every side takes.
final class PeerSettings {
    static final int ENABLE_PUSH = 2;
    static final int MAX_CONCURRENT_STREAMS = 3;
    static final int INITIAL_WINDOW_SIZE = 4;
    static final int MAX_HEADER_LIST_SIZE = 6;
    static final int STANDARD_WINDOW = 65_535;
    static final int MOST_WINDOW = Integer.MAX_VALUE;

    private static final int MAX_FRAME_SIZE = 5;
    private static final int MOST_FRAME = (1 << 24) - 1;
    private static final int BYTES = 6;
    private static final int MOST_IN_FRAME = 32;

    private long streams = Integer.MAX_VALUE;
    private int window = STANDARD_WINDOW;

    long streams() {
        return streams;
    }

    int window() {
        return window;
    }

    /// Reads a frame.
    ///
    /// @param ofServer true if a server has sent it
    /// @return by how much the windows of all streams grow
    long read(Frame frame, boolean ofServer) throws ConnectionException {
        if (frame.length() % BYTES != 0) {
            throw new ConnectionException(ErrorCode.FRAME_SIZE_ERROR, "a frame of settings has a wrong length");
        }
        if (frame.length() > MOST_IN_FRAME * BYTES) {
            throw FrameBudget.calm("a frame has more than " + MOST_IN_FRAME + " settings");
        }
        int before = window;
        for (int at = 0; at < frame.length(); at += BYTES) {
            int name = ((frame.payload()[at] & 0xff) << 8) | (frame.payload()[at + 1] & 0xff);
            take(name, frame.word(at + 2), ofServer);
        }
        return (long) window - before;
    }

    private void take(int name, long value, boolean ofServer) throws ConnectionException {
        if (name == MAX_CONCURRENT_STREAMS) {
            streams = value;
        } else if (name == INITIAL_WINDOW_SIZE) {
            if (value > MOST_WINDOW) {
                throw new ConnectionException(ErrorCode.FLOW_CONTROL_ERROR, "a window is larger than 2^31-1");
            }
            window = (int) value;
        } else if ((name == ENABLE_PUSH && (value > 1 || (ofServer && value == 1)))
                || (name == MAX_FRAME_SIZE && (value < Frame.MOST_PAYLOAD || value > MOST_FRAME))) {
            throw new ConnectionException(ErrorCode.PROTOCOL_ERROR, "setting " + name + " cannot be " + value);
        }
    }
}
