package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Changes in directories, inotify(7). A change that was made before a call of [#changes] is in its answer, with
/// these exceptions: what is written through a mapping of memory, through another hard link whose directory is not
/// watched, or by another machine.
public final class Inotify implements AutoCloseable {
    private static final int IN_MODIFY = 0x2;
    private static final int IN_ATTRIB = 0x4;
    private static final int IN_MOVED_FROM = 0x40;
    private static final int IN_MOVED_TO = 0x80;
    private static final int IN_CREATE = 0x100;
    private static final int IN_DELETE = 0x200;
    private static final int IN_DELETE_SELF = 0x400;
    private static final int IN_MOVE_SELF = 0x800;
    private static final int IN_ONLYDIR = 0x100_0000;

    private static final int WATCHED = IN_MODIFY
            | IN_ATTRIB
            | IN_MOVED_FROM
            | IN_MOVED_TO
            | IN_CREATE
            | IN_DELETE
            | IN_DELETE_SELF
            | IN_MOVE_SELF
            | IN_ONLYDIR;
    private static final int HEADER = 16;
    private static final int LENGTH = 12;
    private static final int BUFFER = 16 * 1024;

    private final Fd queue;
    private final Arena memory = Arena.ofShared();
    private final MemorySegment buffer = memory.allocate(BUFFER, 4);

    private Inotify(Fd queue) {
        this.queue = queue;
    }

    /// Opens a queue that watches nothing yet.
    /// @throws ErrnoException EMFILE if the user has too many of them
    public static Inotify open() {
        return new Inotify(new Fd((int) Native.check(
                "inotify_init1", Native.raw(Nr.INOTIFY_INIT1, FileSystem.O_CLOEXEC | FileSystem.O_NONBLOCK))));
    }

    /// Watches an open directory from here on; once more does no harm.
    /// @throws ErrnoException ENOSPC if the user has too many watches
    public void watch(Fd directory) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Native.string(arena, "/proc/self/fd/" + directory.number());
            Native.check(
                    "inotify_add_watch", Native.raw(Nr.INOTIFY_ADD_WATCH, queue.number(), path.address(), WATCHED));
        }
    }

    /// Has `polling` tell by `key` when there are changes.
    public void tell(Polling polling, long key) {
        polling.watchReadable(queue, key);
    }

    /// Returns the names, each in its directory, that changed since the last call, without waiting. An empty one stands
    /// for a directory itself, or for changes that were lost because they were too many.
    public synchronized List<String> changes() {
        var changes = new ArrayList<String>();
        while (true) {
            long filled = Native.raw(Nr.READ, queue.number(), buffer.address(), BUFFER);
            if (filled == -Errno.EAGAIN) {
                return changes;
            }
            if (filled == -Errno.EINTR) {
                continue;
            }
            Native.check("read", filled);
            for (long at = 0; at < filled; at += HEADER + buffer.get(JAVA_INT, at + LENGTH)) {
                changes.add(name(at + HEADER, buffer.get(JAVA_INT, at + LENGTH)));
            }
        }
    }

    private String name(long start, int length) {
        byte[] name = buffer.asSlice(start, length).toArray(JAVA_BYTE);
        int end = 0;
        while (end < length && name[end] != 0) {
            end++;
        }
        return new String(name, 0, end, StandardCharsets.UTF_8);
    }

    @Override
    public synchronized void close() {
        if (queue.isOpen()) {
            queue.close();
            memory.close();
        }
    }
}
