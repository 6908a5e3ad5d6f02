package dev.caisson.watch;

import dev.caisson.linux.Bpf;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Explanation;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.seccomp.Simulator;
import dev.caisson.spec.Denial;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Watches which calls the filters of a running container deny, whoever started it, until it is closed. Needs root with
/// CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE, and CAP_SYS_ADMIN to read filters.
///
/// A call is told where two say so: the kernel, which lets a denied call end without having begun, and the filters of
/// the process, read back from the kernel, which give the very answer that the caller got. An error of the kernel's
/// own is never told. Not seen are processes in a pid namespace that the container has made for itself, and the end of
/// a single thread by KILL_THREAD while its process goes on: the kernel passes no tracepoint of calls there.
///
/// | what a container can try | what holds |
/// |---|---|
/// | to make more denied calls than can be looked at | 64 of a number are, four times a second; the others are counted
/// |
/// | to make ever new kinds of calls | 64 kinds are told, the others are counted |
/// | to be slow to read about | a call waits a second at most for that, and is told without its place |
///
/// While one is open, every call of the whole machine is looked at. It belongs to one thread.
public final class DenialWatch implements AutoCloseable {
    /// A kind of denied call that has come for the first time.
    ///
    /// @param process that made it, in the numbers of the host
    public record Seen(int process, int thread, Denial denial) {}

    /// The answer of a filter, and the filter.
    private record Decided(SeccompData call, Action action, Filter filter) {}

    private static final int MOST_THREADS = 16_384;
    private static final int QUEUED = 1024;
    private static final long SETBACK_NANOS = 250_000_000;

    private final Fd entered;
    private final Fd counters;
    private final Fd queue;
    private final DenialEvent.Registers registers = DenialEvent.Registers.ofHost();
    private final List<Fd> programs = new ArrayList<>();
    private final WatchedProcesses processes;
    private final DenialReasons reasons;
    private final DenialNotes notes = new DenialNotes();
    private long setBack = System.nanoTime();
    private long unknown;

    private DenialWatch(Fd entered, Fd counters, Fd queue, WatchedProcesses processes, DenialReasons reasons) {
        this.entered = entered;
        this.counters = counters;
        this.queue = queue;
        this.processes = processes;
        this.reasons = reasons;
    }

    /// Watches a container.
    /// @param pid of its program, or of another of its processes
    /// @param reasons what tells which rule would have allowed a call
    /// @throws WatchException HOST_PROCESS for a process that is in no container, WATCH_REFUSED where the
    ///     kernel lets no watch in, or numbers processes otherwise than this process sees them
    public static DenialWatch of(int pid, DenialReasons reasons) {
        if (!PidNamespace.ofThisProcess().isInitial()) {
            throw new WatchException(
                    "WATCH_REFUSED",
                    "this command is in a pid namespace of its own, where a process has another number than the one "
                            + "that the kernel tells: run it on the host, or in a container that has the host's pid "
                            + "namespace (--pid host); 'caisson seccomp record' works in both");
        }
        PidNamespace namespace = PidNamespace.ofContainer(pid, "watched", "");
        var processes = new WatchedProcesses(namespace, LiveFilters.of(pid));
        var opened = new ArrayList<Fd>();
        try {
            opened.add(Bpf.createForgetfulMap(MOST_THREADS));
            opened.add(Bpf.createArray(DenialProgram.SLOTS));
            opened.add(Bpf.createQueue(DenialEvent.Registers.ofHost().eventSize(), QUEUED));
            var watch = new DenialWatch(opened.get(0), opened.get(1), opened.get(2), processes, reasons);
            watch.attach(namespace);
            return watch;
        } catch (ErrnoException e) {
            opened.forEach(Fd::close);
            processes.close();
            throw new WatchException(
                    "WATCH_REFUSED",
                    "the kernel lets no watch in (" + e.getMessage() + "): it needs root with CAP_BPF and CAP_PERFMON "
                            + "on a kernel with CONFIG_BPF_SYSCALL",
                    e);
        }
    }

    private void attach(PidNamespace namespace) {
        try {
            start("sys_enter", DenialProgram.enter(entered.number(), namespace));
            start("sys_exit", DenialProgram.exit(entered.number(), counters.number(), queue.number(), namespace));
        } catch (ErrnoException e) {
            programs.forEach(Fd::close);
            throw e;
        }
    }

    private void start(String tracepoint, byte[] instructions) {
        try (Fd program = Bpf.loadRawTracepoint(instructions)) {
            programs.add(Bpf.attachRawTracepoint(tracepoint, program));
        }
    }

    /// How many filters the container's program has.
    public int filters() {
        return processes.filters();
    }

    /// The kinds of calls that were denied for the first time since this was last asked. Never waits for a call.
    public List<Seen> next() {
        var seen = new ArrayList<Seen>();
        for (int taken = 0; taken < QUEUED; taken++) {
            Optional<byte[]> event = Bpf.pop(queue, registers.eventSize());
            if (event.isEmpty()) {
                break;
            }
            look(DenialEvent.of(event.get(), registers)).ifPresent(seen::add);
        }
        if (System.nanoTime() - setBack > SETBACK_NANOS) {
            setBack();
        }
        return seen;
    }

    /// Lets every number be told of again, also one of which nothing has come through a full queue.
    private void setBack() {
        for (int slot = 0; slot <= DenialProgram.OTHERS; slot++) {
            Bpf.update(counters, slot, 0);
        }
        setBack = System.nanoTime();
    }

    private Optional<Seen> look(DenialEvent event) {
        Optional<Decided> decided = decided(event, processes.containers());
        if (decided.isPresent() && notes.count(kind(decided.get()))) {
            return Optional.empty();
        }
        if (decided.isEmpty() && event.result() >= 0 && !event.restored()) {
            return Optional.empty(); // the thread was in this call before anybody looked
        }
        WatchedProcesses.Look looked = processes.look(event);
        if (looked.filters().isPresent()) {
            decided = decided(event, looked.filters().get());
        } else if (decided.isEmpty()) {
            unknown++;
        }
        return decided.flatMap(denied -> note(event, denied, looked.caller()));
    }

    private Optional<Seen> note(DenialEvent event, Decided decided, Caller caller) {
        DenialNotes.Kind kind = kind(decided);
        if (notes.count(kind)) {
            return Optional.empty();
        }
        Explanation explanation = reasons.explain(decided.call(), decided.filter());
        var denial = new Denial(
                explanation.call(),
                answer(decided.action(), event.result()),
                event.name(),
                caller.executable(),
                caller.location(),
                explanation.brief(),
                1);
        notes.add(kind, denial);
        return Optional.of(new Seen(event.process(), event.thread(), denial));
    }

    /// Returns the filter's decision that denied the call, if one did: its answer is the one that the caller got.
    private static Optional<Decided> decided(DenialEvent event, LiveFilters filters) {
        return filters.deciding(event.call())
                .map(filter -> new Decided(event.call(), filter.decide(event.call()), filter))
                .filter(decided -> explains(decided.action(), event));
    }

    private static boolean explains(Action action, DenialEvent event) {
        return switch (action.kind()) {
            case ERRNO -> event.result() == -action.data();
            case KILL_PROCESS, KILL_THREAD, TRAP -> event.restored();
            case NOTIFY, TRACE -> event.result() < 0;
            case LOG, ALLOW -> false;
        };
    }

    private static String answer(Action action, long result) {
        return switch (action.kind()) {
            case NOTIFY, TRACE -> action + ", answered with " + Action.errno((int) -result);
            case KILL_PROCESS, KILL_THREAD -> action + ", by which it died of SIGSYS";
            case TRAP -> action + ", a SIGSYS";
            case ERRNO, LOG, ALLOW -> action.toString();
        };
    }

    private static DenialNotes.Kind kind(Decided decided) {
        SeccompData call = decided.call();
        return new DenialNotes.Kind(call.number(), call.arch(), Simulator.examined(decided.filter(), call));
    }

    /// Returns what has been denied until now, in the order of the first time.
    public List<Denial> denials() {
        return notes.told();
    }

    /// How many calls ended without having begun and were not looked at, because there were too many at a time.
    public long unexamined() {
        return Bpf.lookup(counters, DenialProgram.LOST);
    }

    /// How many calls ended without having begun and the filters of their process could not be read.
    public long unknown() {
        return unknown;
    }

    @Override
    public void close() {
        programs.forEach(Fd::close);
        entered.close();
        counters.close();
        queue.close();
        processes.close();
    }
}
