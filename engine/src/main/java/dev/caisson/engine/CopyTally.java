package dev.caisson.engine;

import dev.caisson.linux.Errno;

/// Counts what one copy has done, and holds it to its bounds.
final class CopyTally {
    private static final int DEPTH = 100;
    private static final long MOST_ENTRIES = 1_000_000;

    private final CopyOptions options;
    private long most;
    private long bytes;
    private long entries;
    private long leftOut;

    CopyTally(CopyOptions options) {
        this.options = options;
        this.most = options.limit().count();
    }

    CopyOptions options() {
        return options;
    }

    /// Lowers the limit.
    CopyTally atMost(long limit) {
        most = Math.min(most, limit);
        return this;
    }

    /// Counts an entry.
    void enter(String path, int depth) {
        if (depth > DEPTH || ++entries > MOST_ENTRIES) {
            throw FileFailures.of(Errno.E2BIG, path);
        }
    }

    /// Refuses a file that is too large before anything of it is copied.
    void announce(long size, String path) {
        if (size > most - bytes) {
            throw FileFailures.tooLarge(path, Math.max(0, most - bytes));
        }
    }

    /// Counts bytes before they are written.
    void add(int count, String path) {
        announce(count, path);
        bytes += count;
        options.progress().accept(bytes);
    }

    /// Counts an entry that is not copied.
    void leaveOut() {
        entries--;
        leftOut++;
    }

    CopyReport report() {
        return new CopyReport(bytes, entries, leftOut);
    }
}
