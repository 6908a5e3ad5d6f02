package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.CpuPace;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.launch.InitFailures;
import dev.caisson.launch.LaunchException;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Launched;
import dev.caisson.launch.Step;
import dev.caisson.linux.ProcessTimes;
import dev.caisson.linux.Reactor;
import dev.caisson.linux.Terminal;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import dev.caisson.spec.TerminalSize;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.KeptRun;
import dev.caisson.state.RecordedGroup;
import dev.caisson.watch.DenialLog;
import dev.caisson.watch.SyscallRecorder;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import jdk.jfr.FlightRecorder;
import org.jspecify.annotations.Nullable;

/// A container that runs, until its program has ended and everything of it is removed.
public final class Container implements AutoCloseable {
    private static final int SIGKILL = 9;
    /// How long after its end output may wait for the caller's streams.
    private static final Duration OUTPUT_GRACE = Duration.ofSeconds(10);
    private static final Duration KILLED_OUTPUT_GRACE = Duration.ofSeconds(2);
    private static final Duration REMOVAL_PATIENCE = Duration.ofSeconds(30);

    private final Engine engine;
    private final ContainerId id;
    private final String name;
    private final ContainerSpec spec;
    private final LaunchPlan plan;
    private final Cgroup group;
    private final RecordedGroup recorded;
    private final Launched launched;
    private final StandardStreams streams;
    private final InitWatch init;
    private final long startTime;
    private final AtomicReference<@Nullable Verdict> cause = new AtomicReference<>();
    private final Deadlines deadlines;
    private final AtomicBoolean ended = new AtomicBoolean();
    private final AtomicBoolean finished = new AtomicBoolean();
    private final Outcome outcome = new Outcome();
    private final Reactor reactor;
    private final @Nullable ContainerEvent event;
    private long startedNanos;
    private final Answers answers = new Answers();
    private final OwnFiles files;
    private volatile boolean started;
    private volatile boolean begun;

    Container(
            Engine engine,
            ContainerId id,
            String name,
            ContainerSpec spec,
            LaunchPlan plan,
            Cgroup group,
            Launched launched,
            StandardStreams streams,
            Reactor reactor) {
        this.engine = engine;
        this.id = id;
        this.name = name;
        this.spec = spec;
        this.plan = plan;
        this.group = group;
        this.recorded = new RecordedGroup(group, engine::save);
        this.launched = launched;
        this.streams = streams;
        this.reactor = reactor;
        this.event = FlightRecorder.isInitialized()
                ? ContainerEvent.begin(id.value(), name, spec.image().toString())
                : null;
        this.startTime = ProcessTimes.startTime(launched.pid());
        this.init = new InitWatch(InitWatch.Init.of(launched), plan.steps(), engine::initPaused, this::gone);
        this.files = new OwnFiles(() -> engine.files(id.value()));
        this.deadlines = new Deadlines(group, ended::get, this::end);
    }

    public ContainerId id() {
        return id;
    }

    public String name() {
        return name;
    }

    public String image() {
        return spec.image().toString();
    }

    /// Returns the pid of its process 1, as this process sees it.
    public int pid() {
        return launched.pid();
    }

    @SuppressWarnings("exports") // for Caisson's own modules
    public LaunchPlan plan() {
        return plan;
    }

    public List<Integer> phaseMicros() {
        return launched.phaseMicros();
    }

    /// Sends a signal to the program; false where it has ended.
    public boolean signal(int number) {
        return Failures.call(() -> launched.signal(SignalNumber.require(number)));
    }

    public void kill() {
        end(Verdict.KILLED);
    }

    /// Changes its limits while it runs; all of them are replaced, as [ContainerSpec#limits] sets them.
    /// Those of devices and single disks stay.
    /// @throws dev.caisson.cgroup.CgroupException with the former limits in force
    /// @throws EngineException CONTAINER_NOT_RUNNING before its start and after its end
    public void update(Limits limits) {
        if (finished.get() || !recorded.update(present(limits, "limits"))) {
            throw notRunning();
        }
        streams.pace().follow(limits.cpuQuota());
    }

    /// Returns what bounds the engine's own work for it.
    CpuPace pace() {
        return streams.pace();
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
            Failures.runOnGroup(() -> group.pause(() -> cause.get() != null), this::notRunning);
        } catch (CgroupException e) {
            throw e.reason() == CgroupException.Code.NO_SUCH_GROUP && init.hasEnded() ? notRunning() : e;
        }
        if (cause.get() != null) {
            group.resume();
        }
    }

    public void resume() {
        Failures.runOnGroup(group::resume, this::notRunning);
    }

    public boolean isPaused() {
        return Failures.onGroup(group::isPaused, this::notRunning);
    }

    /// Returns what it has used so far.
    /// @throws dev.caisson.cgroup.CgroupException NO_SUCH_GROUP when it is gone
    public ContainerUsage usage() {
        return Failures.onGroup(() -> engine.usage(recorded.usage(), pid(), id, spec), this::notRunning);
    }

    /// Limits that were asked for with best effort and that nothing enforces.
    public List<Lack> unenforced() {
        return group.lacks();
    }

    /// Returns why the log is incomplete, if there is one and it is.
    public Optional<String> logFailure() {
        return streams.kept().flatMap(run -> run.log().failure());
    }

    /// Changes the size of its terminal; nothing where it has none.
    public void resize(TerminalSize size) {
        present(size, "size");
        Failures.run(() -> launched.resize(new Terminal.Size(size.rows(), size.columns())));
    }

    /// Runs one more program in it to its end, its output kept. An interrupt kills that with all that it started.
    /// @throws LaunchException if it could not be started
    /// @throws EngineException CONTAINER_NOT_RUNNING, CONTAINER_PAUSED
    public ExecResult exec(Exec exec) throws InterruptedException {
        return startExec(exec, Streams.capture()).awaitOrClose();
    }

    public RunningExec startExec(Exec exec, Streams streams) {
        return engine.startExec(
                () -> new ExecTarget(recorded.record().orElseThrow(this::notRunning), plan, group),
                present(exec, "exec"),
                present(streams, "streams"));
    }

    /// Returns its files, which whoever runs it may read and write until it ends.
    public ContainerFiles files() {
        return files.get();
    }

    /// Waits until the program has ended and everything of it is removed. Whoever is interrupted may wait again: the
    /// container runs on.
    /// @throws LaunchException if the program could not be run after all
    public RunResult await() throws InterruptedException {
        return outcome.await();
    }

    /// Like [#await()], for no longer than `patience`.
    /// @return empty if it has not ended by then; it runs on
    public Optional<RunResult> await(Duration patience) throws InterruptedException {
        return outcome.await(patience);
    }

    /// Returns what completes with the result when the program has ended and everything of it is removed. What depends
    /// on it runs in the pool of CompletableFuture; cancelling it does not end the container.
    public CompletableFuture<RunResult> onExit() {
        return outcome.future();
    }

    /// Ends every process of it and waits until everything of it is removed, which an interrupt does not keep from
    /// being done. [#await] tells how it ended, also afterwards.
    @Override
    public void close() {
        kill();
        var interrupted = new AtomicBoolean();
        if (!outcome.isKnownWithin(REMOVAL_PATIENCE, interrupted)) {
            throw Failures.notRemoved(id, REMOVAL_PATIENCE);
        }
        if (interrupted.get()) {
            Thread.currentThread().interrupt();
        }
    }

    Outcome outcome() {
        return outcome;
    }

    /// From here on the reactor tells how it ends.
    void watch() {
        init.begin(reactor);
    }

    /// Passes its streams on, and ends it at its deadlines.
    void begin() {
        startedNanos = System.nanoTime();
        streams.begin(this::endIfQuiet, () -> end(Verdict.OUTPUT));
        begun = true;
        if (init.hasEnded()) {
            reactor.at(startedNanos, this::gone);
        }
        deadlines.begin(reactor, startedNanos, spec);
    }

    /// Lets init run the program.
    /// @return false if init has died before
    boolean start() {
        synchronized (launched) { // not while its descriptors are closed
            started = true; // before it can have ended
            started = launched.control().isOpen() && answers.start(launched);
        }
        return started;
    }

    /// Sets what will answer its filter, before it is started.
    void answeredBy(DenialLog log) {
        answers.by(log, streams);
        init.listening(listener -> answers.begin(listener, this::kill));
    }

    /// Returns the calls that its filter asked about; empty if it does not ask about every call.
    Optional<Supplier<SyscallRecorder.Recording>> recording() {
        return answers.recording();
    }

    /// Waits until the program comes to its filter, if it hands over no listener, and answers from then on what it
    /// asks.
    void beginAnswering() {
        try {
            answers.begin(pid(), plan.only(Step.Execute.class).initStays(), init::hasEnded, this::kill);
        } catch (RuntimeException e) {
            kill();
            throw e;
        }
    }

    /// Gives no more answers, as an engine that has died: the kernel answers ENOSYS from then on.
    void stopAnswering() {
        answers.stop();
    }

    /// In clock ticks since boot, of process 1.
    long startTime() {
        return startTime;
    }

    /// Writes down that it runs, unless it is removed by then. If that fails it is ended.
    void record(Supplier<ContainerRecord> announced) {
        try {
            recorded.write(() -> announced.get().started(pid(), startTime(), group, spec.limits()));
        } catch (RuntimeException | Error e) {
            kill();
            throw e;
        }
    }

    private void end(Verdict why) {
        if (init.hasEnded()) {
            cutSoon(); // what is left of it is output that nobody takes
            return;
        }
        cause.compareAndSet(null, why);
        signal(SIGKILL);
        group.resume(); // the freezer of version 1 keeps even a killed process, and one that is just being stopped
    }

    private void cutSoon() {
        if (!ended.get()) {
            streams.cutAfter(KILLED_OUTPUT_GRACE);
        }
    }

    /// No process of it is left.
    private void gone() {
        if (!begun) {
            return; // whoever begins it looks
        }
        streams.containerGone();
        Duration grace = cause.get() == null ? OUTPUT_GRACE : KILLED_OUTPUT_GRACE;
        if (!streams.isQuiet()) {
            streams.cutAfter(grace);
        }
        endIfQuiet();
    }

    private void endIfQuiet() {
        if (begun && init.hasEnded() && streams.isQuiet() && ended.compareAndSet(false, true)) {
            engine.beside(this::finish);
        }
    }

    /// True if somebody ended it.
    boolean wasEnded() {
        return cause.get() != null;
    }

    boolean hasEnded() {
        return ended.get();
    }

    /// Reads what the container used, removes everything of it and makes the result known. Done once.
    void finish() {
        finish(Optional.empty());
    }

    /// Ends it in the place of a reactor that does so no more.
    void breakDown(EngineException why) {
        ended.set(true);
        finish(Optional.of(why));
    }

    private void finish(Optional<EngineException> broken) {
        if (!finished.compareAndSet(false, true)) {
            return;
        }
        RunResult made = null;
        Throwable failed = broken.orElse(null);
        try {
            engine.reached(Moment.ENDED);
            if (failed == null) {
                failed = failure().orElse(null);
                made = engine.told(result(), spec);
                RunResult known = made;
                boolean ran = started && failed == null;
                streams.kept().ifPresent(kept -> Ending.keep(kept, ran, known));
            } else {
                streams.kept().ifPresent(KeptRun::lose);
            }
        } catch (Throwable e) { // whatever it was, everything is removed and whoever waits is told
            failed = Outcome.suppressing(e, failed);
        }
        try {
            remove(broken.isPresent() || init.isLost());
            if (failed == null && made != null) {
                if (event != null) {
                    event.end(made);
                }
                engine.counted(made);
            }
        } catch (Throwable e) {
            failed = Outcome.suppressing(e, failed);
        } finally {
            engine.forget(this);
            if (failed != null || made == null) {
                outcome.fail(failed == null ? new IllegalStateException("no result") : failed);
            } else {
                outcome.know(made);
            }
        }
    }

    /// Returns why there is no result.
    private Optional<RuntimeException> failure() {
        boolean early = (!started || init.hasDiedEarly()) && cause.get() == null;
        return init.failure().or(() -> early ? Optional.of(InitFailures.died()) : Optional.empty());
    }

    private void remove(boolean unwatched) {
        deadlines.cancel();
        stopAnswering();
        streams.close();
        files.close();
        synchronized (launched) { // not while a signal is sent
            if (unwatched) {
                group.kill();
                init.leave(launched::abandon);
            } else {
                launched.close();
            }
        }
        engine.reached(Moment.DESCRIPTORS_CLOSED);
        recorded.remove(() -> {
            engine.reached(Moment.GROUP_REMOVED);
            engine.release(id);
        });
    }

    private RunResult result() {
        Duration wallClock = Duration.ofNanos(init.endedNanos() - startedNanos);
        return RunResults.of(id, Optional.ofNullable(cause.get()), wallClock, group, init, streams, answers);
    }
}
