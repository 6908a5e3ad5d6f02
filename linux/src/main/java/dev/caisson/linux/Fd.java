package dev.caisson.linux;

import java.util.concurrent.atomic.AtomicInteger;

/// An open file descriptor that this process owns. Closed once: a second [#close] does nothing, so that a number
/// which the kernel has given to somebody else is never closed by mistake.
public final class Fd implements AutoCloseable {
    private static final int CLOSED = -1;
    private static final int F_DUPFD_CLOEXEC = 1030;

    private final AtomicInteger number;

    /// Takes ownership of `number`.
    public Fd(int number) {
        if (number < 0) {
            throw new IllegalArgumentException("not a file descriptor: " + number);
        }
        this.number = new AtomicInteger(number);
    }

    static Fd of(String call, long result) {
        return new Fd((int) Native.check(call, result));
    }

    /// The number, for a system call.
    /// @throws IllegalStateException after [#close]
    public int number() {
        int current = number.get();
        if (current == CLOSED) {
            throw new IllegalStateException("file descriptor is closed");
        }
        return current;
    }

    public boolean isOpen() {
        return number.get() != CLOSED;
    }

    /// Returns a second descriptor of the same open file, close-on-exec; fcntl(2).
    public Fd duplicate() {
        return of("fcntl F_DUPFD_CLOEXEC", Native.raw(Nr.FCNTL, number(), F_DUPFD_CLOEXEC, 0));
    }

    /// Hands the number to the caller, who then owns it.
    public int release() {
        int current = number.getAndSet(CLOSED);
        if (current == CLOSED) {
            throw new IllegalStateException("file descriptor is closed");
        }
        return current;
    }

    /// close(2). Its errors are not told: on Linux the descriptor is gone whatever it returns.
    @Override
    public void close() {
        int current = number.getAndSet(CLOSED);
        if (current != CLOSED) {
            Native.raw(Nr.CLOSE, current);
        }
    }

    @Override
    public String toString() {
        return "fd " + number.get();
    }
}
