package dev.caisson.gate.http2;

/// Bounds the frames that cost this side work and carry nothing: those of CVE-2019-9512, -9514, -9515 and -9518,
/// CVE-2023-44487 (streams that are opened and reset) and CVE-2025-8671 (streams that are made to be reset). Used by
/// the thread that reads a connection.
final class FrameBudget {
    private static final int IDLE_AT_ONCE = 1_000;
    private static final long IDLE_EACH_NANOS = 10_000_000;
    private static final int IDLE_FOR_DATA = 3;
    private static final int RESETS_AT_ONCE = 200;
    private static final long RESET_EACH_NANOS = 50_000_000;

    /// A number that grows with time, up to a limit.
    private static final class Bucket {
        private final int most;
        private final long eachNanos;
        private long left;
        private long paid = System.nanoTime();

        Bucket(int most, long eachNanos) {
            this.most = most;
            this.eachNanos = eachNanos;
            this.left = most;
        }

        void add(int more) {
            left = Math.min(most, left + more);
        }

        boolean take() {
            long grown = (System.nanoTime() - paid) / eachNanos;
            paid += grown * eachNanos;
            left = Math.min(most, left + grown) - 1;
            return left >= 0;
        }
    }

    private final Bucket idle = new Bucket(IDLE_AT_ONCE, IDLE_EACH_NANOS);
    private final Bucket resets = new Bucket(RESETS_AT_ONCE, RESET_EACH_NANOS);

    /// Takes note of a frame that carries nothing.
    /// @throws ConnectionException ENHANCE_YOUR_CALM if there were too many
    synchronized void idle() throws ConnectionException {
        if (!idle.take()) {
            throw calm("too many frames that carry nothing");
        }
    }

    /// Takes note of a stream that ended with an error.
    /// @throws ConnectionException ENHANCE_YOUR_CALM if there were too many
    synchronized void reset() throws ConnectionException {
        if (!resets.take()) {
            throw calm("too many streams that are reset or refused");
        }
    }

    /// Takes note of data that was sent or received: each piece may be followed by frames that say so.
    synchronized void data() {
        idle.add(IDLE_FOR_DATA);
    }

    static ConnectionException calm(String reason) {
        return new ConnectionException(ErrorCode.ENHANCE_YOUR_CALM, reason);
    }
}
