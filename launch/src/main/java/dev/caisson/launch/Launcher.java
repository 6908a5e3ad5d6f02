package dev.caisson.launch;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import dev.caisson.network.Attachment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Carries a plan out: asks the zygote for the first process and the root file system, opens what the
/// plan's slots name, hands all to the process, and waits until it stands before the program.
public final class Launcher {
    /// The parts of the root file system.
    ///
    /// @param layers the image's directories, topmost first
    /// @param userNamespace through which files are shown
    /// @param upper the mount that holds what the container writes; stays the caller's
    /// @param mounted the layers of each image that is mounted, in the order of the plan
    public record Layers(List<Fd> layers, Fd userNamespace, Optional<Fd> upper, List<List<Fd>> mounted) {
        public Layers {
            layers = List.copyOf(layers);
            mounted = List.copyOf(mounted);
        }
    }

    /// The resources of a launch besides the plan and the root file system.
    ///
    /// @param group the container's control group, with its limits set
    /// @param userNamespace through which files are shown
    /// @param streams standard input, output and error of the program
    /// @param shared detached mounts of workspaces and volumes, in the order of the plan; the caller's to close
    /// @param secrets variables of the program that no plan has, as `NAME=value`; the caller's to clear
    /// @param programs is given the directory of each mount that has the container's programs, before it is
    ///     attached: the root, and directories of the host that belong to the image
    public record Resources(
            Cgroup group,
            Fd userNamespace,
            List<Fd> streams,
            List<Fd> shared,
            List<byte[]> secrets,
            Consumer<Fd> programs) {
        public Resources {
            streams = List.copyOf(streams);
            shared = List.copyOf(shared);
            secrets = List.copyOf(secrets);
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

    /// The same as [#begin] for one in the host's network namespace, which is not among `namespaces`.
    public Birth beginInHostNetwork(IdRange ids, Set<Namespace> namespaces, Cgroup group) {
        return begin(
                ids, namespaces, group, (control, directory) -> zygote.hostChild(ids, namespaces, control, directory));
    }

    /// Begins a launch: the kernel makes the process and its namespaces while the caller makes the rest.
    ///
    /// @param ids those that the process will have, and `namespaces` those that are its own; the plan has
    ///     the same
    /// @param group the container's control group, as far as it stands
    public Birth begin(IdRange ids, Set<Namespace> namespaces, Cgroup group) {
        return begin(ids, namespaces, group, Optional.empty());
    }

    /// The same for one in the network namespace of another container, which is not among `namespaces`.
    ///
    /// @param network stays the caller's
    public Birth begin(IdRange ids, Set<Namespace> namespaces, Cgroup group, Optional<Fd> network) {
        return begin(
                ids,
                namespaces,
                group,
                (control, directory) -> zygote.child(ids, namespaces, control, directory, network));
    }

    private Birth begin(
            IdRange ids, Set<Namespace> namespaces, Cgroup group, BiFunction<Fd, Optional<Fd>, Zygote.Answer> asking) {
        Sockets.Pair control = Sockets.pair();
        Optional<Fd> directory = Optional.empty();
        try {
            directory = group.cloneInto();
            return new Birth(ids, namespaces, control.ours(), asking.apply(control.theirs(), directory));
        } catch (RuntimeException e) {
            control.ours().close();
            throw e;
        } finally {
            control.theirs().close();
            directory.ifPresent(Fd::close);
        }
    }

    /// A launch that has begun. Closed before its end, it leaves nothing of the container but its control
    /// group.
    public final class Birth implements AutoCloseable {
        private final IdRange ids;
        private final Set<Namespace> namespaces;
        private final Fd control;
        private final Zygote.Answer asked;
        private Zygote.@Nullable Child child;
        private Zygote.@Nullable Answer root;
        private Zygote.@Nullable Answer linked;
        private List<Link> linkedAhead = List.of();
        private final List<Zygote.Answer> covers = new ArrayList<>();
        private final List<Fd> imageFiles = new ArrayList<>();
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

        /// Makes the links of a process whose plan is not known yet, and waits for them.
        ///
        /// @param places all that it will have
        /// @throws HostException if the kernel refuses one
        public void linkAhead(List<Attachment> places) {
            List<Link> links = places.stream().map(Link::of).toList();
            try (Zygote.Answer made = zygote.links(ids, child(), links)) {
                made.done();
            }
            linkedAhead = links;
        }

        /// Has the root file system made, beside the caller, and the links of a process that is there already.
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
                        covers.add(zygote.cover(ids, List.of(mounts.getLast())));
                    } else if (source instanceof SlotSource.ImageFiles files) {
                        imageFiles.add(HostMounts.image(
                                files, of.mounted().get(files.index()), of.userNamespace(), ids, zygote));
                    }
                }
            } finally {
                // The zygote takes them down after its answer: that waits for other processors.
                mounts.forEach(Fd::close);
            }
            if (child != null) {
                link(plan);
            }
        }

        private void link(LaunchPlan plan) {
            if (linked == null && linkedAhead.isEmpty() && !plan.links().isEmpty()) {
                linked = zygote.links(ids, child(), plan.links());
            }
        }

        /// Everything up to the program, once the root file system is being made.
        public Launched complete(LaunchPlan plan, Resources resources) {
            return complete(plan, resources, Pause.NONE);
        }

        /// The same, with a pause. In front of a step behind READY init waits once it has been started,
        /// and tells so on the control socket, whose reader lets it go on by [Launched#start()].
        public Launched complete(LaunchPlan plan, Resources resources, Pause pause) {
            if (!plan.ids().equals(ids)
                    || !plan.madeNamespaces().equals(namespaces)
                    || !(linkedAhead.isEmpty() || linkedAhead.equals(plan.links()))) {
                throw new IllegalArgumentException("the plan is for another process");
            }
            Zygote.Answer assembled = Objects.requireNonNull(root);
            link(plan);
            var opened = new ArrayList<Fd>();
            try {
                var handover = new Handover(plan.slots().size());
                open(plan, resources, pause.step(), opened, handover);
                var launched = new Launched(take(), control);
                try {
                    Fd mount = keep(opened, assembled.descriptor());
                    resources.programs().accept(mount);
                    handover.add(plan.slots().size() - 1, mount);
                    handover.send(control);
                    if (linked != null) { // made while init mounts, which waits for them
                        linked.done();
                        linked = null;
                    }
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
        private void open(LaunchPlan plan, Resources resources, int pauseBefore, List<Fd> opened, Handover handover) {
            List<Fd> joins = resources.group().joinFds();
            opened.addAll(joins);
            for (int slot = 0; slot < plan.slots().size(); slot++) {
                switch (plan.slots().get(slot)) {
                    case SlotSource.Plan _ ->
                        handover.add(slot, keep(opened, PlanCodec.sealed(plan, pauseBefore, resources.secrets())));
                    case SlotSource.Stream stream ->
                        handover.add(slot, resources.streams().get(stream.number()));
                    case SlotSource.CgroupTasks tasks -> handover.add(slot, joins.get(tasks.index()));
                    case SlotSource.Bind bind ->
                        handover.add(slot, keep(opened, HostMounts.bind(bind, resources.userNamespace())));
                    case SlotSource.Shared shared -> {
                        Fd mount = resources.shared().get(shared.index());
                        HostMounts.shared(mount, shared, resources.userNamespace());
                        handover.add(slot, mount);
                    }
                    case SlotSource.Secrets secrets ->
                        handover.add(slot, resources.shared().get(secrets.index()));
                    case SlotSource.Cover cover -> {
                        Fd mount = keep(opened, covers.get(cover.index()).descriptor());
                        resources.programs().accept(mount);
                        handover.add(slot, mount);
                    }
                    case SlotSource.ImageFiles files -> handover.add(slot, imageFiles.get(files.index()));
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
            if (linked != null) {
                linked.close();
                linked = null;
            }
            covers.forEach(Zygote.Answer::close);
            covers.clear();
            imageFiles.forEach(Fd::close);
            imageFiles.clear();
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
        awaitReady(steps, launched, pause, InitSocket.READY_TIMEOUT_MILLIS);
    }

    static void awaitReady(List<Step> steps, Launched launched, Pause pause, long millis) {
        Sockets.receiveTimeout(launched.control(), millis);
        while (true) {
            Report report;
            try (Sockets.Message message = InitSocket.receive(launched.control())) {
                report = Report.decode(message.bytes());
                launched.keep(report, message.descriptors());
            }
            switch (report.kind()) {
                case READY -> {
                    launched.isReady(report.phaseMicros());
                    return;
                }
                case ERROR -> throw InitFailures.of(steps, report);
                case CONSOLE, RESOLVER, OPENED -> {}
                case PAUSED -> {
                    pause.meanwhile().run();
                    launched.start();
                }
                case EXIT, NAMESPACE, LISTENER ->
                    throw new HostException(
                            "INIT_PROTOCOL", "init sent a report of " + report.kind() + " before the start");
            }
        }
    }
}
