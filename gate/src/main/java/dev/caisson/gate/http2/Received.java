package dev.caisson.gate.http2;

/// Bytes that were received and not read yet, at most a window's.
final class Received {
    private static final int ROOM = 4096;

    private byte[] bytes = new byte[0];
    private int at;
    private int count;

    int count() {
        return count;
    }

    void add(byte[] from, int begin, int length) {
        if (length == 0) {
            return;
        }
        if (count + length > bytes.length) {
            byte[] larger = new byte[Math.max(ROOM, Math.max(2 * bytes.length, count + length))];
            copy(larger, count);
            bytes = larger;
            at = 0;
        }
        int end = (at + count) % bytes.length;
        int first = Math.min(length, bytes.length - end);
        System.arraycopy(from, begin, bytes, end, first);
        System.arraycopy(from, begin + first, bytes, 0, length - first);
        count += length;
    }

    private void copy(byte[] into, int length) {
        int first = Math.min(length, bytes.length - at);
        System.arraycopy(bytes, at, into, 0, first);
        System.arraycopy(bytes, 0, into, first, length - first);
    }

    /// Takes as many as fit.
    int take(byte[] into) {
        int length = Math.min(into.length, count);
        copy(into, length);
        at = bytes.length == 0 ? 0 : (at + length) % bytes.length;
        count -= length;
        if (count == 0 && bytes.length > ROOM) {
            bytes = new byte[0];
            at = 0;
        }
        return length;
    }

    /// Drops all.
    /// @return how many there were
    int clear() {
        int dropped = count;
        bytes = new byte[0];
        at = 0;
        count = 0;
        return dropped;
    }
}
