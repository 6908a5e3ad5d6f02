package dev.caisson.engine;

import dev.caisson.cgroup.Bytes;
import dev.caisson.engine.LogEntry.Stream;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Pipes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// The standard streams of one container, between its pipes or terminal and what the caller wants of
/// them. The program
/// never gets a descriptor of the caller's own: a terminal or file of the host stays out of its reach.
final class StandardStreams {
    private static final int CHUNK = 64 * 1024;
    /// A program opens its streams by name, as /dev/stdout, also after it has changed its user. Nobody else can: a pipe
    /// has no name but /proc/PID/fd of a process that holds it, which follows only for those who may trace that
    /// process (proc(5)). Whoever holds an end could read or write it anyway.
    private static final int READ_BY_HOLDERS = 0644;

    private static final int WRITTEN_BY_HOLDERS = 0622;

    private final Reactor reactor;
    private final Streams wanted;
    private final Optional<KeptRun> kept;
    private final boolean terminal;
    private final AtomicLong budget;
    private final List<Fd> theirs = new ArrayList<>();
    private final List<Fd> ours = new ArrayList<>();
    private final AtomicInteger open = new AtomicInteger();
    private @Nullable Capture output;
    private @Nullable Capture errors;
    private final ByteArrayOutputStream copiedOutput = new ByteArrayOutputStream();
    private final ByteArrayOutputStream copiedErrors = new ByteArrayOutputStream();
    private @Nullable Fd console;

    private StandardStreams(Reactor reactor, ContainerSpec spec, Streams wanted, Optional<KeptRun> kept) {
        this.reactor = reactor;
        this.kept = kept;
        this.terminal = spec.terminal().isPresent();
        this.wanted = wanted instanceof Streams.Kept outer ? beside(outer.live(), spec) : wanted;
        Bytes limit = this.wanted instanceof Streams.Copy copy ? copy.limit() : spec.outputLimit();
        this.budget = new AtomicLong(limit.count());
    }

    /// A log is written by the threads that copy: the reactor's must not wait for a disk.
    private Streams beside(Streams live, ContainerSpec spec) {
        return live instanceof Streams.Capture
                ? new Streams.Copy(Optional.empty(), copiedOutput, copiedErrors, spec.outputLimit())
                : live;
    }

    /// @param owner host id of the program's user, who may then open /dev/stdout again
    /// @param kept takes what is written, where the streams say so
    static StandardStreams open(
            Reactor reactor, ContainerSpec spec, Streams wanted, int owner, Optional<KeptRun> kept) {
        var streams = new StandardStreams(reactor, spec, wanted, kept);
        try {
            streams.openPipes(owner);
            return streams;
        } catch (RuntimeException e) {
            streams.close();
            throw e;
        }
    }

    private void openPipes(int owner) {
        boolean input = wanted instanceof Streams.Copy copy && copy.input().isPresent();
        if (terminal) {
            for (int i = 0; i <= 2; i++) {
                theirs.add(FileSystem.open("/dev/null", FileSystem.O_RDWR));
            }
            return;
        }
        if (input) {
            Pipes.Pipe pipe = Pipes.create();
            theirs.add(pipe.read());
            ours.add(pipe.write());
            FileSystem.changeOwner(pipe.read(), owner, owner);
            FileSystem.changeMode(pipe.read(), READ_BY_HOLDERS);
        } else {
            theirs.add(FileSystem.open("/dev/null", FileSystem.O_RDONLY));
        }
        for (int i = 1; i <= 2; i++) {
            Pipes.Pipe pipe = Pipes.create();
            theirs.add(pipe.write());
            ours.add(pipe.read());
            FileSystem.changeOwner(pipe.write(), owner, owner);
            FileSystem.changeMode(pipe.write(), WRITTEN_BY_HOLDERS);
        }
    }

    /// What becomes the program's 0, 1 and 2.
    List<Fd> theirs() {
        return List.copyOf(theirs);
    }

    void closeTheirs() {
        theirs.forEach(Fd::close);
    }

    void console(Optional<Fd> master) {
        console = master.orElse(null);
    }

    /// @param quiet called when nobody writes to a stream any more
    /// @param overBudget called when more was written than is kept
    void begin(Runnable quiet, Runnable overBudget) {
        switch (wanted) {
            case Streams.Capture _ -> capture(quiet, overBudget);
            case Streams.Copy copy -> copy(copy, quiet, overBudget);
            case Streams.Kept _ -> throw new IllegalStateException("replaced when they were opened");
        }
    }

    private void capture(Runnable quiet, Runnable overBudget) {
        Runnable atEnd = () -> {
            open.decrementAndGet();
            quiet.run();
        };
        if (terminal) {
            open.set(1);
            output = new Capture(reactor, java.util.Objects.requireNonNull(console), budget, overBudget, atEnd);
            output.begin();
            return;
        }
        open.set(2);
        output = new Capture(reactor, ours.get(0), budget, overBudget, atEnd);
        errors = new Capture(reactor, ours.get(1), budget, overBudget, atEnd);
        output.begin();
        errors.begin();
    }

    private void copy(Streams.Copy copy, Runnable quiet, Runnable overBudget) {
        if (terminal) {
            Fd master = java.util.Objects.requireNonNull(console);
            open.set(1);
            copy.input().ifPresent(input -> pump("input", () -> pumpInput(input, master, false)));
            pump("output", () -> pumpOutput(Stream.STDOUT, master, copy.output(), quiet, overBudget));
            return;
        }
        open.set(2);
        int first = copy.input().isPresent() ? 1 : 0;
        copy.input().ifPresent(input -> pump("input", () -> pumpInput(input, ours.get(0), true)));
        pump("output", () -> pumpOutput(Stream.STDOUT, ours.get(first), copy.output(), quiet, overBudget));
        pump("errors", () -> pumpOutput(Stream.STDERR, ours.get(first + 1), copy.errors(), quiet, overBudget));
    }

    private static void pump(String name, Runnable work) {
        Thread.ofPlatform().daemon().name("caisson-" + name).start(work);
    }

    private void pumpOutput(Stream stream, Fd from, OutputStream to, Runnable quiet, Runnable overBudget) {
        try {
            copyOutput(stream, from, to, overBudget);
            kept.ifPresent(run -> run.log().end(stream));
        } finally {
            open.decrementAndGet();
            quiet.run();
        }
    }

    private void copyOutput(Stream stream, Fd from, OutputStream to, Runnable overBudget) {
        byte[] chunk = new byte[CHUNK];
        boolean writable = true;
        int count;
        while ((count = Pipes.read(from, chunk)) > 0) {
            long left = budget.getAndAdd(-count);
            int taken = Math.clamp(left, 0, count);
            if (taken < count) {
                overBudget.run();
            }
            // First, as whoever takes the output may be slow.
            kept.ifPresent(run -> run.log().write(stream, chunk, taken));
            // Where nobody takes the output any more it is still read, so that the program does not hang.
            if (writable && taken > 0) {
                try {
                    to.write(chunk, 0, taken);
                    to.flush();
                } catch (IOException | RuntimeException e) {
                    writable = false;
                }
            }
        }
    }

    private static void pumpInput(InputStream from, Fd to, boolean closeAtEnd) {
        byte[] chunk = new byte[CHUNK];
        try {
            int count;
            while ((count = from.read(chunk)) > 0) {
                for (int done = 0; done < count; ) {
                    done += Pipes.write(to, chunk, done, count - done);
                }
            }
        } catch (IOException | IllegalStateException e) {
            // The caller's input or the container has ended: there is nothing left to copy.
            return;
        } catch (ErrnoException e) {
            if (!e.is(Errno.EPIPE) && !e.is(Errno.EIO) && !e.is(Errno.EBADF)) {
                throw e;
            }
            return;
        }
        if (closeAtEnd) {
            to.close();
        }
    }

    boolean isQuiet() {
        return open.get() == 0;
    }

    RunResult.Captured output() {
        return output == null ? new RunResult.Captured(copiedOutput.toByteArray()) : output.captured();
    }

    RunResult.Captured errors() {
        return errors == null ? new RunResult.Captured(copiedErrors.toByteArray()) : errors.captured();
    }

    /// What is kept of the container besides.
    Optional<KeptRun> kept() {
        return kept;
    }

    void close() {
        if (output != null) {
            output.close();
        }
        if (errors != null) {
            errors.close();
        }
        theirs.forEach(Fd::close);
        ours.forEach(Fd::close);
    }
}
