package dev.caisson.engine;

import dev.caisson.launch.Launched;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Reactor;
import dev.caisson.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// One process that serves the files of a container: `native/files.h` is its protocol. One request at a
/// time; each is short, because a caller's stream never stands between a request and its reply.
final class FileService implements AutoCloseable {
    /// Operations, `enum files_op`.
    enum Op {
        STAT(1),
        READ(2),
        CREATE(3),
        WRITE(4),
        COMMIT(5),
        CLOSE(6),
        LIST(7),
        NEXT(8),
        MKDIR(9),
        SYMLINK(10),
        LINK(11),
        RENAME(12),
        REMOVE(13),
        SET(14),
        WATCH(15),
        BUFFER(16);

        private final int number;

        Op(int number) {
            this.number = number;
        }
    }

    static final int BUFFER_BYTES = 256 * 1024;
    private static final int MAGIC = 0x31465343;
    private static final int REQUEST_BYTES = 60;
    private static final int REPLY_BYTES = 24;
    private static final int MOST_BYTES = REPLY_BYTES + 16_384;
    private static final int SIGKILL = 9;
    private static final long LOOK_MILLIS = 500;

    /// A reply without an error.
    ///
    /// @param descriptors the caller's to close
    record Reply(int handle, long value, ByteBuffer payload, List<Fd> descriptors) {}

    private final Launched launched;
    private final Reactor reactor;
    private final Supplier<Boolean> frozen;
    private final ReentrantLock lock = new ReentrantLock();
    private final AtomicBoolean reaped = new AtomicBoolean();
    private final Fd buffer;
    private final long pidfdKey;
    private int sequence;
    private volatile boolean broken;

    /// @param frozen whether it stands still, as a paused container does
    FileService(Launched launched, Reactor reactor, Supplier<Boolean> frozen) {
        this.launched = launched;
        this.reactor = reactor;
        this.frozen = frozen;
        this.buffer = MemoryFile.shared("caisson-files", BUFFER_BYTES);
        this.pidfdKey = reactor.watch(launched.pidfd(), this::readEnd, _ -> {});
    }

    /// Lets it work.
    void start() {
        Sockets.receiveTimeout(launched.control(), LOOK_MILLIS);
        if (!launched.start()) {
            throw gone();
        }
        ask(new Request(Op.BUFFER).length(BUFFER_BYTES), "", List.of(buffer));
    }

    boolean isUsable() {
        return !broken && !reaped.get();
    }

    Reply ask(Request request, String path) {
        return ask(request, path, List.of());
    }

    private Reply ask(Request request, String path, List<Fd> given) {
        lock.lock();
        try {
            return exchange(request, path, given);
        } finally {
            lock.unlock();
        }
    }

    /// Appends bytes to a file that is being made.
    void write(int handle, byte[] bytes, int length, String path) {
        lock.lock();
        try {
            FileContent.writeAt(buffer, bytes, 0, length, 0);
            for (int done = 0; done < length; ) {
                Reply reply = exchange(
                        new Request(Op.WRITE).handle(handle).offset(done).length(length - done), path, List.of());
                done += Math.toIntExact(reply.value());
                if (reply.value() <= 0) {
                    throw FileFailures.of(Errno.ENOSPC, path);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private Reply exchange(Request request, String path, List<Fd> given) {
        if (!isUsable()) {
            throw gone();
        }
        int number = ++sequence;
        boolean answered = false;
        try {
            Sockets.send(launched.control(), request.encode(number), given);
            Sockets.Message message = receive();
            answered = true;
            return reply(message, number, path);
        } catch (ErrnoException e) {
            throw Sockets.isClosed(e) ? gone() : e;
        } finally {
            broken |= !answered; // a late reply would be taken for the next one's
        }
    }

    /// Whoever waits looks now and then whether the container was paused meanwhile, and this process
    /// with it.
    private Sockets.Message receive() {
        while (true) {
            try {
                Sockets.Message message = Sockets.receive(launched.control(), MOST_BYTES);
                if (message.isEnd()) {
                    throw gone();
                }
                return message;
            } catch (ErrnoException e) {
                if (!e.is(Errno.EAGAIN)) {
                    throw e;
                }
                if (frozen.get()) {
                    throw new EngineException(
                            "CONTAINER_PAUSED",
                            "the container was paused while its files were worked on: do it again, which works while it"
                                    + " is paused");
                }
            }
        }
    }

    private static Reply reply(Sockets.Message message, int number, String path) {
        ByteBuffer in = ByteBuffer.wrap(message.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        if (in.remaining() < REPLY_BYTES || in.getInt() != MAGIC || in.getInt() != number) {
            message.close();
            throw new EngineException("FILES_PROTOCOL", "the container's file service answered what was not asked");
        }
        int status = in.getInt();
        int handle = in.getInt();
        long value = in.getLong();
        if (status != 0) {
            message.close();
            throw FileFailures.of(-status, path);
        }
        return new Reply(handle, value, in.slice().order(ByteOrder.LITTLE_ENDIAN), message.descriptors());
    }

    private static EngineException gone() {
        return new EngineException(
                "CONTAINER_NOT_RUNNING",
                "the container has ended, or its file service was killed: open its files again");
    }

    private void readEnd() {
        if (Processes.hasEnded(launched.pidfd()) && reaped.compareAndSet(false, true)) {
            reactor.forget(pidfdKey, launched.pidfd());
            Processes.reapNow(launched.pidfd());
        }
    }

    /// Ends it. It removes files that are not complete when its socket ends; one that is killed here may leave
    /// one of them behind, named `.caisson-` and a number, if somebody still writes.
    @Override
    public void close() {
        if (reaped.compareAndSet(false, true)) {
            reactor.forget(pidfdKey, launched.pidfd());
            Processes.signal(launched.pidfd(), SIGKILL);
            Processes.reap(launched.pidfd());
        }
        lock.lock(); // whoever waits for a reply reads the end of the socket
        try {
            broken = true;
            launched.close();
            buffer.close();
        } finally {
            lock.unlock();
        }
    }

    /// A request: `struct files_request`.
    static final class Request {
        private final ByteBuffer head = ByteBuffer.allocate(REQUEST_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        private byte[] path = new byte[0];
        private byte[] other = new byte[0];

        Request(Op op) {
            head.putInt(0, MAGIC).putShort(4, (short) op.number);
        }

        Request flags(int flags) {
            head.putShort(6, (short) (head.getShort(6) | flags));
            return this;
        }

        Request path(byte[] value) {
            path = value.clone();
            return this;
        }

        Request other(byte[] value) {
            other = value.clone();
            return this;
        }

        Request mode(int mode) {
            head.putInt(12, mode);
            return this;
        }

        Request owner(int uid, int gid) {
            head.putInt(16, uid).putInt(20, gid);
            return flags(FileFlags.OWNER);
        }

        Request offset(long offset) {
            head.putLong(24, offset);
            return this;
        }

        Request length(long length) {
            head.putLong(32, length);
            return this;
        }

        Request time(java.time.Instant time) {
            head.putLong(40, time.getEpochSecond()).putInt(48, time.getNano());
            return flags(FileFlags.TIME);
        }

        Request handle(int handle) {
            head.putInt(52, handle);
            return this;
        }

        private byte[] encode(int number) {
            head.putInt(8, number).putShort(56, (short) path.length).putShort(58, (short) other.length);
            ByteBuffer all = ByteBuffer.allocate(REQUEST_BYTES + path.length + other.length);
            return all.put(head.array()).put(path).put(other).array();
        }
    }
}
