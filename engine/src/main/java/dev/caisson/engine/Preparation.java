package dev.caisson.engine;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.image.Account;
import dev.caisson.image.Emulation;
import dev.caisson.image.Image;
import dev.caisson.image.ImageConfig;
import dev.caisson.image.ImageStore;
import dev.caisson.image.ProgressListener;
import dev.caisson.image.Rootfs;
import dev.caisson.launch.FilterProgram;
import dev.caisson.launch.GuestNetwork;
import dev.caisson.launch.HostFacts;
import dev.caisson.launch.HostObjects;
import dev.caisson.launch.IdRange;
import dev.caisson.launch.KernelFileSystem;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Namespace;
import dev.caisson.launch.PlanCodec;
import dev.caisson.launch.Planner;
import dev.caisson.launch.Policy;
import dev.caisson.launch.RootImage;
import dev.caisson.launch.Step;
import dev.caisson.launch.TrustedPaths;
import dev.caisson.linux.Processes;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.WarmStore;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Mount;
import dev.caisson.spec.VolumeName;
import dev.caisson.state.DiskLayers;
import dev.caisson.state.OwnPaths;
import dev.caisson.watch.DenialLog;
import dev.caisson.watch.ExecFilter;
import dev.caisson.watch.Filters;
import dev.caisson.watch.Listeners;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Everything that is decided about a run before the kernel is asked for anything: what is refused is refused here.
final class Preparation implements AutoCloseable {
    /// A wish that can be carried out as soon as it has an id range.
    ///
    /// @param anonymous volumes whose names were made up for it
    /// @param mounted the images that it has mounted, in the order of its mounts
    record Prepared(
            Policy.Approved approved,
            Set<VolumeName> anonymous,
            Rootfs rootfs,
            List<Rootfs> mounted,
            RootImage image,
            Optional<FilterProgram> filter,
            HostFacts host,
            int stopSignal,
            boolean idle) {
        LaunchPlan plan(IdRange ids, ContainerId id, GuestNetwork network) {
            LaunchPlan plan = Planner.plan(approved, image, host, filter, ids, id, network);
            return idle ? plan.idle() : plan;
        }

        /// @param wanted whether it waits, in place of a program
        Prepared idle(boolean wanted) {
            return new Prepared(approved, anonymous, rootfs, mounted, image, filter, host, stopSignal, wanted);
        }

        /// Those that the container has of its own.
        Set<Namespace> namespaces() {
            return Planner.namespaces(approved, host);
        }

        ContainerSpec spec() {
            return approved.spec();
        }

        /// Returns its mounts, those of images with their digests.
        List<Mount> pinnedMounts() {
            var mounts = new ArrayList<>(spec().mounts());
            var images = mounted.iterator();
            mounts.replaceAll(mount -> mount instanceof Mount.ImageFiles files
                    ? images.next()
                            .digest()
                            .<Mount>map(digest ->
                                    new Mount.ImageFiles(files.image().at(digest), files.target(), files.subpath()))
                            .orElse(files)
                    : mount);
            return mounts;
        }

        /// Gives it its places on networks.
        GuestNetwork joined(GuestNetworks networks, ContainerId id, String name) {
            return networks.give(id, name, spec(), rootfs);
        }

        /// Gives it the place that was given to its id ahead.
        /// @return empty if that is gone
        Optional<GuestNetwork> joinedAhead(GuestNetworks networks, ContainerId id, String name) {
            return networks.take(id, name, spec(), rootfs);
        }
    }

    private final Hierarchy hierarchy;
    private final List<Set<String>> usualGroups;
    private final HostFacts host;
    private final ImageStore images;
    private final Filters filters;
    private final TrustedPaths trusted;
    private final EngineOptions options;
    private final Path data;
    private final TextCheck textCheck;
    private final SecretSources sources;
    private final SecretRenewals renewals;

    Preparation(EngineOptions options) {
        FileShortage.prepare();
        this.options = options;
        data = options.data();
        images = ImageStore.open(data.resolve("images"));
        textCheck = new TextCheck(data.resolve(SecretStore.DIRECTORY));
        sources = new SecretSources(options, textCheck.store());
        renewals = new SecretRenewals(options, textCheck.store(), sources);
        hierarchy = Hierarchy.detect();
        usualGroups = hierarchy.joins();
        host = HostFacts.read(shown(usualGroups), names(usualGroups), hierarchy.hasUnified())
                .withLayerMedia(DiskLayers.media(options.data()));
        filters = new Filters(host, options.data().resolve("filters"));
        trusted = OwnPaths.trusted(options.state(), options.data(), Engine.class);
    }

    /// Reads what this process may and plans a launch that nobody wishes. What the JVM makes at first use
    /// - its calls into the kernel, the code of a plan - is there when the first wish comes. Nothing of
    /// the host is changed.
    static void rehearse() {
        HostFacts host = HostFacts.read(List.of(), List.of(), true);
        ContainerSpec spec = ContainerSpec.of(Image.host(), "true");
        var usr = new Mount.Bind(Path.of("/usr"), new InRootPath("usr"), true, false);
        var user = new RootImage.ProgramUser(0, 0, List.of(), "/root");
        var image = new RootImage(1, List.of(usr), List.of(), List.of(), List.of(), "", user);
        var filter = new FilterProgram(new byte[8], "one instruction");
        var ids = new IdRange(IdRange.FIRST, IdRange.WIDTH);
        PlanCodec.encode(Planner.plan(
                Policy.approve(spec, host, TrustedPaths.OF_ANY_HOST, HostObjects.of(spec)),
                image,
                host,
                Optional.of(filter),
                ids,
                ContainerId.random()));
    }

    /// Plans what is not launched, and changes nothing.
    static PlannedRun plan(ContainerSpec spec, EngineOptions options, ProgressListener progress) {
        try (var preparation = new Preparation(options);
                var networks = GuestNetworks.served(options)) {
            ContainerId id = ContainerId.random();
            Prepared prepared = preparation.prepare(spec, progress);
            GuestNetwork network = networks.preview(id, spec, prepared.rootfs());
            LaunchPlan plan = prepared.plan(new IdRange(IdRange.FIRST, IdRange.WIDTH), id, network);
            return new PlannedRun(plan, NetworkPlaces.planned(network, spec, prepared.rootfs()));
        }
    }

    SecretRenewals renewals() {
        return renewals;
    }

    WarmStore secretStore() {
        return textCheck.store();
    }

    /// Reads the sources that a container's secrets are bound to.
    /// @param container who gets them, for the log of accesses
    /// @throws dev.caisson.secret.SecretException SECRET_SOURCE
    void refreshSecrets(Prepared prepared, String container) throws InterruptedException {
        var starting =
                new SecretSources.Starting(prepared.spec(), prepared.rootfs().digest(), container);
        sources.refresh(starting);
        if (!starting.secrets().isEmpty()) {
            renewals.begin();
        }
    }

    /// Reads the secrets of a container, which is refused if one of them is not to be had.
    /// @param container who gets them, for the log of accesses
    /// @param texts that must have no stored value
    SecretFiles secrets(Prepared prepared, SpecTexts texts, String container) {
        return SecretFiles.read(prepared.spec(), prepared.rootfs().digest(), texts, textCheck, container);
    }

    ImageStore images() {
        return images;
    }

    /// Reads the values of a container's gates, likewise.
    GateSecrets gates(Prepared prepared, String container) {
        return GateSecrets.read(data, prepared.spec(), prepared.rootfs().digest(), container);
    }

    Hierarchy hierarchy() {
        return hierarchy;
    }

    HostFacts host() {
        return host;
    }

    /// Returns the log of denied calls, if the spec asks for one.
    Optional<DenialLog> denials(ContainerSpec spec, Supplier<Listeners> with) {
        return filters.denials(spec, with);
    }

    /// Returns the log of denied calls of one more program of a container.
    DenialLog denials(ExecFilter filter, ExecTarget target, Supplier<Listeners> with) {
        var id = new ContainerId(target.record().id());
        long capabilities =
                target.plan().only(Step.SetPrivileges.class).bounding().mask();
        return filters.denials(filter, () -> KeptSpec.of(id, options), capabilities, with);
    }

    /// Returns the spec with a filter that asks only if a container's monitor can answer it.
    ContainerSpec answeredByMonitor(ContainerSpec spec) {
        return filters.answeredByMonitor(spec);
    }

    Prepared prepare(ContainerSpec spec, ProgressListener progress) {
        return prepare(spec, progress, false);
    }

    /// @param imageVolumes whether it gets the volumes that its image declares, on a host that can bound one
    Prepared prepare(ContainerSpec asked, ProgressListener progress, boolean imageVolumes) {
        HostObjects objects = HostObjects.of(asked);
        Policy.Approved first = Policy.approve(asked, host, trusted, objects);
        Limits limits = first.spec().limits();
        hierarchy.check(limits);
        Rootfs rootfs = images.resolve(asked.image(), progress);
        ImageConfig config = rootfs.config();
        Emulation.requireHere(config.platform());
        VolumeMounts volumes =
                VolumeMounts.of(asked, imageVolumes && host.layerMedia().size() > 1 ? config.volumes() : List.of());
        ContainerSpec spec = volumes.spec();
        Policy.Approved approved = volumes.anonymous().isEmpty() ? first : Policy.approve(spec, host, trusted, objects);
        Account account = rootfs.account(spec.user().orElse(config.user()));
        var binds = new ArrayList<Mount.Bind>();
        rootfs.binds()
                .forEach(bind -> binds.add(new Mount.Bind(bind.source(), new InRootPath(bind.target()), true, false)));
        var image = new RootImage(
                rootfs.layers().size(),
                binds,
                config.entrypoint(),
                config.cmd(),
                config.env().entrySet().stream()
                        .map(variable -> variable.getKey() + "=" + variable.getValue())
                        .toList(),
                config.workingDir(),
                new RootImage.ProgramUser(
                        account.uid(), account.gid(), groups(account, rootfs, spec.addedGroups()), account.home()));
        return new Prepared(
                approved,
                volumes.anonymous(),
                rootfs,
                mounted(spec, progress),
                image,
                filters.of(spec),
                host(limits),
                stopSignal(spec, config),
                false);
    }

    private List<Rootfs> mounted(ContainerSpec spec, ProgressListener progress) {
        return spec.mounts().stream()
                .filter(Mount.ImageFiles.class::isInstance)
                .map(mount -> images.resolve(new Image.Named(((Mount.ImageFiles) mount).image()), progress))
                .toList();
    }

    /// The signal that asks it to end: the spec's, else the image's, else SIGTERM.
    private static int stopSignal(ContainerSpec spec, ImageConfig config) {
        if (spec.stopSignal() != 0) {
            return spec.stopSignal();
        }
        String ofImage = config.stopSignal().orElse("TERM");
        return Processes.signalNumber(ofImage)
                .orElseThrow(() -> new EngineException(
                        "STOP_SIGNAL", "the image's stop signal '" + ofImage + "' is unknown: give --stop-signal"));
    }

    /// The user's groups and those that were added, each once.
    private static List<Integer> groups(Account account, Rootfs rootfs, List<String> added) {
        Stream<Integer> more =
                added.stream().map(group -> rootfs.account("0:" + group).gid());
        return Stream.concat(account.groups().stream(), more).distinct().toList();
    }

    /// Some limits need a group that most containers do without.
    private HostFacts host(Limits limits) {
        List<Set<String>> groups = hierarchy.joins(limits);
        return groups.equals(usualGroups) ? host : host.withCgroups(shown(groups), names(groups));
    }

    private static List<String> names(List<Set<String>> groups) {
        return groups.stream()
                .map(set -> String.join(",", set.stream().sorted().toList()))
                .toList();
    }

    /// Returns what a container sees below /sys/fs/cgroup: the hierarchies in which it has a group, and no other.
    private List<KernelFileSystem> shown(List<Set<String>> groups) {
        if (hierarchy.world() == Hierarchy.World.V2) {
            return List.of(KernelFileSystem.CGROUP2);
        }
        var shown = new ArrayList<KernelFileSystem>();
        for (String name : names(groups)) {
            for (KernelFileSystem fileSystem : KernelFileSystem.values()) {
                if (fileSystem.isControlGroupV1() && fileSystem.kernelName().equals(name)) {
                    shown.add(fileSystem);
                }
            }
        }
        return shown;
    }

    @Override
    public void close() {
        images.close();
        hierarchy.close();
        renewals.close();
        textCheck.close();
    }
}
