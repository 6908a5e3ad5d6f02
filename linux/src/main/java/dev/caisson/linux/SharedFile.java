package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Reads and writes an open file that another process uses too, as that process would, until it is closed:
/// whoever waits in it then is woken.
///
/// Flags of an open file are shared with whoever has it, so O_NONBLOCK cannot be set. Pipes and terminals are opened a
/// second time, without waiting, by their name in /proc/self/fd, which leads to the same pipe or terminal; sockets
/// have a flag for each call (MSG_DONTWAIT). Where that is not possible, and in regular files, calls may wait.
public final class SharedFile implements AutoCloseable {
    private static final int F_GETFL = 3;
    private static final int O_ACCMODE = 3;
    private static final long POLLFD = 8;
    private static final short POLLIN = 1;
    private static final short POLLOUT = 4;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MOST = 64 * 1024;
    private static final String ENDED = "the command has ended";

    private final Fd given;
    private final Stop stop;
    private final boolean socket;
    private final @Nullable Fd again;
    private int calls;
    private boolean closed;

    /// Wakes everybody who waits in the files that know it.
    public static final class Stop implements AutoCloseable {
        private final Pipes.Pipe pipe = Pipes.create();
        private volatile boolean stopped;

        /// Ends calls that wait, and lets no more begin.
        public void stop() {
            stopped = true;
            pipe.write().close();
        }

        @Override
        public void close() {
            pipe.close();
        }
    }

    /// @param given stays the caller's to close, after this
    public SharedFile(Fd given, Stop stop) {
        this.given = given;
        this.stop = stop;
        FileStatus status = FileSystem.status(given);
        socket = status.isSocket();
        again = status.isPipe() || Terminal.isTerminal(given) ? openAgain(given) : null;
    }

    /// Fails for a pipe that nobody reads, whose writers do not wait, and for a terminal of another process's by the
    /// name /dev/tty.
    private static @Nullable Fd openAgain(Fd given) {
        int mode = (int) Native.check("fcntl F_GETFL", Native.raw(Nr.FCNTL, given.number(), F_GETFL)) & O_ACCMODE;
        try {
            return FileSystem.open(
                    "/proc/self/fd/" + given.number(), mode | FileSystem.O_NONBLOCK | FileSystem.O_NOCTTY);
        } catch (ErrnoException e) {
            return null;
        }
    }

    /// Returns a stream that reads it. Closing that stream closes nothing.
    public InputStream input() {
        return new Input();
    }

    /// Returns a stream that writes it. Closing that stream closes nothing.
    public OutputStream output() {
        return new Output();
    }

    private final class Input extends InputStream implements HoldsThread {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            Objects.checkFromIndexSize(from, length, bytes.length);
            return length == 0 ? 0 : SharedFile.this.read(bytes, from, Math.min(MOST, length));
        }

        @Override
        public int available() throws IOException {
            enter();
            try {
                return Math.max(0, Pipes.available(given));
            } catch (ErrnoException e) {
                return 0; // neither a pipe nor a terminal
            } finally {
                leave();
            }
        }
    }

    private final class Output extends OutputStream implements HoldsThread {
        @Override
        public void write(int one) throws IOException {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            Objects.checkFromIndexSize(from, length, bytes.length);
            for (int done = 0; done < length; ) {
                done += SharedFile.this.write(bytes, from + done, Math.min(MOST, length - done));
            }
        }
    }

    private int read(byte[] bytes, int from, int length) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(length);
            int count = (int) transfer(arena, POLLIN, memory, length);
            MemorySegment.copy(memory, JAVA_BYTE, 0, bytes, from, count);
            return count == 0 ? -1 : count;
        }
    }

    private int write(byte[] bytes, int from, int length) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(length);
            MemorySegment.copy(bytes, from, memory, JAVA_BYTE, 0, length);
            return (int) transfer(arena, POLLOUT, memory, length);
        }
    }

    private long transfer(Arena arena, short event, MemorySegment memory, int length) throws IOException {
        enter();
        try {
            while (true) {
                if (again == null && !socket) {
                    await(arena, event);
                }
                long count = call(event, memory, length);
                if (count >= 0) {
                    return count;
                }
                if (count == -Errno.EAGAIN) {
                    await(arena, event); // of a file that was given without waiting, too
                } else if (count != -Errno.EINTR) {
                    throw new IOException(Native.words((int) -count));
                }
            }
        } finally {
            leave();
        }
    }

    private long call(short event, MemorySegment memory, int length) {
        Fd file = again == null ? given : again;
        if (socket) {
            return event == POLLIN
                    ? Native.raw(Nr.RECVFROM, file.number(), memory.address(), length, MSG_DONTWAIT, 0, 0)
                    : Native.raw(Nr.SENDTO, file.number(), memory.address(), length, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
        }
        return Native.raw(event == POLLIN ? Nr.READ : Nr.WRITE, file.number(), memory.address(), length);
    }

    /// Regular files are always ready; poll(2).
    private void await(Arena arena, short event) throws IOException {
        MemorySegment both = arena.allocate(2 * POLLFD, 4);
        both.set(JAVA_INT, 0, (again == null ? given : again).number());
        both.set(JAVA_SHORT, 4, event);
        both.set(JAVA_INT, POLLFD, stop.pipe.read().number());
        both.set(JAVA_SHORT, POLLFD + 4, POLLIN);
        long ready = Native.raw(Nr.PPOLL, both.address(), 2, 0, 0, 0, 0);
        if (ready < 0 && ready != -Errno.EINTR) {
            Native.check("ppoll", ready);
        }
        if (both.get(JAVA_SHORT, POLLFD + 6) != 0) {
            throw new IOException(ENDED);
        }
    }

    private synchronized void enter() throws IOException {
        if (closed || stop.stopped) {
            throw new IOException(ENDED);
        }
        calls++;
    }

    private synchronized void leave() {
        calls--;
        notifyAll();
    }

    /// Waits until nobody is in a call any more, so that no number is used that belongs to another file by then.
    /// [Stop#stop] comes before.
    @Override
    public void close() {
        boolean interrupted = false;
        synchronized (this) {
            closed = true;
            while (calls > 0) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (again != null) {
            again.close();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
