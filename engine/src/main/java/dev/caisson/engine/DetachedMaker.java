package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ProgressListener;
import dev.caisson.image.Rootfs;
import dev.caisson.launch.IdRanges;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Launcher;
import dev.caisson.launch.Parts;
import dev.caisson.launch.Zygote;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.launch.monitor.MonitorPolicy;
import dev.caisson.launch.monitor.MonitorProcess;
import dev.caisson.launch.monitor.MonitorSetup;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Mounts;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.Placement;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.DiskLayers;
import dev.caisson.state.Groups;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptRun;
import dev.caisson.state.Names;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Makes a container that outlives its command: everything that its monitor will need to start it, any
/// number of times, and the monitor itself. A place in the state directory, as an engine has one, is the
/// container's own; the monitor holds its lock, so that whoever finds the lock free knows that the
/// monitor is gone, and clears up.
final class DetachedMaker implements AutoCloseable {
    private static final int MOST_ASKED = 4;

    private final EngineOptions options;
    private final Preparation preparation;
    private final Hierarchy hierarchy;
    private final Supplier<Zygote> zygote;
    private final KeptDirectory kept;
    private final DiskLayers diskLayers;
    private final SharedParts shared;
    private final Executor background;
    private final NextMonitor monitors;
    private @Nullable Fd program;

    /// @param background does what nobody waits for
    DetachedMaker(
            EngineOptions options,
            Preparation preparation,
            Supplier<Zygote> zygote,
            KeptDirectory kept,
            DiskLayers diskLayers,
            SharedParts shared,
            Executor background) {
        this.options = options;
        this.preparation = preparation;
        this.hierarchy = preparation.hierarchy();
        this.zygote = zygote;
        this.kept = kept;
        this.diskLayers = diskLayers;
        this.shared = shared;
        this.background = background;
        this.monitors = new NextMonitor(hierarchy::root);
    }

    /// Refuses what needs an engine that stays.
    /// @throws EngineException DETACHED_REFUSED
    private static void requirePossible(ContainerSpec spec, EngineOptions options) {
        spec.cpuTime().ifPresent(_ -> {
            throw refused("a limit of processor time (--cpu-time)", "give --timeout, or --cpus");
        });
        if (spec.seccomp() instanceof SeccompChoice.Watched watched && watched.watch() != SeccompChoice.Watch.TELL) {
            throw refused("a filter that only complains or learns (--seccomp-mode)", "run it without -d");
        }
        if (options.driver() == CgroupDriver.SYSTEMD) {
            throw refused("the systemd driver of control groups", "leave CAISSON_CGROUP_DRIVER out");
        }
    }

    private static EngineException refused(String what, String instead) {
        return new EngineException(
                "DETACHED_REFUSED",
                what + " needs an engine that stays, a container that outlives its command has none: " + instead);
    }

    /// @throws RuntimeException if it was not made; then nothing is left of it
    DetachedContainer make(ContainerSpec spec, DetachedOptions wanted, ProgressListener progress)
            throws InterruptedException {
        requirePossible(spec, options);
        DetachedPlace made =
                make(spec, wanted, progress, new DetachedHome.New(kept, ContainerId.random(), spec.name()));
        made.note("create", Map.of());
        return new DetachedContainer(made);
    }

    /// Makes one again whose monitor is gone, under its own lock.
    /// @throws RuntimeException if it was not made; then it is as before
    void makeAgain(ContainerSpec spec, DetachedHome.Former home) throws InterruptedException {
        make(spec, home.file().options(), ProgressListener.none(), home);
    }

    private DetachedPlace make(ContainerSpec spec, DetachedOptions wanted, ProgressListener progress, DetachedHome home)
            throws InterruptedException {
        try {
            return make(
                    preparation.prepare(
                            preparation.answeredByMonitor(SharedNetwork.pinned(spec, options)),
                            progress,
                            wanted.imageVolumes()),
                    wanted,
                    home);
        } catch (RuntimeException e) {
            throw Failures.coded(e);
        }
    }

    private DetachedPlace make(Preparation.Prepared prepared, DetachedOptions wanted, DetachedHome home)
            throws InterruptedException {
        String label = "container " + home.id().value();
        if (home instanceof DetachedHome.New) { // of a former one the caller has the lock
            preparation.refreshSecrets(prepared, label);
        }
        var undo = new ArrayDeque<Runnable>();
        var closing = new ArrayList<Fd>();
        // One of its own, that holds the ports no longer than until they lead to the container.
        var networks = GuestNetworks.kept(options);
        SpecTexts texts = home instanceof DetachedHome.New
                ? SpecTexts.of(prepared.spec(), wanted.health().command())
                : SpecTexts.none();
        try (SecretFiles secrets = preparation.secrets(prepared, texts, label);
                GateSecrets _ = preparation.gates(prepared, label)) { // read again by whoever serves them
            DetachedPlace made = make(prepared, wanted, home, networks, secrets, undo, closing);
            undo.clear();
            return made;
        } catch (RuntimeException | Error | InterruptedException e) {
            closing.forEach(Fd::close);
            undo(undo, e);
            throw e;
        } finally {
            closing.forEach(Fd::close);
            networks.close();
        }
    }

    /// Returns the spec with the digests of its images: made again, it has the images that it was created
    /// with, whatever their tags have come to name.
    private static ContainerSpec pinned(Preparation.Prepared prepared) {
        ContainerSpec spec = prepared.spec().mounts(prepared.pinnedMounts());
        Optional<Digest> digest = prepared.rootfs().digest();
        return spec.image() instanceof Image.Named named && digest.isPresent()
                ? spec.image(new Image.Named(named.reference().at(digest.get())))
                : spec;
    }

    private static void undo(Deque<Runnable> undo, Throwable failure) {
        while (!undo.isEmpty()) {
            try {
                undo.pop().run();
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
        }
    }

    /// @param undo gets what takes a step back, the last first
    /// @param closing gets descriptors that the monitor has copies of
    private DetachedPlace make(
            Preparation.Prepared prepared,
            DetachedOptions wanted,
            DetachedHome home,
            GuestNetworks networks,
            SecretFiles secrets,
            Deque<Runnable> undo,
            List<Fd> closing)
            throws InterruptedException {
        ContainerSpec spec = prepared.spec();
        String image = prepared.rootfs().digest().map(Object::toString).orElse("");
        home.requireImage(image);
        HealthCheck health = wanted.health().settled(prepared.rootfs().config().health());
        HealthProbes.requirePossible(health, hierarchy);
        ContainerId id = home.id();
        var place = Recovery.state(options);
        undo.push(place::close);
        Names.Taken name = home.name(place.names());
        undo.push(name::close);
        var ranges = new IdRanges(place.root());
        undo.push(ranges::close);
        IdRanges.Asked range = ranges.ask(zygote.get());
        undo.push(range::close);
        place.announce(id.value());
        LaunchPlan plan = prepared.plan(range.range(), id, home.join(networks, prepared, name.name(), undo));
        var groups = new Groups(hierarchy, place);
        ContainerRecord record = ContainerRecord.announced(
                id, name.name(), spec, prepared.stopSignal(), groups.parent(spec.placement()), plan);
        if (spec.placement() instanceof Placement.Parent) { // elsewhere the name is enough to find the group
            place.save(record, () -> {});
        }
        Cgroup group = group(groups, spec, id, undo);
        place.save(record.limited(group, spec.limits()), () -> {});
        var entry = new KeptDirectory.Entry(id, Optional.of(name.name()), name.isMadeUp());
        var file = new DetachedFile(
                place.engine(),
                DetachedFile.thisBoot(),
                image,
                wanted.health(health),
                prepared.stopSignal(),
                spec.stopTimeout(),
                spec.wallClock(),
                spec.terminal().isPresent(),
                spec.interactive());
        Consumer<Fd> fill = directory -> {
            file.write(directory);
            KeptSpec.write(directory, pinned(prepared));
            ContainerDetails.of(spec, plan, prepared.rootfs().config()).write(directory);
            if (home instanceof DetachedHome.New) { // of a former one the caller has the lock
                closing.add(DetachedDirectory.holdNew(directory)); // whoever finds it then waits until it is there
            }
        };
        Fd own = home.take(entry, spec, plan, fill, undo);
        closing.add(own);
        undo.push(() -> diskLayers.discard(id.value()));
        secrets.renew(); // an update that is over did not find the container, a later one waits for its lock
        List<Fd> layers = prepared.rootfs().openLayers();
        closing.addAll(layers);
        var mounted = new ArrayList<List<Fd>>();
        for (Rootfs one : prepared.mounted()) {
            mounted.add(one.openLayers());
            closing.addAll(mounted.getLast());
        }
        Optional<Fd> onDisk = diskLayers.make(id, plan);
        Fd upper = onDisk.orElseGet(() -> inMemory(plan));
        if (onDisk.isEmpty()) {
            closing.add(upper);
        }
        undo.push(() -> shared.undo(id, prepared));
        List<Fd> mounts = shared.make(id, prepared, plan, true);
        closing.addAll(mounts);
        secrets.mount(plan).ifPresent(mount -> {
            closing.add(mount);
            mounts.add(mount);
        });
        Fd program = program();
        Fd userNamespace = range.userNamespace();
        closing.add(userNamespace);
        try (MonitorProcess process = monitors.take(program); // it comes up while the parts are made
                Parts parts = Parts.make(
                        zygote.get(),
                        plan,
                        new Launcher.Layers(layers, userNamespace, Optional.of(upper), mounted),
                        mounts,
                        group,
                        secrets.variables(spec))) {
            LogFiles log = file.options().log();
            int owner = range.range().base() + prepared.image().user().uid();
            var setup = new MonitorSetup(
                            plan,
                            parts.all(),
                            new MonitorSetup.Streams(file.terminal(), file.input(), false, owner),
                            new MonitorSetup.Log(
                                    KeptRun.logName(id), log.count(), log.most().count()),
                            policy(file))
                    .directories(place.directory(), own)
                    .layers(upper, layers)
                    .hold(place.lock())
                    .hold(ranges.holder());
            LogDirectory.make(log).ifPresent(memory -> {
                closing.add(memory);
                setup.output(memory);
            });
            if (spec.network() instanceof Network.Joined) {
                setup.linkable();
            }
            secrets.table().ifPresent(table -> {
                closing.add(table);
                setup.redaction(table);
            });
            DetachedDenials.answers(plan).ifPresent(filter -> {
                closing.add(filter);
                setup.answers(filter);
            });
            Cgroup.WatchFiles files = group.watchFiles();
            files.outOfMemory().ifPresent(closing::add);
            files.freezer().ifPresent(closing::add);
            Optional<Fd> directory = group.cloneInto();
            directory.ifPresent(closing::add);
            diskLayers.holders(id.value()).forEach(setup::hold);
            shared.holders(id).forEach(setup::hold);
            mounted.forEach(all -> all.forEach(setup::hold));
            HealthProbes.add(health, plan, group, setup, closing);
            process.setUp(setup.group(files, directory)).close();
        }
        background.execute(() -> monitors.startAhead(program));
        closing.addAll(diskLayers.handOver(id.value()));
        shared.handOver(id); // the monitor has copies
        place.leave();
        ranges.close();
        return new DetachedPlace(options, kept, entry, file.place());
    }

    /// Returns the program of monitors, the same for all of this engine: those that are started from one
    /// file share its memory.
    private synchronized Fd program() throws InterruptedException {
        Fd known = program;
        if (known == null) {
            known = find();
            program = known;
        }
        return known;
    }

    @Override
    public synchronized void close() {
        monitors.close();
        if (program != null) {
            program.close();
        }
    }

    /// Returns the program of a monitor that is there, else one of its own. Whoever does not answer is
    /// passed over.
    private Fd find() throws InterruptedException {
        int asked = 0;
        for (KeptDirectory.Entry entry : kept.entries()) {
            if (asked == MOST_ASKED) {
                break;
            }
            try {
                Optional<Monitor> found = new DetachedPlace(options, kept, entry).connect();
                if (found.isPresent()) {
                    asked++;
                    try (Monitor monitor = found.get()) {
                        Optional<Fd> program = monitor.program();
                        if (program.isPresent()) {
                            return program.get();
                        }
                    }
                }
            } catch (CaissonException e) { // one that ends now, or of another build
                asked++;
            }
        }
        return Zygote.executable();
    }

    private static Cgroup group(Groups groups, ContainerSpec spec, ContainerId id, Deque<Runnable> undo) {
        undo.push(() -> {
            groups.remove(id.value());
            groups.undo(id.value());
        });
        return groups.create(spec, id.value());
    }

    /// Makes a writable layer in memory, as the zygote does for containers whose changes nobody can ask for.
    static Fd inMemory(LaunchPlan plan) {
        return Mounts.memory(
                Map.of(
                        "mode",
                        "0755",
                        "size",
                        Long.toString(plan.root().bytes()),
                        "nr_inodes",
                        Long.toString(plan.root().inodes())),
                EnumSet.of(Mounts.Attribute.NO_DEVICES));
    }

    static MonitorPolicy policy(DetachedFile file) {
        RestartPolicy restart = file.options().restart();
        return new MonitorPolicy(
                MonitorPolicy.Restart.valueOf(restart.kind().name()),
                restart.most(),
                file.stopSignal(),
                file.stopTimeout(),
                file.deadline(),
                file.options().lease());
    }
}
