package dev.caisson.launch;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Carries a plan out: asks the zygote for the first process and the root file system, opens what the plan's slots
/// name,
/// hands all to the process, and waits until it stands before the program.
public final class Launcher {
    private static final byte[] START = {1};
    private static final byte[] START_ALONE = {3};
    private static final int SIGKILL = 9;
    /// Offset of `called` in plan.h's `struct start`.
    private static final long START_CALLED = 4;
    private static final int DYING_LOOKS = 4;
    private static final long DYING_PAUSE_NANOS = 5_000_000;

    /// The parts of the root file system.
    ///
    /// @param layers the image's directories, topmost first
    /// @param userNamespace through which files are shown
    /// @param upper the mount that holds what the container writes; stays the caller's
    public record Layers(List<Fd> layers, Fd userNamespace, Optional<Fd> upper) {
        public Layers {
            layers = List.copyOf(layers);
        }
    }

    /// The resources of a launch besides the plan and the root file system.
    ///
    /// @param group the container's control group, with its limits set
    /// @param userNamespace through which files are shown
    /// @param streams standard input, output and error of the program
    public record Resources(Cgroup group, Fd userNamespace, List<Fd> streams) {
        public Resources {
            streams = List.copyOf(streams);
        }
    }

    /// A container that stands and waits for its start.
    public static final class Launched implements AutoCloseable {
        private final int pid;
        private final Fd pidfd;
        private final Fd control;
        private Optional<Fd> console = Optional.empty();
        private @Nullable Fd start;
        private List<Integer> phaseMicros = List.of();

        Launched(Zygote.Child child, Fd control) {
            this.pid = child.pid();
            this.pidfd = child.pidfd();
            this.control = control;
        }

        private void keep(Report.Kind kind, List<Fd> descriptors) {
            if (descriptors.size() != 1) {
                return;
            }
            if (kind == Report.Kind.CONSOLE) {
                console = Optional.of(new Fd(descriptors.getFirst().release()));
            } else if (kind == Report.Kind.READY) {
                start = new Fd(descriptors.getFirst().release());
            }
        }

        /// Returns the pid of the container's process 1, as this process sees it. Valid until it is reaped.
        public int pid() {
            return pid;
        }

        public Fd pidfd() {
            return pidfd;
        }

        /// Returns the socket of reports: the exit of the program.
        public Fd control() {
            return control;
        }

        /// The terminal's master, where one was asked for.
        public Optional<Fd> console() {
            return console;
        }

        /// How long init took for each phase, in microseconds.
        public List<Integer> phaseMicros() {
            return phaseMicros;
        }

        /// True if init, or its child, has called execveat(2): before, nothing of the program has run. It stays known
        /// when
        /// init is killed before it could tell.
        public boolean hasCalledProgram() {
            Fd file = start;
            var called = new byte[Integer.BYTES];
            return file != null && FileContent.readAt(file, called, START_CALLED) == called.length && called[0] == 1;
        }

        /// Lets init run the program.
        /// @return false if init has died; what it said before is still on the control socket
        public boolean start() {
            return say(START);
        }

        /// Like [#start], of a process that outlives this one: whoever has a copy of its control socket keeps it.
        public boolean startAlone() {
            return say(START_ALONE);
        }

        private boolean say(byte... word) {
            try {
                Sockets.send(control, word, List.of());
                return true;
            } catch (ErrnoException e) {
                if (Sockets.isClosed(e)) {
                    return false;
                }
                throw e;
            }
        }

        /// Leaves it to run on, closes all that is held of it, and reaps it when it has ended, if this process lives by
        /// then.
        public void leave() {
            control.close();
            Thread.ofPlatform().daemon().name("caisson-left-exec").start(() -> {
                try {
                    reap();
                } finally {
                    close();
                }
            });
        }

        /// Ends it before its start.
        public void abandon() {
            try {
                Processes.signal(pidfd, SIGKILL);
                reap();
            } finally {
                close();
            }
        }

        /// Ends it before its start, because of a failure.
        /// @return that failure, or INIT_DIED if init was dead already, which explains all that failed after it
        public RuntimeException abandon(RuntimeException failure) {
            RuntimeException why = failure;
            try {
                if (hasDied()) {
                    why = InitFailures.died();
                    why.addSuppressed(failure);
                }
                abandon();
            } catch (RuntimeException e) {
                why.addSuppressed(e);
            }
            return why;
        }

        /// One that is being killed may still look alive for some time.
        private boolean hasDied() {
            for (int looks = 0; looks < DYING_LOOKS; looks++) {
                if (Processes.hasEnded(pidfd) || Processes.isBeingKilled(pid)) {
                    return true;
                }
                LockSupport.parkNanos(DYING_PAUSE_NANOS);
            }
            return false;
        }

        /// Somebody who watches it may have done it before.
        private void reap() {
            try {
                Processes.reap(pidfd);
            } catch (ErrnoException e) {
                if (!e.is(Errno.ECHILD)) {
                    throw e;
                }
            }
        }

        @Override
        public void close() {
            pidfd.close();
            control.close();
            console.ifPresent(Fd::close);
            if (start != null) {
                start.close();
            }
        }
    }

    /// A place at which a launch stands still, for tests that end the engine there.
    ///
    /// @param step index into the plan: init waits in front of it
    /// @param meanwhile is run while it waits; init goes on when this returns
    public record Pause(int step, Runnable meanwhile) {
        static final Pause NONE = new Pause(PlanCodec.NO_PAUSE, () -> {});
    }

    private final Zygote zygote;

    public Launcher(Zygote zygote) {
        this.zygote = zygote;
    }

    /// Begins a launch: the kernel makes the process and its namespaces while the caller makes the rest.
    ///
    /// @param ids those that the process will have, and `namespaces` those that are its own; the plan has the same
    /// @param group the container's control group, as far as it stands
    public Birth begin(IdRange ids, Set<Namespace> namespaces, Cgroup group) {
        Sockets.Pair control = Sockets.pair();
        Optional<Fd> directory = Optional.empty();
        try {
            directory = group.cloneInto();
            return new Birth(
                    ids, namespaces, control.ours(), zygote.child(ids, namespaces, control.theirs(), directory));
        } catch (RuntimeException e) {
            control.ours().close();
            throw e;
        } finally {
            control.theirs().close();
            directory.ifPresent(Fd::close);
        }
    }

    /// A launch that has begun. Closed before its end, it leaves nothing of the container but its control group.
    public final class Birth implements AutoCloseable {
        private final IdRange ids;
        private final Set<Namespace> namespaces;
        private final Fd control;
        private final Zygote.Answer asked;
        private Zygote.@Nullable Child child;
        private Zygote.@Nullable Answer root;
        private final List<Zygote.Answer> covers = new ArrayList<>();
        private boolean taken;

        private Birth(IdRange ids, Set<Namespace> namespaces, Fd control, Zygote.Answer asked) {
            this.ids = ids;
            this.namespaces = Set.copyOf(namespaces);
            this.control = control;
            this.asked = asked;
        }

        /// True if the process is there and waits for a plan. Where it is not, nothing is left of it.
        public boolean waits() {
            try {
                Zygote.Child waiting = child();
                if (Processes.reapNow(waiting.pidfd()) == null) {
                    return true;
                }
                taken = true;
                waiting.pidfd().close();
                control.close();
                return false;
            } catch (HostException _) {
                return false; // whoever asks for the next one is told
            }
        }

        /// Has the root file system made, beside the caller.
        public void assemble(LaunchPlan plan, Layers of) {
            var mounts = new ArrayList<Fd>();
            try {
                for (Fd layer : of.layers()) {
                    mounts.add(HostMounts.layer(layer, of.userNamespace()));
                }
                var all = new ArrayList<Fd>(mounts);
                of.upper().ifPresent(all::add);
                root = zygote.root(plan, all);
                for (SlotSource source : plan.slots()) {
                    if (source instanceof SlotSource.Cover cover) {
                        mounts.add(HostMounts.covered(cover, of.userNamespace()));
                        covers.add(zygote.cover(ids, mounts.getLast()));
                    }
                }
            } finally {
                // The zygote takes them down after its answer: that waits for other processors.
                mounts.forEach(Fd::close);
            }
        }

        /// Everything up to the program, once the root file system is being made.
        public Launched complete(LaunchPlan plan, Resources resources) {
            return complete(plan, resources, Pause.NONE);
        }

        /// The same, with a pause. In front of a step behind READY init waits once it has been started, and tells so on
        /// the control socket, whose reader lets it go on by [Launched#start()].
        public Launched complete(LaunchPlan plan, Resources resources, Pause pause) {
            if (!plan.ids().equals(ids) || !plan.namespaces().equals(namespaces)) {
                throw new IllegalArgumentException("the plan is for another process");
            }
            Zygote.Answer assembled = Objects.requireNonNull(root);
            var opened = new ArrayList<Fd>();
            try {
                var handover = new Handover(plan.slots().size());
                open(plan, resources, PlanCodec.encode(plan, pause.step()), opened, handover);
                var launched = new Launched(take(), control);
                try {
                    handover.add(plan.slots().size() - 1, keep(opened, assembled.descriptor()));
                    handover.send(control);
                    awaitReady(plan.steps(), launched, pause);
                    return launched;
                } catch (LaunchException e) { // init's own word, or that it gave none
                    launched.abandon();
                    throw e;
                } catch (RuntimeException e) {
                    throw launched.abandon(e);
                } catch (Error e) {
                    launched.abandon();
                    throw e;
                }
            } finally {
                opened.forEach(Fd::close);
            }
        }

        /// Waits for the process, which stays this object's.
        private Zygote.Child child() {
            Zygote.Child known = child;
            if (known != null) {
                return known;
            }
            try (asked) {
                known = asked.child();
                child = known;
                return known;
            } catch (RuntimeException e) {
                taken = true;
                control.close();
                throw e;
            }
        }

        private Zygote.Child take() {
            Zygote.Child known = child();
            taken = true;
            return known;
        }

        /// @param opened gets what is this launch's to close
        private void open(LaunchPlan plan, Resources resources, byte[] encoded, List<Fd> opened, Handover handover) {
            List<Fd> joins = resources.group().joinFds();
            opened.addAll(joins);
            for (int slot = 0; slot < plan.slots().size(); slot++) {
                switch (plan.slots().get(slot)) {
                    case SlotSource.Plan _ ->
                        handover.add(slot, keep(opened, MemoryFile.sealed("caisson-plan", encoded)));
                    case SlotSource.Stream stream ->
                        handover.add(slot, resources.streams().get(stream.number()));
                    case SlotSource.CgroupTasks tasks -> handover.add(slot, joins.get(tasks.index()));
                    case SlotSource.Bind bind ->
                        handover.add(slot, keep(opened, HostMounts.bind(bind, resources.userNamespace())));
                    case SlotSource.Cover cover ->
                        handover.add(
                                slot, keep(opened, covers.get(cover.index()).descriptor()));
                    case SlotSource.Device device ->
                        handover.add(slot, keep(opened, HostMounts.device(device, ids, zygote)));
                    // init has its control socket; the zygote is given the others, and gives the root
                    case SlotSource.NamespaceOf _, SlotSource.Lifetime _ ->
                        throw new IllegalArgumentException("no slot of a launch");
                    case SlotSource.Control _,
                            SlotSource.CgroupDirectory _,
                            SlotSource.Layer _,
                            SlotSource.Upper _,
                            SlotSource.Root _ -> {}
                }
            }
        }

        @Override
        public void close() {
            if (root != null) {
                root.close();
                root = null;
            }
            covers.forEach(Zygote.Answer::close);
            covers.clear();
            if (taken) {
                return;
            }
            try {
                new Launched(take(), control).abandon();
            } catch (HostException _) {
                // there is no child
            }
        }
    }

    static Fd keep(List<Fd> opened, Fd fd) {
        opened.add(fd);
        return fd;
    }

    static void awaitReady(List<Step> steps, Launched launched, Pause pause) {
        Sockets.receiveTimeout(launched.control, InitSocket.READY_TIMEOUT_MILLIS);
        while (true) {
            Report report;
            try (Sockets.Message message = InitSocket.receive(launched.control)) {
                report = Report.decode(message.bytes());
                launched.keep(report.kind(), message.descriptors());
            }
            switch (report.kind()) {
                case READY -> {
                    launched.phaseMicros = report.phaseMicros();
                    return;
                }
                case ERROR -> throw InitFailures.of(steps, report);
                case CONSOLE -> {}
                case PAUSED -> {
                    pause.meanwhile().run();
                    launched.start();
                }
                case EXIT -> throw new HostException("INIT_PROTOCOL", "init told of an exit before the start");
            }
        }
    }
}
