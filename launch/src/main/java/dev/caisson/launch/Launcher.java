package dev.caisson.launch;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Mounts;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Carries a plan out: opens what its slots name, hands all to the zygote, and waits until init stands before the
/// program.
public final class Launcher {
    private static final long READY_TIMEOUT_MILLIS = 30_000;
    private static final byte[] START = {1};
    private static final int SIGKILL = 9;

    /// What a launch is given besides the plan.
    ///
    /// @param group the container's control group, with its limits set
    /// @param layers the image's directories, topmost first
    /// @param userNamespace through which files are shown
    /// @param streams standard input, output and error of the program
    /// @param upper the mount that holds what the container writes; stays the caller's
    public record Resources(Cgroup group, List<Fd> layers, Fd userNamespace, List<Fd> streams, Optional<Fd> upper) {
        public Resources {
            layers = List.copyOf(layers);
            streams = List.copyOf(streams);
        }
    }

    /// A container that stands and waits for its start.
    public static final class Launched implements AutoCloseable {
        private final int pid;
        private final Fd pidfd;
        private final Fd control;
        private final Optional<Fd> console;
        private final List<Integer> phaseMicros;

        private Launched(Zygote.Child child, Fd control, Optional<Fd> console, List<Integer> phaseMicros) {
            this.pid = child.pid();
            this.pidfd = child.pidfd();
            this.control = control;
            this.console = console;
            this.phaseMicros = phaseMicros;
        }

        /// Of the container's process 1, as this process sees it. Valid until it is reaped.
        public int pid() {
            return pid;
        }

        public Fd pidfd() {
            return pidfd;
        }

        /// Where reports come from: the exit of the program.
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

        /// Lets init run the program.
        public void start() {
            Sockets.send(control, START, List.of());
        }

        /// Ends it before its start.
        public void abandon() {
            Processes.signal(pidfd, SIGKILL);
            Processes.reap(pidfd);
            close();
        }

        @Override
        public void close() {
            pidfd.close();
            control.close();
            console.ifPresent(Fd::close);
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

    /// Everything up to the program. On failure nothing of the container is left but its control group.
    public Launched launch(LaunchPlan plan, Resources resources) {
        return launch(plan, resources, Pause.NONE);
    }

    /// The same, with a pause. In front of a step behind READY init waits once it has been started, and tells so on
    /// the control socket, whose reader lets it go on by [Launched#start()].
    public Launched launch(LaunchPlan plan, Resources resources, Pause pause) {
        byte[] encoded = PlanCodec.encode(plan, pause.step());
        Sockets.Pair control = Sockets.pair();
        var opened = new ArrayList<Fd>();
        Zygote.Child child;
        try {
            opened.add(control.theirs());
            List<Fd> slots = open(plan, resources, encoded, control.theirs(), opened);
            // Taking a detached mount down waits for other processors: the zygote does it, after its answer.
            child = zygote.launch(plan, slots, () -> opened.forEach(Fd::close));
        } catch (RuntimeException e) {
            opened.forEach(Fd::close);
            control.ours().close();
            throw e;
        }
        try {
            return awaitReady(plan, child, control.ours(), pause);
        } catch (RuntimeException e) {
            new Launched(child, control.ours(), Optional.empty(), List.of()).abandon();
            throw e;
        }
    }

    /// @param opened gets what is this launch's to close
    private static List<Fd> open(LaunchPlan plan, Resources resources, byte[] encoded, Fd control, List<Fd> opened) {
        var slots = new ArrayList<Fd>();
        List<Fd> joins = resources.group().joinFds();
        opened.addAll(joins);
        for (SlotSource source : plan.slots()) {
            switch (source) {
                case SlotSource.Plan _ -> slots.add(keep(opened, MemoryFile.sealed("caisson-plan", encoded)));
                case SlotSource.Control _ -> slots.add(control);
                case SlotSource.Stream stream -> slots.add(resources.streams().get(stream.number()));
                case SlotSource.CgroupTasks tasks -> slots.add(joins.get(tasks.index()));
                case SlotSource.CgroupDirectory _ ->
                    slots.add(keep(opened, resources.group().cloneInto().orElseThrow()));
                case SlotSource.Layer layer -> slots.add(keep(opened, layer(resources, layer.index())));
                case SlotSource.Bind bind -> slots.add(keep(opened, bind(bind, resources.userNamespace())));
                case SlotSource.Upper _ -> slots.add(resources.upper().orElseThrow());
                case SlotSource.Root _ -> {}
            }
        }
        return slots;
    }

    private static Fd keep(List<Fd> opened, Fd fd) {
        opened.add(fd);
        return fd;
    }

    private static Fd layer(Resources resources, int index) {
        Fd mount = Mounts.copy(resources.layers().get(index), false);
        try {
            Mounts.mapIds(mount, resources.userNamespace(), false);
            return mount;
        } catch (ErrnoException e) {
            mount.close();
            throw idMapRefused("the image's file system", e);
        }
    }

    private static Fd bind(SlotSource.Bind bind, Fd userNamespace) {
        Set<Mounts.Attribute> attributes = EnumSet.of(Mounts.Attribute.NO_SETUID, Mounts.Attribute.NO_DEVICES);
        if (bind.readOnly()) {
            attributes.add(Mounts.Attribute.READ_ONLY);
        }
        Fd mount;
        try (Fd source = FileSystem.openWithoutLinks(bind.source().toString(), FileSystem.O_PATH)) {
            mount = Mounts.copy(source, bind.recursive());
        } catch (ErrnoException e) {
            throw new HostException(
                    "MOUNT_SOURCE",
                    "the host path " + bind.source() + " cannot be mounted (" + Errno.name(e.errno()) + ")",
                    e);
        }
        try {
            Mounts.restrict(mount, attributes, bind.recursive());
            Mounts.mapIds(mount, userNamespace, bind.recursive());
            return mount;
        } catch (ErrnoException e) {
            mount.close();
            throw idMapRefused("the file system of " + bind.source(), e);
        }
    }

    private static HostException idMapRefused(String what, ErrnoException e) {
        return new HostException(
                "IDMAP_REFUSED",
                what + " cannot be shown through an id map (" + Errno.name(e.errno())
                        + "): put it on ext4, xfs, btrfs or tmpfs",
                e);
    }

    private static Launched awaitReady(LaunchPlan plan, Zygote.Child child, Fd control, Pause pause) {
        Sockets.receiveTimeout(control, READY_TIMEOUT_MILLIS);
        Optional<Fd> console = Optional.empty();
        while (true) {
            Report report;
            try (Sockets.Message message = receive(control)) {
                report = Report.decode(message.bytes());
                if (report.kind() == Report.Kind.CONSOLE
                        && message.descriptors().size() == 1) {
                    console =
                            Optional.of(new Fd(message.descriptors().getFirst().release()));
                }
            }
            switch (report.kind()) {
                case READY -> {
                    return new Launched(child, control, console, report.phaseMicros());
                }
                case ERROR -> {
                    console.ifPresent(Fd::close);
                    throw failure(plan, report);
                }
                case CONSOLE -> {}
                case PAUSED -> {
                    pause.meanwhile().run();
                    Sockets.send(control, START, List.of());
                }
                case EXIT -> throw new HostException("INIT_PROTOCOL", "init told of an exit before the start");
            }
        }
    }

    private static Sockets.Message receive(Fd control) {
        try {
            Sockets.Message message = Sockets.receive(control, Report.BYTES);
            if (message.isEnd()) {
                throw new HostException(
                        "INIT_DIED",
                        "the container's init died before the program was started: the host may be out of memory, see dmesg");
            }
            return message;
        } catch (ErrnoException e) {
            if (e.is(Errno.EAGAIN)) {
                throw new HostException(
                        "LAUNCH_TIMEOUT",
                        "the container was not ready after " + READY_TIMEOUT_MILLIS / 1000 + " seconds",
                        e);
            }
            throw e;
        }
    }

    /// What an error report says, in terms of the plan.
    public static LaunchException failure(LaunchPlan plan, Report report) {
        if (report.step() < 0 || report.step() >= plan.steps().size()) {
            return new HostException(
                    "INIT_FAILED",
                    "init failed before its first step (" + Errno.name(report.status())
                            + (report.detail() == 0 ? "" : ", plan rule " + report.detail()) + ")");
        }
        return StepFailedException.of(plan.steps().get(report.step()), report.status());
    }
}
