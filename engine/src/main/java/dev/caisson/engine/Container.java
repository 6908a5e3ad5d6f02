package dev.caisson.engine;

import dev.caisson.cgroup.Bytes;
import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.Events;
import dev.caisson.cgroup.KernelSetting;
import dev.caisson.cgroup.Lack;
import dev.caisson.cgroup.Limits;
import dev.caisson.cgroup.Meter;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.launch.ContainerId;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.IdRanges;
import dev.caisson.launch.LaunchException;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Launcher;
import dev.caisson.launch.Step;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Terminal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;
import org.jspecify.annotations.Nullable;

/// A container that runs, until its program has ended and everything of it is removed.
public final class Container {
    private static final int SIGKILL = 9;

    private final Engine engine;
    private final ContainerId id;
    private final ContainerSpec spec;
    private final LaunchPlan plan;
    private final Cgroup group;
    private final IdRanges.Lease lease;
    private final Launcher.Launched launched;
    private final StandardStreams streams;
    private final InitWatch init;
    private final long startTime;
    private final CountDownLatch recorded = new CountDownLatch(1);

    private final AtomicReference<@Nullable Verdict> cause = new AtomicReference<>();
    private final Deadlines deadlines;
    private final AtomicInteger waiting = new AtomicInteger();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final CompletableFuture<RunResult> result = new CompletableFuture<>();
    private final AtomicReference<@Nullable Thread> finisher = new AtomicReference<>();
    private final @Nullable ContainerEvent event;
    private @Nullable ContainerRecord record;
    private @Nullable Meter meter;
    private long startedNanos;
    private volatile Optional<DenialLog> denials = Optional.empty();
    private volatile boolean started;

    Container(
            Engine engine,
            ContainerId id,
            ContainerSpec spec,
            LaunchPlan plan,
            Cgroup group,
            IdRanges.Lease lease,
            Launcher.Launched launched,
            StandardStreams streams) {
        this.engine = engine;
        this.id = id;
        this.spec = spec;
        this.plan = plan;
        this.group = group;
        this.lease = lease;
        this.launched = launched;
        this.streams = streams;
        this.event = FlightRecorder.isInitialized()
                ? ContainerEvent.begin(
                        id.value(), spec.name().orElse(""), spec.image().toString())
                : null;
        this.startTime = ProcessTimes.startTime(launched.pid());
        this.init = new InitWatch(launched, plan, engine::initPaused, this::endIfQuiet);
        this.deadlines = new Deadlines(group, () -> ended.isDone() || init.hasEnded(), this::end);
    }

    public ContainerId id() {
        return id;
    }

    /// Empty where it was given none.
    public Optional<String> name() {
        return spec.name();
    }

    /// The image as it was asked for.
    public String image() {
        return spec.image().toString();
    }

    /// Of its process 1, as this process sees it.
    public int pid() {
        return launched.pid();
    }

    public LaunchPlan plan() {
        return plan;
    }

    /// How long init took for each phase, in microseconds.
    public List<Integer> phaseMicros() {
        return launched.phaseMicros();
    }

    /// Sends a signal to the program; false where it has ended.
    public boolean signal(int number) {
        return launched.pidfd().isOpen() && Processes.signal(launched.pidfd(), number);
    }

    /// Ends every process of it at once.
    public void kill() {
        end(Verdict.KILLED);
    }

    /// Changes its limits while it runs; all of them are replaced, as [ContainerSpec#limits] sets them.
    /// Those of devices and single disks stay.
    /// @throws dev.caisson.cgroup.CgroupException with the former limits in force
    /// @throws EngineException CONTAINER_NOT_RUNNING before its start and after its end
    public void update(Limits limits) {
        synchronized (group) {
            ContainerRecord known = record;
            if (known == null || finisher.get() != null) {
                throw notRunning();
            }
            group.update(
                    limits, known.settings().stream().map(KernelSetting::parse).toList());
            record = known.limited(group, limits);
            engine.save(record);
        }
    }

    private EngineException notRunning() {
        return new EngineException(
                "CONTAINER_NOT_RUNNING",
                "the container " + id.shortForm() + (init.hasEnded() ? " has ended" : " is not started yet"));
    }

    /// Stops every process of it, until [#resume]. Its deadlines go on.
    /// @throws dev.caisson.cgroup.CgroupException BUSY where some process does not stop; then all run on
    /// @throws EngineException CONTAINER_NOT_RUNNING after its end
    public void pause() {
        try {
            group.pause(() -> cause.get() != null);
        } catch (CgroupException e) {
            throw e.reason() == CgroupException.Code.NO_SUCH_GROUP && init.hasEnded() ? notRunning() : e;
        }
        if (cause.get() != null) {
            group.resume();
        }
    }

    /// Lets it run on.
    public void resume() {
        group.resume();
    }

    public boolean isPaused() {
        return group.isPaused();
    }

    /// What it has used so far.
    /// @throws dev.caisson.cgroup.CgroupException NO_SUCH_GROUP when it is gone
    public ContainerUsage usage() {
        synchronized (group) { // not while the group is removed
            Meter known = meter;
            if (known == null) {
                known = group.meter();
                meter = known;
            }
            return new ContainerUsage(known.read(), WritableUse.of(pid()));
        }
    }

    /// Limits that were asked for with best effort and that nothing enforces.
    public List<Lack> unenforced() {
        return group.lacks();
    }

    /// Why its log has not all that it said, where one is kept and that is so.
    public Optional<String> logFailure() {
        return streams.kept().flatMap(run -> run.log().failure());
    }

    /// Changes the size of its terminal; nothing where it has none.
    public void resize(Terminal.Size size) {
        launched.console().filter(console -> console.isOpen()).ifPresent(console -> Terminal.resize(console, size));
    }

    /// Waits until the program has ended and everything of it is removed.
    /// @throws LaunchException where the program could not be run after all
    public RunResult await() throws InterruptedException {
        awaitEnd();
        finish();
        try {
            return result.get();
        } catch (java.util.concurrent.ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("the container could not be cleared up", e.getCause());
        }
    }

    /// Who waits here also clears up, so that nobody else need be woken; who gives up waiting leaves that
    /// to others.
    private void awaitEnd() throws InterruptedException {
        waiting.incrementAndGet();
        try {
            ended.get();
        } catch (java.util.concurrent.ExecutionException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            waiting.decrementAndGet();
            if (ended.isDone()) {
                engine.ended(this);
            }
            throw e;
        }
    }

    /// From here on the reactor tells what happens.
    void watch(Reactor reactor) {
        init.begin(reactor);
        startedNanos = System.nanoTime();
        streams.begin(this::endIfQuiet, () -> end(Verdict.OUTPUT));
        deadlines.begin(reactor, startedNanos, spec);
    }

    /// Lets init run the program. An init that has died since it stood is told of by its pidfd, as any end.
    void start() {
        try {
            launched.start();
        } catch (ErrnoException e) {
            if (!e.is(Errno.EPIPE) && !e.is(Errno.ECONNRESET)) {
                kill();
                throw e;
            }
        }
        started = true;
    }

    /// What will answer its filter, before it is started.
    void answeredBy(DenialLog log) {
        denials = Optional.of(log);
        streams.kept().ifPresent(kept -> log.tell(() -> kept.denied(log::noted)));
    }

    /// What its filter is seen to be asked; empty where that does not ask about every call.
    Optional<Supplier<SyscallRecorder.Recording>> recording() {
        return denials.flatMap(DenialLog::recording);
    }

    /// Waits until the program comes to its filter, and answers from then on what it asks.
    void beginAnswering() {
        try {
            boolean initStays = plan.only(Step.Execute.class).initStays();
            denials.ifPresent(log -> log.begin(pid(), initStays, init::hasEnded, this::kill));
        } catch (RuntimeException e) {
            kill();
            throw e;
        }
    }

    /// Gives no more answers, as an engine that has died: the kernel answers ENOSYS from then on.
    void stopAnswering() {
        denials.ifPresent(DenialLog::close);
    }

    /// In clock ticks since boot, of process 1.
    long startTime() {
        return startTime;
    }

    /// Writes down that it runs; it is not removed before that. Where that fails it is ended.
    void record(Supplier<ContainerRecord> begun) {
        try {
            synchronized (group) {
                record = begun.get().started(pid(), startTime(), group, spec.limits());
                engine.save(record);
            }
        } catch (RuntimeException e) {
            kill();
            throw e;
        } finally {
            recorded.countDown();
        }
    }

    private void end(Verdict why) {
        if (!init.hasEnded() && cause.compareAndSet(null, why)) {
            signal(SIGKILL);
            group.resume(); // the freezer of version 1 keeps even a killed process, and one that is just being stopped
        }
    }

    private void endIfQuiet() {
        if (init.hasEnded() && streams.isQuiet() && ended.complete(null) && waiting.get() == 0) {
            engine.ended(this);
        }
    }

    boolean hasEnded() {
        return ended.isDone();
    }

    /// Reads what the container used, removes everything of it and makes the result known. Done once, by
    /// whoever comes first.
    void finish() {
        if (!finisher.compareAndSet(null, Thread.currentThread())) {
            return;
        }
        try {
            engine.reached(Moment.ENDED);
            RunResult made = result();
            awaitRecord();
            Optional<LaunchException> failed = init.failure();
            streams.kept().ifPresent(kept -> kept.end(started && failed.isEmpty(), made));
            remove();
            if (failed.isPresent()) {
                result.completeExceptionally(failed.get());
            } else {
                if (event != null) {
                    event.end(made);
                }
                result.complete(made);
            }
        } catch (RuntimeException | Error e) { // whoever waits is told in any case
            result.completeExceptionally(e);
        } finally {
            engine.forget(this);
        }
    }

    /// An interrupt does not keep anything from being removed.
    private void awaitRecord() {
        boolean interrupted = false;
        while (recorded.getCount() > 0) {
            try {
                recorded.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void remove() {
        deadlines.cancel();
        stopAnswering();
        streams.close();
        launched.close();
        engine.reached(Moment.DESCRIPTORS_CLOSED);
        synchronized (group) { // not while its limits are changed and written down
            if (meter != null) {
                meter.close();
            }
            group.remove();
            engine.reached(Moment.GROUP_REMOVED);
            engine.release(spec.placement(), id, lease);
        }
    }

    private RunResult result() {
        Events events = group.events();
        Processes.End end = init.end();
        return new RunResult(
                id,
                Optional.ofNullable(cause.get()).orElseGet(() -> Verdict.of(end.code(), end.signal(), events)),
                end.code(),
                end.signal(),
                streams.output(),
                streams.errors(),
                Duration.ofNanos(init.endedNanos() - startedNanos),
                group.cpuTime(),
                group.peakMemory().orElse(Bytes.ZERO),
                events.oomKills(),
                events.pidsRefused(),
                denials.map(DenialLog::denials).orElse(List.of()),
                denials.flatMap(DenialLog::learned));
    }
}
