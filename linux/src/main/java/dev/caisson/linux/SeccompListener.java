package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The end of a seccomp filter that is asked about calls, seccomp_unotify(2). While a call is being answered its caller
/// waits; when the last descriptor of a listener closes, every call that would be asked about fails with ENOSYS.
public final class SeccompListener implements AutoCloseable {
    /// A call that waits for an answer.
    ///
    /// @param id by which it is answered
    /// @param pid of the calling thread, as this process sees it
    /// @param architecture an `AUDIT_ARCH_…`
    /// @param arguments six whole registers
    public record Call(long id, int pid, int number, int architecture, long instructionPointer, List<Long> arguments) {}

    /// The state of a listener.
    public enum State {
        WAITING,
        NOTHING,
        /// Nobody is left under the filter.
        ENDED
    }

    private static final String LINK = "anon_inode:seccomp notify";
    private static final long RECEIVE = 0xc0502100L;
    private static final long SEND = 0xc0182101L;
    private static final long IS_VALID = 0x40082102L;
    private static final int CALL_SIZE = 80;
    private static final int ANSWER_SIZE = 24;
    private static final int CONTINUE = 1;
    private static final short POLLIN = 1;
    private static final short POLLHUP = 16;

    private final Fd fd;
    /// For one thread at a time: a question is answered in microseconds, and memory for each would cost as much.
    private final MemorySegment memory = Arena.ofAuto().allocate(CALL_SIZE + ANSWER_SIZE + 24, 8);

    private final MemorySegment call = memory.asSlice(0, CALL_SIZE);
    private final MemorySegment answer = memory.asSlice(CALL_SIZE, ANSWER_SIZE);
    private final MemorySegment poll = memory.asSlice(CALL_SIZE + ANSWER_SIZE, 8);
    private final MemorySegment atOnce = memory.asSlice(CALL_SIZE + ANSWER_SIZE + 8, 16);

    private SeccompListener(Fd fd) {
        this.fd = fd;
    }

    /// Takes the listener that a process holds, pidfd_getfd(2); empty where it holds none or is gone.
    public static Optional<SeccompListener> of(int pid) {
        try (Fd process = Processes.open(pid);
                DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
            for (Path descriptor : descriptors) {
                if (Files.readSymbolicLink(descriptor).toString().equals(LINK)) {
                    int number = Integer.parseInt(descriptor.getFileName().toString());
                    return Optional.of(new SeccompListener(
                            Fd.of("pidfd_getfd", Native.raw(Nr.PIDFD_GETFD, process.number(), number, 0))));
                }
            }
            return Optional.empty();
        } catch (DirectoryIteratorException e) {
            return gone(java.util.Objects.requireNonNull(e.getCause()));
        } catch (IOException e) {
            return gone(e);
        } catch (ErrnoException e) {
            if (e.is(Errno.ESRCH) || e.is(Errno.EBADF)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Takes a listener whose descriptor came in a message.
    public static SeccompListener of(Fd taken) {
        return new SeccompListener(taken);
    }

    /// A process that ends while it is looked at gives each of ENOENT, ESRCH and, once its memory is gone,
    /// EACCES.
    private static Optional<SeccompListener> gone(IOException e) {
        boolean ended = e instanceof NoSuchFileException
                || e instanceof AccessDeniedException
                || (e instanceof FileSystemException file && "No such process".equals(file.getReason()));
        if (ended) {
            return Optional.empty();
        }
        throw new UncheckedIOException(e);
    }

    public Fd fd() {
        return fd;
    }

    /// True if [#receive] would give a call now.
    public synchronized State state() {
        poll.set(JAVA_INT, 0, fd.number());
        poll.set(JAVA_SHORT, 4, POLLIN);
        poll.set(JAVA_SHORT, 6, (short) 0);
        Native.check("ppoll", Native.raw(Nr.PPOLL, poll.address(), 1, atOnce.address(), 0, 0, 0));
        short ready = poll.get(JAVA_SHORT, 6);
        return (ready & POLLIN) != 0 ? State.WAITING : (ready & POLLHUP) != 0 ? State.ENDED : State.NOTHING;
    }

    /// The next call. To be asked for only where one is waiting: it waits for one otherwise.
    /// @return empty where the caller has been killed meanwhile
    public synchronized Optional<Call> receive() {
        call.fill((byte) 0); // the kernel wants it so
        long result = Native.raw(Nr.IOCTL, fd.number(), RECEIVE, call.address());
        if (result == -Errno.ENOENT || result == -Errno.EINTR) {
            return Optional.empty();
        }
        Native.check("ioctl SECCOMP_IOCTL_NOTIF_RECV", result);
        return Optional.of(new Call(
                call.get(JAVA_LONG, 0),
                call.get(JAVA_INT, 8),
                call.get(JAVA_INT, 16),
                call.get(JAVA_INT, 20),
                call.get(JAVA_LONG, 24),
                List.of(
                        call.get(JAVA_LONG, 32),
                        call.get(JAVA_LONG, 40),
                        call.get(JAVA_LONG, 48),
                        call.get(JAVA_LONG, 56),
                        call.get(JAVA_LONG, 64),
                        call.get(JAVA_LONG, 72))));
    }

    /// True if the caller still waits, so that what was read of its process meanwhile is of its process.
    public boolean isWaiting(Call call) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment id = arena.allocateFrom(JAVA_LONG, call.id());
            return control(IS_VALID, id) == 0;
        }
    }

    /// Lets the call fail; nothing where the caller has been killed.
    public void refuse(Call call, int errno) {
        answer(call, -errno, 0);
    }

    /// Lets the kernel carry the call out. No decision may rest on what was seen of the arguments' memory: it can have
    /// changed.
    public void letPass(Call call) {
        answer(call, 0, CONTINUE);
    }

    private synchronized void answer(Call asked, int error, int flags) {
        answer.fill((byte) 0);
        answer.set(JAVA_LONG, 0, asked.id());
        answer.set(JAVA_INT, 16, error);
        answer.set(JAVA_INT, 20, flags);
        long result = control(SEND, answer);
        if (result != -Errno.ENOENT) {
            Native.check("ioctl SECCOMP_IOCTL_NOTIF_SEND", result);
        }
    }

    /// The kernel waits for the filter's lock, and a signal can end that wait before anything has been done.
    private long control(long request, MemorySegment argument) {
        long result;
        do {
            result = Native.raw(Nr.IOCTL, fd.number(), request, argument.address());
        } while (result == -Errno.EINTR);
        return result;
    }

    @Override
    public void close() {
        fd.close();
    }
}
