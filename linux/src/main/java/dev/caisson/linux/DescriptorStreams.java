package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/// Both directions of a connected socket whose calls never wait. Input is read ahead. [#close] may be called by any
/// thread, and wakes those that read and write.
final class DescriptorStreams implements AutoCloseable {
    /// Those of a socket that is not connected.
    static final DescriptorStreams NONE = new DescriptorStreams(() -> 0);

    private static final int BUFFER = 32_768;
    /// Buffers of sockets that are closed. Nothing but what went over a connection was in them.
    private static final Queue<MemorySegment> IDLE = new ConcurrentLinkedQueue<>();

    private final IntSupplier timeout;
    private final @Nullable Fd reading;
    /// The same open file, so that one thread can wait for each direction.
    private final @Nullable Fd writing;

    private final Input input;
    private final Output output;
    private volatile boolean closed;

    private DescriptorStreams(IntSupplier timeout) {
        this.timeout = timeout;
        reading = null;
        writing = null;
        closed = true;
        input = new Input(null);
        output = new Output(null);
    }

    /// @param socket owned by this from then on
    /// @param timeout of a read in milliseconds, 0 for none
    DescriptorStreams(Fd socket, IntSupplier timeout) {
        this.timeout = timeout;
        reading = socket;
        writing = socket.duplicate();
        input = new Input(new SocketWait(socket, false));
        output = new Output(new SocketWait(writing, true));
    }

    InputStream input() {
        return input;
    }

    OutputStream output() {
        return output;
    }

    private static MemorySegment buffer() {
        MemorySegment idle = IDLE.poll();
        return idle == null ? Arena.global().allocate(BUFFER, 64) : idle;
    }

    private Fd open(@Nullable Fd fd) throws SocketException {
        if (closed || fd == null) {
            throw new SocketException("Socket closed");
        }
        return fd;
    }

    void endWriting() {
        if (writing != null && !closed) {
            output.end(writing);
        }
    }

    void noDelay(boolean set) throws SocketException {
        if (set) {
            output.noDelay(open(writing));
        }
    }

    InetSocketAddress localAddress() throws SocketException {
        return InternetSockets.localAddress(open(reading));
    }

    @Override
    public void close() {
        closed = true;
        if (reading == null || writing == null) {
            return;
        }
        synchronized (this) {
            if (reading.isOpen()) {
                Sockets.hangUp(reading); // wakes who waits for it
                input.close(reading);
                output.close(writing);
            }
        }
    }

    private final class Input extends InputStream {
        private final @Nullable SocketWait wait;
        private final ReentrantLock lock = new ReentrantLock();
        private @Nullable MemorySegment buffer;
        private int at;
        private int end;

        Input(@Nullable SocketWait wait) {
            this.wait = wait;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, into.length);
            if (length == 0) {
                return 0;
            }
            lock.lock();
            try {
                if (at == end && !fill()) {
                    return -1;
                }
                int count = Math.min(length, end - at);
                MemorySegment.copy(Objects.requireNonNull(buffer), JAVA_BYTE, at, into, offset, count);
                at += count;
                return count;
            } finally {
                lock.unlock();
            }
        }

        private boolean fill() throws IOException {
            if (buffer == null) {
                open(reading);
                buffer = buffer();
            }
            while (true) {
                Fd fd = open(reading);
                long count = Native.raw(Nr.READ, fd.number(), buffer.address(), BUFFER);
                if (count >= 0) {
                    at = 0;
                    end = (int) count;
                    return count > 0;
                }
                if (count == -Errno.EAGAIN) {
                    Objects.requireNonNull(wait).await(timeout.getAsInt());
                } else if (count != -Errno.EINTR) {
                    throw new SocketException(new ErrnoException("read", (int) -count).getMessage());
                }
            }
        }

        @Override
        public int available() {
            return end - at;
        }

        private void close(Fd fd) {
            lock.lock();
            try {
                fd.close();
                if (buffer != null) {
                    IDLE.add(buffer);
                    buffer = null;
                    at = 0;
                    end = 0;
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private final class Output extends OutputStream {
        private final @Nullable SocketWait wait;
        private final ReentrantLock lock = new ReentrantLock();
        private @Nullable MemorySegment buffer;

        Output(@Nullable SocketWait wait) {
            this.wait = wait;
        }

        @Override
        public void write(int one) throws IOException {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, from.length);
            lock.lock();
            try {
                open(writing);
                if (buffer == null) {
                    buffer = buffer();
                }
                for (int done = 0; done < length; ) {
                    int piece = Math.min(length - done, BUFFER);
                    MemorySegment.copy(from, offset + done, buffer, JAVA_BYTE, 0, piece);
                    drain(buffer, piece);
                    done += piece;
                }
            } finally {
                lock.unlock();
            }
        }

        private void drain(MemorySegment from, int length) throws IOException {
            for (int done = 0; done < length; ) {
                Fd fd = open(writing);
                long count = Native.raw(
                        Nr.SENDTO, fd.number(), from.address() + done, length - done, Sockets.MSG_NOSIGNAL, 0, 0);
                if (count >= 0) {
                    done += (int) count;
                } else if (count == -Errno.EAGAIN) {
                    Objects.requireNonNull(wait).await(0);
                } else if (count != -Errno.EINTR) {
                    throw new SocketException(new ErrnoException("send", (int) -count).getMessage());
                }
            }
        }

        private void end(Fd fd) {
            lock.lock();
            try {
                if (fd.isOpen()) {
                    InternetSockets.endWriting(fd);
                }
            } finally {
                lock.unlock();
            }
        }

        private void noDelay(Fd fd) throws SocketException {
            lock.lock();
            try {
                open(fd);
                InternetSockets.noDelay(fd);
            } catch (ErrnoException e) {
                throw new SocketException(e.getMessage());
            } finally {
                lock.unlock();
            }
        }

        private void close(Fd fd) {
            lock.lock();
            try {
                fd.close();
                if (buffer != null) {
                    IDLE.add(buffer);
                    buffer = null;
                }
            } finally {
                lock.unlock();
            }
        }
    }
}
