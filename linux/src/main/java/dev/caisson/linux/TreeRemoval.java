package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Removes a directory whose content somebody else chose: names stay the bytes that they are, and a tree of any depth
/// takes two descriptors, because what holds something is moved up to the top before it is emptied. Nothing is
/// followed: each directory is opened below one that is held, without links.
final class TreeRemoval implements AutoCloseable {
    private static final int AT_REMOVEDIR = 0x200;
    private static final int RENAME_NOREPLACE = 1;
    private static final int DIRENT_BUFFER = 32 * 1024;
    private static final int DIRENT_NAME = 19;
    private static final int DIRENT_LENGTH = 16;
    private static final int DIRECTORY =
            FileSystem.O_RDONLY | FileSystem.O_DIRECTORY | FileSystem.O_NOFOLLOW | FileSystem.O_CLOEXEC;

    /// Handles an entry, whose name is a C string at an address.
    @FunctionalInterface
    private interface Act {
        void on(long name);
    }

    private final Arena arena = Arena.ofConfined();
    private final Fd top;
    private final MemorySegment entries = arena.allocate(DIRENT_BUFFER, 8);
    private final MemorySegment below = arena.allocate(DIRENT_BUFFER, 8);
    private final MemorySegment how = arena.allocate(24, 8);
    private final MemorySegment fresh = arena.allocate(32);
    private long moved;

    private TreeRemoval(Fd top) {
        this.top = top;
        how.set(JAVA_LONG, 0, DIRECTORY & 0xffffffffL);
        how.set(JAVA_LONG, 16, FileSystem.RESOLVE_NO_SYMLINKS);
    }

    /// Removes everything in an open directory.
    static void empty(Fd directory) {
        try (var removal = new TreeRemoval(directory)) {
            removal.each(directory.number(), removal.entries, removal::remove);
        }
    }

    /// Until none is left: each act takes its entry away.
    private void each(int directory, MemorySegment buffer, Act act) {
        boolean found = true;
        while (found) {
            found = false;
            Native.check("lseek", Native.raw(Nr.LSEEK, directory, 0, 0));
            long filled;
            while ((filled = Native.check(
                            "getdents64", Native.raw(Nr.GETDENTS64, directory, buffer.address(), DIRENT_BUFFER)))
                    > 0) {
                for (long at = 0;
                        at < filled;
                        at += Short.toUnsignedInt(buffer.get(JAVA_SHORT_UNALIGNED, at + DIRENT_LENGTH))) {
                    if (!isDots(buffer, at + DIRENT_NAME)) {
                        found = true;
                        act.on(buffer.address() + at + DIRENT_NAME);
                    }
                }
            }
        }
    }

    private static boolean isDots(MemorySegment buffer, long name) {
        if (buffer.get(JAVA_BYTE, name) != '.') {
            return false;
        }
        byte second = buffer.get(JAVA_BYTE, name + 1);
        return second == 0 || (second == '.' && buffer.get(JAVA_BYTE, name + 2) == 0);
    }

    private void remove(long name) {
        if (unlink(top.number(), name)) {
            return;
        }
        long opened = Native.raw(Nr.OPENAT2, top.number(), name, how.address(), 24);
        if (opened == -Errno.ENOENT) {
            return;
        }
        try (Fd directory = Fd.of("open a directory to remove", opened)) {
            each(directory.number(), below, inner -> {
                if (!unlink(directory.number(), inner)) {
                    moveUp(directory.number(), inner);
                }
            });
        }
        Native.check("unlinkat", ignoring(Native.raw(Nr.UNLINKAT, top.number(), name, AT_REMOVEDIR)));
    }

    /// False for a directory that holds something.
    private static boolean unlink(int directory, long name) {
        long removed = ignoring(Native.raw(Nr.UNLINKAT, directory, name, 0));
        if (removed == -Errno.EISDIR || removed == -Errno.EPERM) {
            removed = ignoring(Native.raw(Nr.UNLINKAT, directory, name, AT_REMOVEDIR));
        }
        if (removed == -Errno.ENOTEMPTY || removed == -Errno.EEXIST) {
            return false;
        }
        Native.check("unlinkat", removed);
        return true;
    }

    private static long ignoring(long result) {
        return result == -Errno.ENOENT ? 0 : result;
    }

    private void moveUp(int directory, long name) {
        long result;
        do {
            fresh.setString(0, ".removed-" + moved++);
            result = Native.raw(Nr.RENAMEAT2, directory, name, top.number(), fresh.address(), RENAME_NOREPLACE, 0);
        } while (result == -Errno.EEXIST);
        Native.check("renameat2", ignoring(result));
    }

    @Override
    public void close() {
        arena.close();
    }
}
