package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Waits for many descriptors in one thread: epoll(7), woken by an eventfd(2). Safe for use by several threads, except
/// [#await], which belongs to one.
public final class Polling implements AutoCloseable {
    /// A descriptor that is ready: the key it was watched with, and for what.
    public record Event(long key, boolean readable, boolean writable, boolean hangUp) {}

    private static final int EPOLL_CTL_ADD = 1;
    private static final int EPOLL_CTL_DEL = 2;
    private static final int EPOLL_CTL_MOD = 3;
    private static final int EPOLLONESHOT = 1 << 30;
    private static final int EPOLLIN = 0x1;
    private static final int EPOLLOUT = 0x4;
    private static final int EPOLLERR = 0x8;
    private static final int EPOLLHUP = 0x10;
    private static final int EPOLL_CLOEXEC = 02000000;
    private static final int EFD_CLOEXEC_NONBLOCK = 02000000 | 04000;
    private static final int MAX_EVENTS = 64;
    /// struct epoll_event is packed on x86_64 only.
    static final int EVENT_SIZE = Nr.architecture().equals("x86_64") ? 12 : 16;

    static final int EVENT_DATA = EVENT_SIZE - 8;
    private static final long WAKE = -1;

    private final Fd epoll;
    private final Fd wake;

    public Polling() {
        epoll = Fd.of("epoll_create1", Native.raw(Nr.EPOLL_CREATE1, EPOLL_CLOEXEC));
        wake = Fd.of("eventfd2", Native.raw(Nr.EVENTFD2, 0, EFD_CLOEXEC_NONBLOCK));
        control(EPOLL_CTL_ADD, wake, EPOLLIN, WAKE);
        ShutdownWake.add(this);
    }

    /// Watches `fd` until it can be read or its other end is closed. `key` is not negative and comes back in [Event].
    public void watchReadable(Fd fd, long key) {
        control(EPOLL_CTL_ADD, fd, EPOLLIN, key);
    }

    public void watchWritable(Fd fd, long key) {
        control(EPOLL_CTL_ADD, fd, EPOLLOUT, key);
    }

    /// Watches `fd` for one event, after which it is silent until the next call.
    ///
    /// @param again true if it has been watched before
    void watchOnce(Fd fd, long key, boolean writable, boolean again) {
        control(again ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, (writable ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT, key);
    }

    public void forget(Fd fd) {
        control(EPOLL_CTL_DEL, fd, 0, 0);
    }

    private void control(int operation, Fd fd, int events, long key) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(EVENT_SIZE, 8);
            event.set(JAVA_INT, 0, events);
            event.set(JAVA_LONG_UNALIGNED, EVENT_DATA, key);
            Native.check(
                    "epoll_ctl", Native.raw(Nr.EPOLL_CTL, epoll.number(), operation, fd.number(), event.address()));
        }
    }

    /// Waits until something is ready, [#wake] is called or `millis` have gone by; -1 waits for ever.
    /// While the JVM shuts down it may return sooner, with nothing.
    public List<Event> await(int millis) {
        if (!ShutdownWake.hasBegun()) {
            return poll(millis);
        }
        List<Event> ready = poll(0);
        if (ready.isEmpty()) {
            ShutdownWake.pause(millis);
        }
        return ready;
    }

    private List<Event> poll(int millis) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate((long) EVENT_SIZE * MAX_EVENTS, 8);
            long count = Native.raw(Nr.EPOLL_PWAIT, epoll.number(), buffer.address(), MAX_EVENTS, millis, 0, 8);
            if (count == -Errno.EINTR) {
                return List.of();
            }
            Native.check("epoll_pwait", count);
            var ready = new ArrayList<Event>();
            for (int i = 0; i < count; i++) {
                int events = buffer.get(JAVA_INT_UNALIGNED, (long) EVENT_SIZE * i);
                long key = buffer.get(JAVA_LONG_UNALIGNED, (long) EVENT_SIZE * i + EVENT_DATA);
                if (key == WAKE) {
                    drainWake(arena);
                } else {
                    ready.add(new Event(
                            key,
                            (events & EPOLLIN) != 0,
                            (events & EPOLLOUT) != 0,
                            (events & (EPOLLHUP | EPOLLERR)) != 0));
                }
            }
            return ready;
        }
    }

    private void drainWake(Arena arena) {
        MemorySegment counter = arena.allocate(JAVA_LONG);
        Native.raw(Nr.READ, wake.number(), counter.address(), 8);
    }

    /// Makes [#await] return. Does nothing once it is closed.
    public synchronized void wake() {
        if (!wake.isOpen()) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(JAVA_LONG);
            one.set(JAVA_LONG, 0, 1);
            Native.raw(Nr.WRITE, wake.number(), one.address(), 8);
        }
    }

    @Override
    public synchronized void close() {
        ShutdownWake.remove(this);
        epoll.close();
        wake.close();
    }
}
