package dev.caisson.watch;

import dev.caisson.cgroup.CpuPace;
import dev.caisson.linux.Fd;
import dev.caisson.linux.SeccompListener;
import dev.caisson.linux.ThreadClock;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.CallExplainer;
import dev.caisson.seccomp.Explainer;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.LearnedProfile;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.spec.Denial;
import dev.caisson.spec.SeccompChoice.Watch;
import dev.caisson.watch.DenialNotes.Kind;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Answers the calls that one container's filter asks about with what the profile says, and notes each kind
/// of call once. If the engine dies, the kernel answers ENOSYS in its place.
///
/// | what a container can try | what holds |
/// |---|---|
/// | to ask without end | 64 answers in 50 ms; its own calls wait until the next 50 ms |
/// | to have the engine work for it | no more processor time than its own share: [CpuPace] |
/// | to be slow to read about | the answer waits 200 ms for that at most, and other containers not at all |
/// | to make ever new kinds of calls | 64 kinds are told, the others are counted |
///
/// Notes denied calls. For a program that is recorded or learned from, answers that let a call pass are not counted:
/// it is trusted so far. Each decision is the filter's, on the registers alone; what they point to is
/// never looked at.
public final class DenialLog implements AutoCloseable {
    public static final int MOST_ANSWERS = 64;
    public static final long WINDOW_NANOS = 50_000_000;
    static final long READING_NANOS = 200_000_000;

    static final List<String> ONE_LISTENER =
            List.of("a process has one listener, and it is the engine's, which tells what is denied: "
                    + "run it with --seccomp-mode quiet");
    private static final long LONGEST_TELLING_MILLIS = 2000;
    private static final int EPERM = 1;
    private static final int AT_A_TIME = 16;
    /// The cost of waiting for a question, besides the answer.
    private static final long WAKING_NANOS = 10_000;

    private final Filter filter;
    private final Watch watch;
    private final ExplainedCalls calls;
    private final boolean complain;
    private final Optional<CallCounts> counts;
    private final Optional<LearnedCalls> learned;
    private final boolean handedOver;
    private final Listeners with;
    private final DenialNotes notes = new DenialNotes();
    private final KnownCalls known = new KnownCalls();
    private @Nullable SeccompListener listener;
    private long key;
    private boolean watching;
    private @Nullable AskedCall open;
    private boolean telling;
    private CompletableFuture<@Nullable Void> told = CompletableFuture.completedFuture(null);
    private boolean readerWaits;
    private boolean broken;
    private Runnable failing = () -> {};
    private volatile Runnable news = () -> {};
    private volatile CpuPace pace = new CpuPace(Optional.empty());
    private boolean resting;
    private boolean leaving;
    private boolean closed;
    private long windowBegan = System.nanoTime() - WINDOW_NANOS;
    private int answers;

    public DenialLog(DenialSubject subject, Listeners with) {
        this(
                subject.filter(),
                subject.watch(),
                () -> new Explainer(subject.profile().get(), subject.target()),
                subject.watch() == Watch.LEARN
                        ? Optional.of(new LearnedCalls(subject.profile().get(), subject.target()))
                        : Optional.empty(),
                subject.handsOver(),
                with);
    }

    /// Answers for a program whose denied calls are told.
    ///
    /// @param filter that answers itself, where the program's asks
    /// @param reasons made when the first call is denied
    DenialLog(Filter filter, Supplier<CallExplainer> reasons, Listeners with) {
        this(filter, Watch.TELL, reasons, Optional.empty(), true, with);
    }

    private DenialLog(
            Filter filter,
            Watch watch,
            Supplier<CallExplainer> reasons,
            Optional<LearnedCalls> learned,
            boolean handedOver,
            Listeners with) {
        this.handedOver = handedOver;
        this.filter = filter;
        this.watch = watch;
        this.complain = watch.letsDeniedPass();
        this.calls = new ExplainedCalls(filter, complain, reasons);
        this.learned = learned;
        this.counts = watch == Watch.RECORD ? Optional.of(new CallCounts(filter.architecture())) : Optional.empty();
        this.with = with;
    }

    /// Has what it spends count with what else is spent on the container.
    public void pace(CpuPace shared) {
        pace = shared;
    }

    /// Runs `reader` whenever a kind of call was new, in a thread that may wait and keeps no question waiting.
    public void tell(Runnable reader) {
        news = reader;
    }

    /// Returns what is noted, without waiting for what is being noted.
    public synchronized List<Denial> noted() {
        return notes.told();
    }

    /// Returns whether the program is to hand over its listener; else it is looked for.
    public boolean isHandedOver() {
        return handedOver;
    }

    /// Takes the listener from the program, whose execveat waits for it.
    /// @param initStays whether the program is a child of process 1
    /// @param fail ends the container, where a question cannot be answered: while the program has
    ///     not been started it holds the listener itself, so that the kernel answers nothing in the
    ///     engine's place
    /// @throws WatchException where there is none after a long while
    public void begin(int pid, boolean initStays, BooleanSupplier ended, Runnable fail) {
        synchronized (this) {
            failing = fail;
        }
        ProgramListener.await(pid, initStays, ended).ifPresent(this::watch);
    }

    /// Takes the listener that a program has handed over before it runs.
    /// @param fail ends the program, if a question cannot be answered
    public void begin(Fd taken, Runnable fail) {
        synchronized (this) {
            failing = fail;
        }
        watch(SeccompListener.of(taken));
    }

    /// Passes the listener on to somebody else who answers from then on. It stays this one's if the other does
    /// not take it. If `other` throws, nobody knows who has it, and it is closed here: of two that read one
    /// question, the second would wait for the next.
    /// @param other returns whether it has a copy
    /// @return false if the other did not take it; true also if there is none or nobody is left under the filter
    public boolean handOver(Predicate<Fd> other) {
        SeccompListener asked;
        synchronized (this) {
            AskedCall waiting = open;
            if (waiting != null) {
                giveUp(waiting);
            }
            asked = listener;
            if (asked == null || asked.state() == SeccompListener.State.ENDED) {
                return true;
            }
            leaving = true;
            settle();
        }
        boolean taken = true;
        try {
            taken = other.test(asked.fd());
            return taken;
        } finally {
            synchronized (this) {
                leaving = false;
                if (taken) {
                    close();
                } else {
                    settle();
                }
            }
        }
    }

    private synchronized void watch(SeccompListener taken) {
        if (closed) { // the container has ended meanwhile
            taken.close();
            return;
        }
        listener = taken;
        settle();
    }

    /// Looks out for the next question, unless one is being told or there were enough for a while.
    private void settle() {
        SeccompListener asked = listener;
        if (asked == null) {
            return;
        }
        boolean wanted = !leaving && !telling && !resting && answers < MOST_ANSWERS && !rests();
        if (wanted && !watching) {
            key = with.reactor().watch(asked.fd(), this::ready, this::fail);
        } else if (!wanted && watching) {
            with.reactor().forget(key, asked.fd());
        }
        watching = wanted;
    }

    /// True if the engine has spent more than its share on this container, and goes on later.
    private boolean rests() {
        long pause = pace.pauseNanos();
        if (pause > 0) {
            resting = true;
            with.reactor().at(System.nanoTime() + pause, this::wakeUp);
        }
        return resting;
    }

    private synchronized void wakeUp() {
        resting = false;
        settle();
    }

    /// A few calls at a time, so that every container gets its turn.
    private synchronized void ready() {
        SeccompListener asked = listener;
        if (asked == null || !watching) {
            return;
        }
        long began = ThreadClock.cpuNanos();
        try {
            SeccompListener.State state = asked.state();
            for (int i = 0; i < AT_A_TIME && state == SeccompListener.State.WAITING; i++) {
                asked.receive().ifPresent(call -> answer(asked, call));
                state = telling || answers >= MOST_ANSWERS ? SeccompListener.State.NOTHING : asked.state();
            }
            if (state == SeccompListener.State.ENDED) {
                forget(asked);
            }
        } finally {
            pace.spend(Math.max(0, ThreadClock.cpuNanos() - began) + WAKING_NANOS);
        }
        settle();
    }

    /// A question that cannot be answered: the container is ended.
    private synchronized void fail(Throwable why) {
        System.getLogger(DenialLog.class.getName())
                .log(System.Logger.Level.ERROR, "a question of a container's filter could not be answered", why);
        broken = true;
        SeccompListener asked = listener;
        if (asked != null) {
            forget(asked);
        }
        failing.run();
    }

    private void answer(SeccompListener asked, SeccompListener.Call call) {
        KnownCalls.Known same = known.get(call);
        if (same != null) {
            charge();
            boolean _ = notes.count(same.kind());
            respond(new AskedCall(asked, call, same.data(), same.action()));
            return;
        }
        SeccompData data = KnownCalls.data(call);
        Action action = filter.decide(data);
        boolean passes =
                (action.kind() == Action.Kind.ALLOW || action.kind() == Action.Kind.LOG) && !filter.isForListener(data);
        counts.ifPresent(counted -> counted.count(data, passes));
        boolean isMissing = action.equals(Action.errno("ENOSYS"));
        if (!passes) {
            learned.ifPresent(all -> all.add(data));
        }
        boolean isTrusted = watch == Watch.RECORD || watch == Watch.LEARN;
        if (!isTrusted || isMissing || !(passes || complain)) {
            charge();
        }
        if (passes) {
            asked.letPass(call);
            return;
        }
        if (isMissing || (!complain && HarmlessDenial.matches(data, action))) {
            asked.refuse(call, action.data()); // as on a kernel without the call: nothing to be told
            return;
        }
        var denied = new AskedCall(asked, call, data, action);
        Optional<Kind> noted = calls.kind(data).filter(notes::count);
        if (noted.isPresent()) {
            noted.filter(_ -> !isTrusted).ifPresent(kind -> known.add(call, data, action, kind));
            respond(denied);
        } else {
            look(denied);
        }
    }

    private void charge() {
        long now = System.nanoTime();
        if (now - windowBegan >= WINDOW_NANOS) {
            windowBegan = now;
            answers = 0;
        }
        answers++;
        if (answers == MOST_ANSWERS) {
            with.reactor().at(windowBegan + WINDOW_NANOS, this::goOn);
        }
    }

    private synchronized void goOn() {
        answers = 0;
        settle();
    }

    private void respond(AskedCall denied) {
        if (denied.answered || listener != denied.by) {
            return;
        }
        denied.answered = true;
        if (complain || denied.action.kind() == Action.Kind.ALLOW || denied.action.kind() == Action.Kind.LOG) {
            denied.by.letPass(denied.call);
        } else {
            denied.by.refuse(denied.call, denied.action.kind() == Action.Kind.ERRNO ? denied.action.data() : EPERM);
        }
    }

    /// Reads about the caller before it is answered, and tells the call after that.
    private void look(AskedCall denied) {
        telling = true;
        open = denied;
        told = new CompletableFuture<>();
        if (readerWaits) {
            respond(denied);
            with.read(() -> tell(denied, Caller.UNKNOWN));
            return;
        }
        readerWaits = true;
        with.read(() -> {
            long began = ThreadClock.cpuNanos();
            Caller caller = with.caller(denied.call.pid(), denied.call.instructionPointer());
            pace.spend(Math.max(0, ThreadClock.cpuNanos() - began));
            if (hasLooked(denied)) {
                tell(denied, stillThere(denied, caller));
            }
        });
        with.reactor().at(System.nanoTime() + READING_NANOS, () -> giveUp(denied));
    }

    /// @return whether nobody has given up waiting for it
    private synchronized boolean hasLooked(AskedCall denied) {
        readerWaits = false;
        return !denied.answered;
    }

    /// Returns the caller if it still waits for its answer: only then is what was read its own.
    private synchronized Caller stillThere(AskedCall denied, Caller caller) {
        Caller known = listener == denied.by && denied.by.isWaiting(denied.call) ? caller : Caller.UNKNOWN;
        respond(denied);
        return known;
    }

    private synchronized void giveUp(AskedCall denied) {
        if (!denied.answered && listener == denied.by) {
            respond(denied);
            with.read(() -> tell(denied, Caller.UNKNOWN));
        }
    }

    private void tell(AskedCall denied, Caller caller) {
        try {
            Kind kind = calls.explainedKind(denied.data);
            Denial denial = calls.denial(denied.data, denied.action, caller);
            synchronized (this) {
                notes.add(kind, denial);
            }
        } finally {
            synchronized (this) {
                telling = false;
                settle();
                told.complete(null);
            }
        }
        news.run();
    }

    /// Returns what has been denied until now, in the order of the first time.
    public List<Denial> denials() {
        CompletableFuture<@Nullable Void> last;
        synchronized (this) {
            last = told;
        }
        if (!last.isDone()) {
            last.copy()
                    .completeOnTimeout(null, LONGEST_TELLING_MILLIS, TimeUnit.MILLISECONDS)
                    .join();
        }
        synchronized (this) {
            return notes.told();
        }
    }

    /// Returns the profile that allows what was denied until now, if it learns.
    public Optional<LearnedProfile> learned() {
        return learned.map(LearnedCalls::profile);
    }

    /// Returns the recorded calls, if every call is asked about; complete when the container has ended.
    public Optional<Supplier<SyscallRecorder.Recording>> recording() {
        return counts.map(counted -> () -> {
            synchronized (this) {
                if (broken) {
                    throw new WatchException(
                            "RECORDING_BROKEN",
                            "a question of the filter could not be answered, and the container was ended: record it again");
                }
            }
            return counted.recording();
        });
    }

    /// Returns whether it has a listener, whose last program may still ask.
    public synchronized boolean isAsked() {
        return listener != null;
    }

    private void forget(SeccompListener asked) {
        if (watching) {
            with.reactor().forget(key, asked.fd());
            watching = false;
        }
        listener = null;
        asked.close();
    }

    @Override
    public synchronized void close() {
        closed = true;
        SeccompListener asked = listener;
        if (asked != null) {
            forget(asked);
        }
    }
}
