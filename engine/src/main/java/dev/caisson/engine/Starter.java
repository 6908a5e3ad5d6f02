package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.engine.Beginnings.Beginning;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.launch.HostException;
import dev.caisson.launch.InitFailures;
import dev.caisson.launch.LaunchException;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Launched;
import dev.caisson.launch.Launcher;
import dev.caisson.launch.Verifier;
import dev.caisson.launch.Zygote;
import dev.caisson.linux.Fd;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.Groups;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptRun;
import dev.caisson.state.Names;
import dev.caisson.state.Ranges;
import dev.caisson.state.State;
import dev.caisson.watch.DenialLog;
import dev.caisson.watch.Listeners;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Takes a prepared container through its start: ids, record, group, streams, init, the check of what the
/// kernel made, and its program.
final class Starter implements AutoCloseable {
    /// The destination of a program's output.
    private record Output(Streams wanted, Optional<KeptRun> kept) {}

    private static final Duration REMOVAL_PATIENCE = Duration.ofSeconds(30);

    private final Engine engine;
    private final Probe probe;
    private final Preparation preparation;
    private final Groups groups;
    private final HeldLayers heldLayers;
    private final WritableLayers writable;
    private final SharedParts shared;
    private final StandardStreams.Shared streams;
    private final RunningZygote zygote = new RunningZygote(false);
    /// Started for containers on networks alone.
    private final RunningZygote linking = new RunningZygote(true);

    private final Beginnings beginnings;
    private final GuestNetworks networks;
    private final KeptDirectory kept;
    private final Names names;
    private final WorkspaceFiles.Makers makers;
    private final RunSecrets runSecrets;
    private final SetIdWatch setIds;
    private @Nullable Verifier verifier;
    private @Nullable Listeners listeners;

    Starter(
            Engine engine,
            Probe probe,
            Preparation preparation,
            State state,
            Groups groups,
            Ranges ranges,
            HeldLayers heldLayers,
            WritableLayers writable,
            SharedParts shared,
            StandardStreams.Shared streams,
            KeptDirectory kept,
            GuestNetworks networks) {
        this.engine = engine;
        this.probe = probe;
        this.preparation = preparation;
        this.groups = groups;
        this.heldLayers = heldLayers;
        this.writable = writable;
        this.shared = shared;
        this.streams = streams;
        this.makers = new WorkspaceFiles.Makers(engine, preparation, state, groups, ranges, shared, zygote);
        this.beginnings = new Beginnings(engine, probe, state, groups, ranges, this::zygote, networks);
        this.networks = networks;
        this.kept = kept;
        this.names = state.names();
        this.runSecrets = new RunSecrets(preparation.secretStore());
        preparation.renewals().of(runSecrets::holders);
        this.setIds = new SetIdWatch(streams.reactor());
    }

    /// Starts one program.
    /// @param standing is handed the container that stands and waits for it
    /// @throws RuntimeException where it does not run; then nothing is left of it
    Container start(Preparation.Prepared prepared, Streams wanted, Consumer<Container> standing) {
        try (var secrets = Delivered.read(preparation, prepared)) {
            return start(prepared, begin(prepared), wanted, secrets, standing);
        } finally {
            beginnings.makeAhead(prepared);
        }
    }

    /// Its name is given back with it.
    private Beginning begin(Preparation.Prepared prepared) {
        Optional<String> asked = prepared.spec().name();
        asked.ifPresent(kept::requireFree);
        Names.Taken name = names.take(asked, kept::isFree);
        try {
            Beginning begun = beginnings.of(prepared, name);
            names.bind(begun.id().value(), name);
            return begun;
        } catch (RuntimeException | Error e) {
            name.close();
            throw e;
        }
    }

    private Container start(
            Preparation.Prepared prepared,
            Beginning begun,
            Streams wanted,
            Delivered secrets,
            Consumer<Container> standing) {
        ContainerSpec spec = prepared.spec();
        Container container;
        Optional<KeptRun> run = Optional.empty();
        try (Launcher.Birth birth = begun.birth()) {
            run = wanted instanceof Streams.Kept
                    ? Optional.of(
                            KeptRun.begin(kept, begun.id(), begun.name(), spec, prepared.stopSignal(), begun.plan()))
                    : Optional.empty();
            run.ifPresent(kept -> secrets.files().redaction().ifPresent(kept::redact));
            container = stand(prepared, begun, birth, new Output(wanted, run), secrets);
        } catch (RuntimeException | Error e) {
            run.ifPresent(KeptRun::discard);
            setIds.forget(begun.id());
            beginnings.removeAfter(e, begun.id());
            throw e;
        }
        // From here on it is watched, and its end removes it.
        try {
            runSecrets.add(container, spec, begun.plan(), secrets.files(), run);
            begin(container, begun, prepared, standing);
            return container;
        } catch (Throwable e) { // whatever the caller's observer throws
            throw ended(container, e);
        }
    }

    private void begin(
            Container container, Beginning begun, Preparation.Prepared prepared, Consumer<Container> standing) {
        ContainerSpec spec = prepared.spec();
        engine.keep(container);
        container.begin();
        probe.reached(Moment.WATCHED);
        Optional<DenialLog> denials = preparation.denials(spec, this::listeners);
        denials.ifPresent(container::answeredBy);
        standing.accept(container);
        Runnable record = () -> container.record(() -> ContainerRecord.announced(
                begun.id(),
                begun.name().name(),
                prepared.spec(),
                prepared.stopSignal(),
                groups.parent(spec.placement()),
                begun.plan()));
        boolean asks = denials.filter(DenialLog::isHandedOver).isPresent();
        if (asks) {
            record.run(); // once started, its program waits for nobody: who hears of it finds it
        }
        boolean started = container.start();
        probe.reached(Moment.STARTED);
        if (!asks) {
            record.run(); // while the program starts: to clear up after it the name is enough
        }
        probe.reached(Moment.START_RECORDED);
        Readiness readiness = engine.readiness();
        if (readiness.isBroken() || (!started && container.wasEnded())) {
            readiness.require(); // if its observer has ended it, it was started as wanted
        } else if (started) {
            container.beginAnswering();
        } else {
            throw InitFailures.died();
        }
    }

    /// Ends and removes it.
    /// @return the reason: what its first process said, if that is why it failed
    private static RuntimeException ended(Container container, Throwable why) {
        container.kill();
        var interrupted = new AtomicBoolean();
        Throwable reason = why;
        if (container.outcome().isKnownWithin(REMOVAL_PATIENCE, interrupted)) {
            try {
                container.await();
            } catch (LaunchException | InterruptedException e) {
                reason = e instanceof LaunchException && why instanceof LaunchException ? e : why;
            } catch (RuntimeException | Error e) {
                why.addSuppressed(e);
            }
        }
        if (interrupted.get()) {
            Thread.currentThread().interrupt();
        }
        return Failures.unchecked(reason);
    }

    /// Everything but the program; on failure the record, the id range and the group are left, perhaps
    /// with a process in it.
    private Container stand(
            Preparation.Prepared prepared, Beginning begun, Launcher.Birth birth, Output output, Delivered secrets) {
        ContainerSpec spec = prepared.spec();
        StandardStreams opened = null;
        try {
            probe.reached(Moment.CHILD_ASKED);
            assemble(prepared, begun, birth);
            Cgroup group = beginnings.whole(begun, spec.limits());
            int owner = begun.lease().range().base() + prepared.image().user().uid();
            opened = StandardStreams.open(
                    streams, StandardStreams.Bounds.of(spec), output.wanted(), owner, output.kept());
            probe.reached(Moment.STREAMS_OPEN);
            Consumer<Fd> programs = setIds.begin(
                    begun.id(), begun.plan(), prepared.image().user().uid(), output.kept());
            Launched launched = launch(prepared, begun, birth, group, opened, secrets, programs);
            try {
                opened.console(launched.console());
                opened.closeTheirs();
                var container = new Container(
                        engine,
                        begun.id(),
                        begun.name().name(),
                        spec,
                        begun.plan(),
                        group,
                        launched,
                        opened,
                        streams.reactor());
                networks.serve(begun.id(), spec, launched, secrets.gates());
                container.watch();
                return container;
            } catch (RuntimeException e) {
                throw launched.abandon(e);
            } catch (Error e) {
                launched.abandon();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            if (opened != null) {
                opened.close();
            }
            throw e;
        }
    }

    private void assemble(Preparation.Prepared prepared, Beginning begun, Launcher.Birth birth) {
        try (HeldLayers.Opened layers = heldLayers.open(begun.id().value(), prepared.rootfs(), prepared.mounted())) {
            Optional<Fd> upper = writable.make(begun.id(), prepared, begun.plan());
            probe.reached(Moment.LAYERS_OPEN);
            birth.assemble(
                    begun.plan(),
                    new Launcher.Layers(layers.all(), begun.lease().userNamespace(), upper, layers.mounted()));
        }
    }

    private Launched launch(
            Preparation.Prepared prepared,
            Beginning begun,
            Launcher.Birth birth,
            Cgroup group,
            StandardStreams opened,
            Delivered secrets,
            Consumer<Fd> programs) {
        List<Fd> mounts = shared.make(begun.id(), prepared, begun.plan(), false);
        try {
            secrets.files().mount(begun.plan()).ifPresent(mounts::add);
            return launch(
                    begun.plan(),
                    birth,
                    new Launcher.Resources(
                            group,
                            begun.lease().userNamespace(),
                            opened.theirs(),
                            mounts,
                            secrets.files().variables(prepared.spec()),
                            programs));
        } finally {
            mounts.forEach(Fd::close);
        }
    }

    private Launched launch(LaunchPlan plan, Launcher.Birth birth, Launcher.Resources resources) {
        OptionalInt step = probe.pauseBefore();
        Launched launched = step.isEmpty()
                ? birth.complete(plan, resources)
                : birth.complete(plan, resources, new Launcher.Pause(step.getAsInt(), engine::initPaused));
        try {
            probe.reached(Moment.INIT_READY);
            verify(plan, launched);
            probe.reached(Moment.VERIFIED);
            return launched;
        } catch (RuntimeException e) {
            throw launched.abandon(e);
        } catch (Error e) {
            launched.abandon();
            throw e;
        }
    }

    /// The kernel is asked what it made before the program runs in it.
    private void verify(LaunchPlan plan, Launched launched) {
        for (Verifier.Check check : verifier(plan).beforeStart(launched.pid())) {
            if (!check.asPlanned()) {
                throw notAsPlanned(check);
            }
        }
    }

    /// Returns the result of a run with the programs that could not change their ids.
    RunResult noted(RunResult result) {
        return result.withSetId(setIds.end(result.id()));
    }

    void forget(ContainerId id) {
        setIds.forget(id);
    }

    /// Runs more programs in containers, with this one's helper process and streams.
    Executions executions(EngineThreads threads) {
        return new Executions(
                zygote, streams, threads, (filter, target) -> preparation.denials(filter, target, this::listeners));
    }

    /// Takes snapshots of sessions.
    SessionSnapshots snapshots() {
        return new SessionSnapshots(preparation.images(), writable);
    }

    /// Returns the files of a workspace; nothing is started.
    WorkspaceFiles files(WorkspaceName workspace) {
        return new WorkspaceFiles(makers, workspace, streams.reactor());
    }

    static HostException notAsPlanned(Verifier.Check check) {
        return new HostException(
                "NOT_AS_PLANNED",
                "the kernel made something else than planned: " + check.subject() + " is " + check.found()
                        + " instead of " + check.planned());
    }

    /// Begins beside the caller what the first start waits for.
    void begin(ContainerSpec spec) {
        zygote(spec).begin();
    }

    /// Returns the helper process for a container: only those on networks get one that may touch the host's.
    private RunningZygote zygote(ContainerSpec spec) {
        return switch (spec.network()) {
            case Network.None _, Network.OfContainer _, Network.Host _ -> zygote;
            case Network.Joined _ -> linking;
        };
    }

    Zygote zygote() {
        return zygote.get();
    }

    /// Returns the pid of a process that lives as long as the engine.
    int helperPid() {
        return zygote.get().pid();
    }

    private synchronized Listeners listeners() {
        Listeners running = listeners;
        if (running == null) {
            running = new Listeners(probe::readsCaller, engine::broke);
            listeners = running;
        }
        return running;
    }

    private synchronized Verifier verifier(LaunchPlan plan) {
        Verifier known = verifier;
        verifier = known == null ? new Verifier(plan) : known.with(plan);
        return verifier;
    }

    /// Ends what answers filters, what was made ahead and the process that makes the others; no container
    /// is left then.
    @Override
    public synchronized void close() {
        if (listeners != null) {
            listeners.close();
        }
        runSecrets.close();
        setIds.close();
        beginnings.close();
        zygote.close();
        linking.close();
        networks.close();
    }
}
