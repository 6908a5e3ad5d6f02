package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/// A queue of the files that are executed through watched mounts, fanotify(7). An interpreter and the loader of
/// shared libraries are in it too.
///
/// No event waits for this process: programs run on, and what does not fit into the queue is lost and reported
/// so.
public final class ExecutedFiles implements AutoCloseable {
    /// One execution.
    ///
    /// @param file open for reading until the visitor returns
    /// @param pid of the process that executes it, as this process sees it; it may have ended
    /// @param mount as [#watch] returned it
    /// @param mode type and permission bits
    /// @param uid of the file's owner
    /// @param gid of the file's group
    /// @param fileSystem major and minor of the file system's device, packed as `major << 32 | minor`
    public record Execution(Fd file, int pid, long mount, int mode, int uid, int gid, long inode, long fileSystem) {}

    /// Takes what is read.
    public interface Visitor {
        void executed(Execution execution);

        /// Called for executions of which nothing is known: the queue was full, or a file could not be opened.
        void lost();
    }

    private static final int FAN_CLOEXEC = 0x1;
    private static final int FAN_NONBLOCK = 0x2;
    private static final int FAN_MARK_ADD = 0x1;
    private static final int FAN_MARK_REMOVE = 0x2;
    private static final int FAN_MARK_MOUNT = 0x10;
    private static final int FAN_MARK_IGNORED_MASK = 0x20;
    private static final int FAN_MARK_EVICTABLE = 0x200;
    private static final int FAN_OPEN_EXEC = 0x1000;
    private static final int FAN_Q_OVERFLOW = 0x4000;

    /// O_NONBLOCK: a lease on a file must not hold up who reads the queue.
    private static final int OPENED = FileSystem.O_RDONLY | FileSystem.O_CLOEXEC | FileSystem.O_NONBLOCK;

    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_MNT_ID = 0x1000;
    private static final int STATX_MNT_ID_UNIQUE = 0x4000;
    private static final long MASK = Native.offset(FileStatus.LAYOUT, "stx_mask");
    private static final long UID = Native.offset(FileStatus.LAYOUT, "stx_uid");
    private static final long GID = Native.offset(FileStatus.LAYOUT, "stx_gid");
    private static final long MODE = Native.offset(FileStatus.LAYOUT, "stx_mode");
    private static final long INODE = Native.offset(FileStatus.LAYOUT, "stx_ino");
    private static final long DEVICE_MAJOR = Native.offset(FileStatus.LAYOUT, "stx_dev_major");
    private static final long DEVICE_MINOR = Native.offset(FileStatus.LAYOUT, "stx_dev_minor");
    private static final long MOUNT = Native.offset(FileStatus.LAYOUT, "stx_mnt_id");

    /// `struct fanotify_event_metadata`.
    private static final int EVENT = 24;

    private static final long EVENT_MASK = 8;
    private static final long EVENT_FD = 16;
    private static final long EVENT_PID = 20;
    private static final int MOST_AT_ONCE = 32;
    private static final int MOST_TO_CLOSE = 1024;

    /// A file may be the last that keeps the mount of a container which has ended. Closing it then takes a file system
    /// down, which waits for other processors: nobody's reading or end may.
    private final BlockingQueue<Fd> toClose = new ArrayBlockingQueue<>(MOST_TO_CLOSE);

    private final Thread closer;
    private final Fd queue;
    private final Arena memory = Arena.ofShared();
    private final MemorySegment events = memory.allocate((long) EVENT * MOST_AT_ONCE, 8);
    private final MemorySegment status = memory.allocate(FileStatus.LAYOUT);
    private final MemorySegment empty = Native.string(memory, "");
    private final MemorySegment here = Native.string(memory, ".");

    private ExecutedFiles(Fd queue) {
        this.queue = queue;
        this.closer = Thread.ofPlatform().daemon().name("caisson-executed").start(this::closeFiles);
    }

    private void closeFiles() {
        try {
            while (true) {
                toClose.take().close();
            }
        } catch (InterruptedException _) { // closed
            for (Fd file = toClose.poll(); file != null; file = toClose.poll()) {
                file.close();
            }
        }
    }

    private void closeLater(Fd file) {
        if (!toClose.offer(file)) {
            file.close();
        }
    }

    /// Opens a queue that watches nothing yet.
    /// @throws ErrnoException ENOSYS, EPERM; EMFILE if this user has `fs.fanotify.max_user_groups` of them
    ///     already
    public static ExecutedFiles open() {
        long number = Native.raw(Nr.FANOTIFY_INIT, FAN_CLOEXEC | FAN_NONBLOCK, OPENED);
        return new ExecutedFiles(new Fd((int) Native.check("fanotify_init", number)));
    }

    /// Returns what can be read when there is something in the queue.
    public Fd queue() {
        return queue;
    }

    /// Watches the mount of a directory, which need not be attached yet, for as long as the mount is there.
    /// @return the mount's number
    /// @throws ErrnoException ENOSYS before Linux 5.8
    public synchronized long watch(Fd directory) {
        long mount = read(directory.number());
        mark(FAN_MARK_ADD | FAN_MARK_MOUNT, directory.number(), here.address());
        return mount;
    }

    /// Watches the mount of an executed file no more.
    public synchronized void unwatch(Fd file) {
        mark(FAN_MARK_REMOVE | FAN_MARK_MOUNT, file.number(), 0);
    }

    /// Leaves out further executions of a file, until it is written to or the kernel forgets its inode.
    /// @return false if the kernel cannot do that, before Linux 5.19, or has no room
    public synchronized boolean ignore(Fd file) {
        int flags = FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_EVICTABLE;
        return Native.raw(Nr.FANOTIFY_MARK, queue.number(), flags, FAN_OPEN_EXEC, file.number(), 0, 0) == 0;
    }

    private void mark(int flags, int file, long path) {
        Native.check(
                "fanotify_mark", Native.raw(Nr.FANOTIFY_MARK, queue.number(), flags, FAN_OPEN_EXEC, file, path, 0));
    }

    /// Reads what is there, without waiting: at most `most` executions, and up to 31 more that came with them.
    /// @return how many it read
    public synchronized int read(int most, Visitor visitor) {
        int count = 0;
        while (count < most && queue.isOpen()) {
            long filled = Native.raw(Nr.READ, queue.number(), events.address(), events.byteSize());
            if (filled == -Errno.EAGAIN) {
                break;
            }
            if (filled == -Errno.EINTR) {
                continue;
            }
            if (filled < 0) { // the first file could not be opened, and its event is gone
                visitor.lost();
                count++;
                continue;
            }
            count += visitAll(filled, visitor);
        }
        return count;
    }

    /// Closes every file, whatever the visitor throws.
    private int visitAll(long filled, Visitor visitor) {
        long at = 0;
        try {
            for (; at + EVENT <= filled; at += EVENT) {
                visit(at, visitor);
            }
            return (int) (at / EVENT);
        } finally {
            for (at += EVENT; at + EVENT <= filled; at += EVENT) { // none, unless it threw
                int number = events.get(JAVA_INT, at + EVENT_FD);
                if (number >= 0) {
                    closeLater(new Fd(number));
                }
            }
        }
    }

    private void visit(long at, Visitor visitor) {
        int number = events.get(JAVA_INT, at + EVENT_FD);
        if (number < 0 || (events.get(JAVA_LONG, at + EVENT_MASK) & FAN_Q_OVERFLOW) != 0) {
            visitor.lost();
            return;
        }
        var file = new Fd(number);
        try {
            long mount;
            try {
                mount = read(number);
            } catch (ErrnoException e) {
                visitor.lost();
                return;
            }
            visitor.executed(new Execution(
                    file,
                    events.get(JAVA_INT, at + EVENT_PID),
                    mount,
                    Short.toUnsignedInt(status.get(JAVA_SHORT, MODE)),
                    status.get(JAVA_INT, UID),
                    status.get(JAVA_INT, GID),
                    status.get(JAVA_LONG, INODE),
                    (long) status.get(JAVA_INT, DEVICE_MAJOR) << 32 | status.get(JAVA_INT, DEVICE_MINOR)));
        } finally {
            closeLater(file);
        }
    }

    /// Fills the status of an open file.
    /// @return the number of its mount
    private long read(int file) {
        int wanted = FileStatus.BASIC_STATS | STATX_MNT_ID | STATX_MNT_ID_UNIQUE;
        Native.check("statx", Native.raw(Nr.STATX, file, empty.address(), AT_EMPTY_PATH, wanted, status.address(), 0));
        if ((status.get(JAVA_INT, MASK) & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)) == 0) {
            throw new ErrnoException("statx", Errno.ENOSYS);
        }
        return status.get(JAVA_LONG, MOUNT);
    }

    @Override
    public synchronized void close() {
        if (queue.isOpen()) {
            queue.close();
            memory.close();
            closer.interrupt();
        }
    }
}
