package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.cgroup.Events;
import dev.caisson.cgroup.Subgroup;
import dev.caisson.launch.InitFailures;
import dev.caisson.launch.Launched;
import dev.caisson.launch.Report;
import dev.caisson.launch.Step;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Reactor;
import dev.caisson.linux.Terminal;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.TerminalSize;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// One more program of a container, until it has ended. What it leaves running belongs to the container and ends with
/// that, unless the program was killed: then all that it started is.
public final class RunningExec implements AutoCloseable {
    private static final Duration OUTPUT_GRACE = Duration.ofSeconds(2);
    private static final Duration HANG_UP_PATIENCE = Duration.ofMillis(100);
    private static final Duration REMOVAL_PATIENCE = Duration.ofSeconds(30);

    private final Executions among;
    private final ExecTarget target;
    private final ExecName name;
    private final Subgroup part;
    private final Launched launched;
    private final StandardStreams streams;
    private final ExecAnswers answers;
    private final Reactor reactor;
    private final Optional<ExecNotes> notes;
    private final InitWatch watch;
    private final AtomicReference<@Nullable Verdict> cause = new AtomicReference<>();
    private final AtomicBoolean ended = new AtomicBoolean();
    private final AtomicBoolean finished = new AtomicBoolean();
    private final ReentrantLock leaving = new ReentrantLock();
    private final CompletableFuture<ExecResult> result = new CompletableFuture<>();
    private final long startedNanos = System.nanoTime();
    private volatile Reactor.@Nullable Timer deadline;
    private volatile boolean begun;

    RunningExec(
            Executions among,
            ExecTarget target,
            ExecName name,
            List<Step> steps,
            Subgroup part,
            Launched launched,
            StandardStreams streams,
            ExecAnswers answers,
            Reactor reactor,
            Optional<ExecNotes> notes) {
        this.among = among;
        this.target = target;
        this.name = name;
        this.part = part;
        this.launched = launched;
        this.streams = streams;
        this.answers = answers;
        this.reactor = reactor;
        this.notes = notes;
        this.watch = new InitWatch(InitWatch.Init.of(launched), steps, () -> {}, this::gone);
        watch.listening(listener -> answers.begin(listener, this::kill));
    }

    /// Lets it run. From here on it is watched, and its end removes it.
    void begin(Optional<Duration> timeout) {
        watch.begin(reactor);
        streams.begin(this::endIfQuiet, () -> end(Verdict.OUTPUT));
        begun = true;
        if (watch.hasEnded()) {
            reactor.at(startedNanos, this::gone);
        }
        deadline = timeout.map(limit -> reactor.at(startedNanos + Patience.nanos(limit), () -> end(Verdict.WALL_CLOCK)))
                .orElse(null);
        synchronized (launched) {
            if (launched.control().isOpen()) {
                start(); // one that has died is told by its end
            }
        }
    }

    private void start() {
        if (keeper().isPresent()) {
            launched.startAlone(answers.asks()); // it may be left; else it sees the end of this process on its socket
        } else if (answers.asks()) {
            launched.startAsking();
        } else {
            launched.start();
        }
    }

    private Optional<DetachedPlace> keeper() {
        return notes.flatMap(ExecNotes::keeper);
    }

    /// Sends a signal to the program; false where it has ended.
    public boolean signal(int number) {
        return Failures.call(() -> launched.signal(SignalNumber.require(number)));
    }

    /// Kills it with every process that it has started.
    public void kill() {
        end(Verdict.KILLED);
    }

    /// Changes the size of its terminal; nothing where it has none.
    public void resize(TerminalSize size) {
        present(size, "size");
        Failures.run(() -> launched.resize(new Terminal.Size(size.rows(), size.columns())));
    }

    /// Leaves it to run on when this engine is closed, in a container that outlives its command. That one's
    /// monitor keeps it, and [LifeEvents] has its end. Nobody reads what it writes from then on: one with a
    /// terminal goes on writing, one without finds its pipes closed. Whoever waits for it is told EXEC_LEFT.
    ///
    /// @return false if it has ended, or was left before
    /// @throws EngineException EXEC_DETACHED_REFUSED if nobody would keep it or its timeout
    public boolean leave() throws InterruptedException {
        if (deadline != null) {
            throw LoneExec.refused("a program with a timeout needs somebody who waits for it: start it without one");
        }
        if (keeper().isEmpty()) {
            throw LoneExec.endsWithCommand(target.name());
        }
        leaving.lockInterruptibly();
        try {
            return LeftExec.leave(this, notes.orElseThrow(), keeper().orElseThrow());
        } finally {
            leaving.unlock();
        }
    }

    Launched launched() {
        return launched;
    }

    ExecAnswers answers() {
        return answers;
    }

    /// Asks something in the thread that watches it; false if it has ended, whose engine may be closed.
    boolean whileWatched(BooleanSupplier question) throws InterruptedException {
        var answer = new CompletableFuture<Boolean>();
        reactor.at(System.nanoTime(), () -> {
            try {
                answer.complete(question.getAsBoolean());
            } catch (Throwable e) { // the caller's to know
                answer.completeExceptionally(e);
            }
        });
        try {
            return answer.applyToEither(result.handle((_, _) -> false), either -> either)
                    .get();
        } catch (ExecutionException e) {
            throw failure(e);
        }
    }

    /// Stops to watch it; false if it has ended, or was left. Whoever is interrupted has it watched as before.
    boolean pauseWatch() throws InterruptedException {
        try {
            return !result.isDone() && whileWatched(watch::pause);
        } catch (InterruptedException e) {
            reactor.at(System.nanoTime(), () -> watch.resume(reactor));
            throw e;
        }
    }

    void resumeWatch() throws InterruptedException {
        boolean _ = whileWatched(() -> {
            watch.resume(reactor);
            return true;
        });
    }

    /// Forgets it once somebody else keeps it.
    void isLeft(EngineException left) {
        ended.set(true);
        streams.close();
        name.close(); // its part goes with a later program, once it is empty
        launched.leave();
        among.forget(this);
        result.completeExceptionally(left);
    }

    /// Waits until it has ended. Whoever is interrupted may wait again: it runs on.
    /// @throws dev.caisson.launch.LaunchException if the program could not be run after all
    public ExecResult await() throws InterruptedException {
        try {
            return result.get();
        } catch (ExecutionException e) {
            throw failure(e);
        }
    }

    /// Like [#await()], but an interrupt kills it with all that it started.
    ExecResult awaitOrClose() throws InterruptedException {
        try {
            return await();
        } catch (InterruptedException e) {
            close();
            throw e;
        }
    }

    /// Like [#await()], for no longer than `patience`.
    /// @return empty if it has not ended by then; it runs on
    public Optional<ExecResult> await(Duration patience) throws InterruptedException {
        long most = Patience.nanos(patience);
        try {
            return Optional.of(result.get(most, TimeUnit.NANOSECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw failure(e);
        }
    }

    /// Returns what completes with the result. What depends on it runs in the pool of CompletableFuture; cancelling it
    /// does not end the program.
    public CompletableFuture<ExecResult> onExit() {
        return result.thenApplyAsync(known -> known);
    }

    private static RuntimeException failure(ExecutionException e) {
        return Failures.coded(Failures.unchecked(e));
    }

    /// Kills it with every process that it has started, and waits until they are gone.
    @Override
    public void close() {
        kill();
        awaitRemoval();
    }

    void awaitRemoval() {
        boolean interrupted = false;
        long until = System.nanoTime() + REMOVAL_PATIENCE.toNanos();
        while (!result.isDone() && System.nanoTime() < until) {
            try {
                result.get(until - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException | TimeoutException e) {
                break; // whoever waits for the result is told
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void end(Verdict why) {
        if (!watch.hasEnded()) {
            cause.compareAndSet(null, why);
        }
        if (!result.isDone()) {
            try {
                killProgram();
            } finally {
                streams.cutAfter(OUTPUT_GRACE);
            }
        }
    }

    /// The process outside reaps its program first and exits, which [#gone()] sees. Killed together with it, it
    /// would leave the program to the host's process 1; if that reaps nobody, the container could never end.
    private void killProgram() {
        if (watch.hasEnded()) {
            part.kill();
            return;
        }
        launched.hangUp();
        reactor.at(System.nanoTime() + HANG_UP_PATIENCE.toNanos(), () -> {
            if (!finished.get()) {
                part.kill();
            }
        });
    }

    /// The program has ended. What it left running may hold its pipes open: what is in them is read, and no more.
    private void gone() {
        if (!begun) {
            return; // whoever begins it looks
        }
        if (cause.get() != null) {
            Reactor.guard(part::kill); // what the program has started
        }
        streams.containerGone();
        if (!streams.isQuiet()) {
            streams.cutAfter(OUTPUT_GRACE);
        }
        endIfQuiet();
    }

    private void endIfQuiet() {
        if (begun && watch.hasEnded() && streams.isQuiet() && ended.compareAndSet(false, true)) {
            among.ended(this);
        }
    }

    /// Makes the result known. Done once.
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
        ExecResult made = null;
        Throwable failed = broken.orElse(null);
        try {
            if (failed == null) {
                failed = failure().orElse(null);
                if (failed == null) {
                    ExecResult known = made();
                    made = known;
                    notes.ifPresent(note -> note.ended(known));
                }
            }
        } catch (Throwable e) { // whatever it was, whoever waits is told
            failed = Outcome.suppressing(e, failed);
        }
        try {
            remove(broken.isPresent() || watch.isLost());
        } catch (Throwable e) {
            failed = Outcome.suppressing(e, failed);
        } finally {
            among.forget(this);
            if (failed != null || made == null) {
                result.completeExceptionally(failed == null ? new IllegalStateException("no result") : failed);
            } else {
                result.complete(made);
            }
        }
    }

    /// Returns why there is no result.
    private Optional<Throwable> failure() {
        boolean early = watch.hasDiedEarly() && cause.get() == null;
        return watch.failure()
                .or(() -> early ? Optional.of(InitFailures.died()) : Optional.empty())
                .map(this::explained);
    }

    /// Where the container has ended, that is why nothing could be born in it any more.
    private Throwable explained(Throwable failed) {
        try {
            target.requireRunning();
            return failed;
        } catch (EngineException ended) {
            ended.addSuppressed(failed);
            return ended;
        }
    }

    private void remove(boolean unwatched) {
        Reactor.Timer clock = deadline;
        if (clock != null) {
            clock.cancel();
        }
        streams.close();
        synchronized (launched) { // not while a signal is sent
            if (unwatched) {
                part.kill();
                watch.leave(launched::abandon);
            } else {
                launched.close();
            }
        }
        if (Executions.discard(name, part) && answers.isAsked()) {
            passOn();
        } else {
            answers.close();
        }
    }

    /// Passes the filter on, so that what the program has left running still gets answers: without them its
    /// denied calls would end as on a kernel that has none of these calls.
    private void passOn() {
        Optional<DetachedPlace> keeper = keeper();
        if (keeper.isEmpty()) {
            among.goOnAnswering(answers);
            return;
        }
        try (Monitor monitor = keeper.get().monitor()) {
            boolean _ = answers.handOver(monitor); // too many programs are answered, or the container has ended
        } catch (RuntimeException e) { // the program's result does not depend on it
            System.getLogger(RunningExec.class.getName())
                    .log(System.Logger.Level.DEBUG, "what a program has left running is not answered", e);
        } finally {
            answers.close();
        }
    }

    private ExecResult made() {
        Processes.End end = watch.end();
        Events met = answers.met();
        return new ExecResult(
                Optional.ofNullable(cause.get()).orElseGet(() -> Verdict.of(end, met)),
                end.code(),
                end.signal(),
                streams.output(),
                streams.errors(),
                Duration.ofNanos(watch.endedNanos() - startedNanos),
                part.cpuTime(),
                Bytes.of(watch.told().map(Report::peakBytes).orElse(0L)),
                met.oomKills(),
                met.pidsRefused(),
                answers.denials(),
                streams.failures());
    }
}
