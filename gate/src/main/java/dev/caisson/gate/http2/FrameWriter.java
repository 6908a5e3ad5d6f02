package dev.caisson.gate.http2;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/// Writes frames, each as a whole. Notes since when one is on its way, so that somebody else can end a connection
/// whose other side takes nothing.
final class FrameWriter {
    /// The most of a body in one frame, so that the frame fits into one record of TLS.
    static final int MOST_DATA = Frame.MOST_PAYLOAD - Frame.HEAD;

    private static final byte TABLE_OF_NONE = 0x20;
    private static final int MOST_REASON = 200;

    private final OutputStream out;
    private final ReentrantLock lock = new ReentrantLock();
    private final byte[] buffer = new byte[Frame.HEAD + Frame.MOST_PAYLOAD];
    private volatile long begun;
    private boolean announced;
    private boolean last;

    FrameWriter(OutputStream out) {
        this.out = out;
    }

    /// Returns since when a frame is on its way; 0 if none is.
    long begun() {
        return begun;
    }

    private void write(int type, int flags, int stream, byte[] payload, int from, int length) throws IOException {
        buffer[0] = (byte) (length >> 16);
        buffer[1] = (byte) (length >> 8);
        buffer[2] = (byte) length;
        buffer[3] = (byte) type;
        buffer[4] = (byte) flags;
        word(buffer, 5, stream);
        System.arraycopy(payload, from, buffer, Frame.HEAD, length);
        begun = System.nanoTime() | 1;
        try {
            out.write(buffer, 0, Frame.HEAD + length);
        } finally {
            begun = 0;
        }
    }

    private void flush() throws IOException {
        begun = System.nanoTime() | 1;
        try {
            out.flush();
        } finally {
            begun = 0;
        }
    }

    private void send(int type, int flags, int stream, byte[] payload, int from, int length) throws IOException {
        lock.lock();
        try {
            if (!last) {
                write(type, flags, stream, payload, from, length);
                flush();
            }
        } finally {
            lock.unlock();
        }
    }

    private static void word(byte[] into, int at, long number) {
        into[at] = (byte) (number >> 24);
        into[at + 1] = (byte) (number >> 16);
        into[at + 2] = (byte) (number >> 8);
        into[at + 3] = (byte) number;
    }

    void preface() throws IOException {
        lock.lock();
        try {
            out.write(FrameReader.prefaceBytes());
        } finally {
            lock.unlock();
        }
    }

    /// Sends settings.
    /// @param pairs numbers and values in turn
    void settings(long... pairs) throws IOException {
        byte[] payload = new byte[pairs.length * 3];
        for (int i = 0; i < pairs.length; i += 2) {
            payload[i * 3 + 1] = (byte) pairs[i];
            word(payload, i * 3 + 2, pairs[i + 1]);
        }
        send(Frame.SETTINGS, 0, 0, payload, 0, payload.length);
    }

    void settingsTaken() throws IOException {
        send(Frame.SETTINGS, Frame.ACK, 0, new byte[0], 0, 0);
    }

    void pong(Frame ping) throws IOException {
        send(Frame.PING, Frame.ACK, 0, ping.payload(), 0, ping.length());
    }

    void window(int stream, int more) throws IOException {
        byte[] payload = new byte[4];
        word(payload, 0, more);
        send(Frame.WINDOW_UPDATE, 0, stream, payload, 0, payload.length);
    }

    void reset(int stream, ErrorCode code) throws IOException {
        byte[] payload = new byte[4];
        word(payload, 0, code.number());
        send(Frame.RST_STREAM, 0, stream, payload, 0, payload.length);
    }

    /// Sends a header block, in as many frames as it needs.
    void headers(int stream, HeaderBlock block, boolean end) throws IOException {
        byte[] first = new byte[0];
        lock.lock();
        try {
            if (last) {
                return;
            }
            if (!announced) {
                announced = true;
                first = new byte[] {TABLE_OF_NONE}; // the other side's decoder keeps nothing
            }
            int most = Frame.MOST_PAYLOAD - first.length;
            int sent = Math.min(most, block.size());
            byte[] payload = Arrays.copyOf(first, first.length + sent);
            System.arraycopy(block.array(), 0, payload, first.length, sent);
            int flags = (end ? Frame.END_STREAM : 0) | (sent == block.size() ? Frame.END_HEADERS : 0);
            write(Frame.HEADERS, flags, stream, payload, 0, payload.length);
            Arrays.fill(payload, (byte) 0);
            while (sent < block.size()) {
                int more = Math.min(Frame.MOST_PAYLOAD, block.size() - sent);
                int ends = sent + more == block.size() ? Frame.END_HEADERS : 0;
                write(Frame.CONTINUATION, ends, stream, block.array(), sent, more);
                sent += more;
            }
            flush();
        } finally {
            Arrays.fill(buffer, (byte) 0);
            lock.unlock();
        }
    }

    void data(int stream, byte[] bytes, int from, int count, boolean end) throws IOException {
        send(Frame.DATA, end ? Frame.END_STREAM : 0, stream, bytes, from, count);
    }

    /// Says that streams behind one are not served.
    ///
    /// @param stream the last one that may have been served
    void goAway(int stream, ErrorCode code, String reason) throws IOException {
        byte[] text = reason.getBytes(StandardCharsets.ISO_8859_1);
        int count = Math.min(MOST_REASON, text.length);
        byte[] payload = new byte[8 + count];
        word(payload, 0, stream);
        word(payload, 4, code.number());
        System.arraycopy(text, 0, payload, 8, count);
        send(Frame.GOAWAY, 0, 0, payload, 0, payload.length);
    }

    /// The same, as the last frame: nothing is sent behind it.
    void leave(int stream, ErrorCode code, String reason) throws IOException {
        goAway(stream, code, reason);
        lock.lock();
        try {
            last = true;
        } finally {
            lock.unlock();
        }
    }
}
