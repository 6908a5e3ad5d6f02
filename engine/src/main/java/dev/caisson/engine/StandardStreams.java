package dev.caisson.engine;

import dev.caisson.cgroup.CpuPace;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Reactor;
import dev.caisson.secret.Redaction;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.CpuQuota;
import dev.caisson.state.ContainerLog;
import dev.caisson.state.KeptRun;
import dev.caisson.state.LogEntry;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// The standard streams of one container, between its pipes or terminal and what the caller wants of
/// them. The program never gets a descriptor of the caller's own: a terminal or file of the host stays
/// out of its reach.
final class StandardStreams {
    /// The resources that an engine's containers share.
    record Shared(Reactor reactor, StreamThreads threads, CaptureBudget budget) {}

    /// The bounds of a program's streams.
    ///
    /// @param terminal whether it has one
    /// @param output most that it may write
    /// @param quota of the container, which the engine's work for it keeps to
    record Bounds(boolean terminal, Bytes output, Optional<CpuQuota> quota) {
        static Bounds of(ContainerSpec spec) {
            return new Bounds(
                    spec.terminal().isPresent(),
                    spec.outputLimit(),
                    spec.limits().cpuQuota());
        }
    }

    /// A program opens its streams by name, as /dev/stdout, also after it has changed its user. Nobody
    /// else can: a pipe has no name but /proc/PID/fd of a process that holds it, which follows only for
    /// those who may trace that process (proc(5)). Whoever holds an end could read or write it anyway.
    private static final int READ_BY_HOLDERS = 0644;

    private static final int WRITTEN_BY_HOLDERS = 0622;

    private final Shared shared;
    private final Streams wanted;
    private final Optional<KeptRun> kept;
    private final boolean terminal;
    private final OutputLimit limit;
    private final CpuPace pace;
    private final Streams.Input input;
    private final List<Fd> theirs = new ArrayList<>();
    private final List<Fd> ours = new ArrayList<>();
    private final List<OutputPump> pumps = new ArrayList<>();
    private final List<CapturedBytes> captured = new ArrayList<>();
    private final List<Reactor.Timer> cuts = new ArrayList<>();
    private boolean closed;
    private Optional<Redaction> redaction = Optional.empty();
    private @Nullable InputPump feed;
    private @Nullable Fd console;

    private StandardStreams(Shared shared, Bounds bounds, Streams wanted, Optional<KeptRun> kept) {
        this.shared = shared;
        this.kept = kept;
        this.terminal = bounds.terminal();
        this.wanted = wanted instanceof Streams.Kept outer ? outer.live() : wanted;
        this.limit = new OutputLimit(limit(this.wanted, bounds.output()));
        this.pace = new CpuPace(bounds.quota());
        this.input = input(this.wanted);
    }

    private static Bytes limit(Streams wanted, Bytes ofSpec) {
        return wanted instanceof Streams.Copy copy && copy.limit().compareTo(ofSpec) < 0 ? copy.limit() : ofSpec;
    }

    private static Streams.Input input(Streams wanted) {
        return switch (wanted) {
            case Streams.Capture capture -> capture.input();
            case Streams.Copy copy ->
                copy.input().<Streams.Input>map(Streams.Input.Stream::new).orElseGet(Streams.Input.None::new);
            case Streams.Kept _ -> throw new IllegalStateException("replaced when they were opened");
        };
    }

    /// @param owner host id of the program's user, who may then open /dev/stdout again
    /// @param kept takes what is written, where the streams say so
    static StandardStreams open(Shared shared, Bounds bounds, Streams wanted, int owner, Optional<KeptRun> kept) {
        var streams = new StandardStreams(shared, bounds, wanted, kept);
        try {
            streams.openPipes(owner);
            return streams;
        } catch (RuntimeException | Error e) {
            streams.close();
            throw e;
        }
    }

    private void openPipes(int owner) {
        if (terminal) {
            for (int i = 0; i <= 2; i++) {
                theirs.add(FileSystem.open("/dev/null", FileSystem.O_RDWR));
            }
            return;
        }
        if (hasInput()) {
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

    private boolean hasInput() {
        return !(input instanceof Streams.Input.None);
    }

    /// Takes values of secrets out of what the caller gets.
    /// @param wanted closed with this
    void redact(Optional<Redaction> wanted) {
        redaction = wanted;
    }

    /// Returns the descriptors that become the program's 0, 1 and 2.
    List<Fd> theirs() {
        return List.copyOf(theirs);
    }

    void closeTheirs() {
        theirs.forEach(Fd::close);
    }

    void console(Optional<Fd> master) {
        console = master.orElse(null);
    }

    /// Returns the CPU time that the engine may spend on this container.
    CpuPace pace() {
        return pace;
    }

    /// @param done called when a stream of output has come to its end
    /// @param overLimit called when more was written than is taken
    void begin(Runnable done, Runnable overLimit) {
        var with = new OutputPump.Surroundings(shared.reactor(), shared.threads(), pace, limit, overLimit, done);
        if (terminal) {
            pumps.add(pump(StreamFailure.Stream.STDOUT, Objects.requireNonNull(console), with));
        } else {
            int first = hasInput() ? 1 : 0;
            pumps.add(pump(StreamFailure.Stream.STDOUT, ours.get(first), with));
            pumps.add(pump(StreamFailure.Stream.STDERR, ours.get(first + 1), with));
        }
        pumps.forEach(OutputPump::begin);
        if (hasInput()) {
            feed = terminal
                    ? new InputPump(
                            shared.reactor(), Objects.requireNonNull(console).duplicate(), true)
                    : new InputPump(shared.reactor(), ours.getFirst(), false);
            feed.begin(input, shared.threads());
        }
    }

    private OutputPump pump(StreamFailure.Stream stream, Fd from, OutputPump.Surroundings with) {
        var sinks = new ArrayList<OutputPump.Sink>();
        Optional<Executor> threads = Optional.empty();
        if (kept.isPresent()) { // first, as whoever takes the output may be slow
            ContainerLog log = kept.get().log();
            LogEntry.Stream name =
                    stream == StreamFailure.Stream.STDERR ? LogEntry.Stream.STDERR : LogEntry.Stream.STDOUT;
            sinks.add((bytes, count) -> log.write(name, bytes, count));
            threads = Optional.of(shared.threads().ofDisk());
        }
        if (wanted instanceof Streams.Copy copy) {
            OutputStream to = stream == StreamFailure.Stream.STDERR ? copy.errors() : copy.output();
            sinks.add(redacted(new CallersStream(to)));
            threads = threads.or(() -> Optional.of(shared.threads().of(to)));
        } else {
            var memory = new CapturedBytes(shared.budget(), with.overLimit());
            captured.add(memory);
            sinks.add(redacted(memory));
        }
        return new OutputPump(stream, from, terminal, with, threads, sinks);
    }

    private OutputPump.Sink redacted(OutputPump.Sink sink) {
        return redaction
                .filter(all -> !all.isEmpty())
                .<OutputPump.Sink>map(all -> new RedactedSink(all.stream(), sink))
                .orElse(sink);
    }

    /// Nobody of the container is left: what is in its pipes is read, and no more.
    void containerGone() {
        if (feed != null) {
            feed.close();
        }
        pumps.forEach(OutputPump::containerGone);
    }

    /// Drops what is not taken after some time.
    void cutAfter(Duration grace) {
        synchronized (cuts) {
            if (!closed) {
                cuts.add(
                        shared.reactor().at(System.nanoTime() + grace.toNanos(), () -> pumps.forEach(OutputPump::cut)));
            }
        }
    }

    boolean isQuiet() {
        return pumps.stream().allMatch(OutputPump::isDone);
    }

    RunResult.Captured output() {
        return captured(0);
    }

    RunResult.Captured errors() {
        return captured(1);
    }

    private RunResult.Captured captured(int index) {
        return index < captured.size() ? captured.get(index).captured() : RunResult.Captured.NOTHING;
    }

    /// Returns what was lost, in the order of the streams.
    List<StreamFailure> failures() {
        var failures = new ArrayList<StreamFailure>();
        if (feed != null) {
            feed.failure().ifPresent(failures::add);
        }
        pumps.forEach(pump -> pump.failure().ifPresent(failures::add));
        return failures;
    }

    /// Returns the retained run of the container, if any.
    Optional<KeptRun> kept() {
        return kept;
    }

    void close() {
        synchronized (cuts) {
            closed = true;
            cuts.forEach(Reactor.Timer::cancel); // else the output would stay in memory until they are due
        }
        if (feed != null) {
            feed.close();
        }
        pumps.forEach(OutputPump::close);
        captured.forEach(CapturedBytes::release);
        theirs.forEach(Fd::close);
        ours.forEach(Fd::close);
        redaction.ifPresent(Redaction::close);
    }
}
