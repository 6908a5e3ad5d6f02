package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Namespace;
import dev.caisson.launch.Step;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.ProcessTimes;
import dev.caisson.linux.Processes;
import dev.caisson.spec.ContainerId;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import dev.caisson.watch.ProgramListener;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// A container that runs, as one more program of it sees it: whichever process runs it.
final class ExecTarget {
    /// The kernel's bound of one program's arguments and variables together, of which this is a part.
    private static final int MAX_ENVIRONMENT = 1 << 21;
    /// The target of /proc/PID/exe until a process of the container runs its program.
    private static final String INIT = "/memfd:caisson-init (deleted)";
    private static final long PATIENCE_NANOS = 2_000_000_000;
    private static final long PAUSE_NANOS = 200_000;

    private final ContainerRecord record;
    private final LaunchPlan plan;
    private final Cgroup group;

    ExecTarget(ContainerRecord record, LaunchPlan plan, Cgroup group) {
        this.record = record;
        this.plan = plan;
        this.group = group;
    }

    /// Finds it by its name or the beginning of its id.
    /// @throws EngineException CONTAINER_UNKNOWN, CONTAINER_AMBIGUOUS, CONTAINER_NOT_RUNNING
    static ExecTarget find(String container, EngineOptions options, Hierarchy hierarchy) {
        ContainerId id = Lookup.find(container, options).orElseThrow(() -> Failures.unknown(container));
        ContainerRecord record =
                State.running(id, options.state()).orElseGet(() -> recordOfAnotherStart(id.value(), options));
        return of(record, hierarchy);
    }

    /// The record of one that outlives its command: its monitor may have started it again, which writes none.
    private static ContainerRecord recordOfAnotherStart(String id, EngineOptions options) {
        DetachedPlace place = DetachedPlace.find(id, options).orElseThrow(() -> ended(KeptContainer.find(id, options)));
        new DetachedContainer(place).stateNow().require(ContainerState.Operation.SIGNAL, place.name());
        try {
            place.refresh();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return place.findRecord().orElseThrow(() -> notRunning(place.name()));
    }

    static ExecTarget of(ContainerRecord record, Hierarchy hierarchy) {
        Cgroup group = hierarchy
                .find(record.cgroupParent(), record.id())
                .filter(_ -> record.pid() > 0)
                .orElseThrow(() -> notRunning(record.name()));
        return new ExecTarget(record, record.plan().plan(), group);
    }

    private static EngineException ended(KeptContainer kept) {
        return new EngineException(
                "CONTAINER_NOT_RUNNING",
                "the container " + kept.name().orElse(kept.id().shortForm())
                        + " has ended, and its files went with the command that ran it: run it with -d to keep them");
    }

    private static EngineException notRunning(String container) {
        return new EngineException(
                "CONTAINER_NOT_RUNNING",
                "the container " + container + " does not run: start it, or wait until it has started");
    }

    ContainerRecord record() {
        return record;
    }

    String name() {
        return record.name();
    }

    int pid() {
        return record.pid();
    }

    LaunchPlan plan() {
        return plan;
    }

    Cgroup group() {
        return group;
    }

    /// @throws EngineException CONTAINER_NOT_RUNNING where it has ended by now: a descriptor that was
    ///     opened before then may be another process's
    void requireRunning() {
        if (!ProcessTimes.isStaying(record.pid(), record.startTime())) {
            throw notRunning(record.name());
        }
    }

    /// @throws EngineException CONTAINER_PAUSED, as a process that is born into its group stands still
    void requireNotPaused() {
        if (group.isToldToPause()) {
            throw new EngineException(
                    "CONTAINER_PAUSED", "the container " + record.name() + " is paused: let it run on first");
        }
    }

    /// True if it is paused and who is charged like it is stopped with it.
    boolean isFrozenInside() {
        return group.chargesInUnified() && group.isToldToPause();
    }

    /// Descriptors of its namespaces, in the order in which they are entered; the caller's to close.
    List<Fd> namespaces(List<Namespace> ordered) {
        var opened = new ArrayList<Fd>();
        try {
            for (Namespace namespace : ordered) {
                opened.add(FileSystem.open("/proc/" + pid() + "/ns/" + namespace.link(), FileSystem.O_RDONLY));
            }
            requireRunning();
            return opened;
        } catch (ErrnoException e) {
            opened.forEach(Fd::close);
            throw e.is(Errno.ENOENT) || e.is(Errno.ESRCH) ? notRunning(record.name()) : e;
        } catch (RuntimeException e) {
            opened.forEach(Fd::close);
            throw e;
        }
    }

    /// Its first process; the caller's to close.
    Fd process() {
        try {
            Fd process = Processes.open(pid());
            if (ProcessTimes.isStaying(pid(), record.startTime())) {
                return process;
            }
            process.close();
        } catch (ErrnoException e) {
            if (!e.is(Errno.ESRCH)) {
                throw e;
            }
        }
        throw notRunning(record.name());
    }

    /// Its root directory; the caller's to close.
    Fd root() {
        try {
            Fd root = FileSystem.open("/proc/" + pid() + "/root", FileSystem.O_PATH | FileSystem.O_DIRECTORY);
            requireRunning();
            return root;
        } catch (ErrnoException e) {
            throw e.is(Errno.ENOENT) || e.is(Errno.ESRCH) ? notRunning(record.name()) : e;
        }
    }

    /// The variables that its program was started with, as `NAME=value`. They are read where the kernel keeps them,
    /// because they are written down nowhere; the program may have changed them there. None where it has ended.
    List<String> environment() {
        String text = awaitVariables(plan.only(Step.Execute.class));
        requireRunning();
        var variables = new ArrayList<String>();
        String whole = text.substring(0, text.lastIndexOf('\0') + 1); // what was cut off is no variable
        for (String variable : whole.split("\0", -1)) {
            if (variable.indexOf('=') > 0) {
                variables.add(variable);
            }
        }
        return variables;
    }

    /// Waits for the variables of its program, which always has some: a container counts as running a moment before it
    /// runs its program, and execve(2) replaces the program a moment before its variables.
    private String awaitVariables(Step.Execute execute) {
        long until = System.nanoTime() + PATIENCE_NANOS;
        String text = variables(execute);
        while (text.isEmpty() && !execute.idle() && System.nanoTime() - until < 0) {
            requireRunning();
            LockSupport.parkNanos(PAUSE_NANOS);
            text = variables(execute);
        }
        return text;
    }

    private String variables(Step.Execute execute) {
        return ProgramListener.program(pid(), execute.initStays())
                .filter(process -> execute.idle() || runsItsProgram(process))
                .map(ExecTarget::variables)
                .orElse("");
    }

    private static String variables(int process) {
        try (Fd file = FileSystem.open("/proc/" + process + "/environ", FileSystem.O_RDONLY)) {
            return ByteText.of(FileSystem.read(file, MAX_ENVIRONMENT));
        } catch (ErrnoException e) {
            return "";
        }
    }

    private static boolean runsItsProgram(int process) {
        try (Fd directory = FileSystem.open("/proc/" + process, FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return !FileSystem.readLink(directory, "exe").equals(INIT);
        } catch (ErrnoException e) {
            return false; // it has ended
        }
    }
}
