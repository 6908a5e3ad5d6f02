package dev.caisson.launch;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Network;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.SecretFile;
import dev.caisson.spec.WritableLayer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// From an approved wish and the facts about host and image to a plan: a pure function.
public final class Planner {
    private static final long MOST_INODES = 1 << 20;
    private static final long PAGE = 4096;
    private static final Bytes DEV_SIZE = Bytes.mebibytes(1);
    private static final long DEV_INODES = 512;
    private static final int LANDLOCK_SCOPES_SINCE = 6;
    private static final long NOFILE_SOFT = 1024;
    /// The limit that servers raise their own to at their start: Apache 8192, Redis 10032, MariaDB 32186, RabbitMQ
    /// 65536.
    private static final long NOFILE_HARD = 65_536;
    /// Queued signals and POSIX timers, which are kernel memory.
    private static final long SIGNALS = 4096;
    /// One byte, too little for a file. With 0 the kernel still starts the host's handler of crashes, as root of
    /// the host, if core_pattern is a pipe; with 1 it does not (core(5), coredump_pipe).
    private static final long CORE = 1;

    /// Paths that tell about the host or the kernel's internals, or reach other hosts' hardware: Docker's
    /// list, and the locks of the whole host, whose readers keep everybody from locking.
    static final List<InRootPath> MASKED = paths(
            "proc/acpi",
            "proc/asound",
            "proc/interrupts",
            "proc/kcore",
            "proc/keys",
            "proc/latency_stats",
            "proc/locks",
            "proc/sched_debug",
            "proc/scsi",
            "proc/timer_list",
            "proc/timer_stats",
            "sys/devices/virtual/powercap",
            "sys/firmware");

    /// Docker's list, and the triggers of pressure: the kernel closes each in a grace period of RCU, so that a
    /// process with thousands of them outlives SIGKILL by minutes (psi_trigger_destroy, since Linux 6.4).
    static final List<InRootPath> READ_ONLY =
            paths("proc/bus", "proc/fs", "proc/irq", "proc/pressure", "proc/sys", "proc/sysrq-trigger");

    private static final List<MountFlag> INERT =
            List.of(MountFlag.NO_SETUID, MountFlag.NO_DEVICES, MountFlag.NO_EXECUTION);
    private static final List<MountFlag> INERT_READ_ONLY =
            List.of(MountFlag.READ_ONLY, MountFlag.NO_SETUID, MountFlag.NO_DEVICES, MountFlag.NO_EXECUTION);

    private final ContainerSpec spec;
    private final List<DeviceNode> nodes;
    private final RootImage image;
    private final HostFacts host;
    private final CgroupView cgroups;
    private final Optional<FilterProgram> filter;
    private final GuestNetwork network;
    private final String hostName;
    private final ProgramChoice program;
    private final List<Step> steps = new ArrayList<>();
    private final List<SlotSource> slots = new ArrayList<>();

    private Planner(
            Policy.Approved approved,
            RootImage image,
            HostFacts host,
            Optional<FilterProgram> filter,
            ContainerId id,
            GuestNetwork network) {
        this.spec = approved.spec();
        this.nodes = approved.nodes();
        this.image = image;
        this.host = host;
        this.cgroups = new CgroupView(host.cgroupMounts());
        this.filter = filter;
        this.network = network;
        this.hostName = network.hostName(spec).orElse(id.shortForm());
        this.program = ProgramChoice.of(spec, image, hostName, network);
    }

    private static List<InRootPath> paths(String... relative) {
        return Stream.of(relative).map(InRootPath::of).toList();
    }

    /// Plans one launch with loopback alone.
    public static LaunchPlan plan(
            Policy.Approved approved,
            RootImage image,
            HostFacts host,
            Optional<FilterProgram> filter,
            IdRange ids,
            ContainerId id) {
        return plan(approved, image, host, filter, ids, id, GuestNetwork.NONE);
    }

    /// Plans one launch.
    /// @param ids the range that this container gets
    /// @param filter the compiled profile; empty only where the wish switched it off
    /// @throws RefusedException where the image and the wish together name no program, or a network is not settled
    public static LaunchPlan plan(
            Policy.Approved approved,
            RootImage image,
            HostFacts host,
            Optional<FilterProgram> filter,
            IdRange ids,
            ContainerId id,
            GuestNetwork network) {
        network.requireAll(approved.spec());
        return new Planner(approved, image, host, filter, id, network).plan(ids);
    }

    /// The namespaces that a container of this wish has of its own, whatever its image.
    public static Set<Namespace> namespaces(Policy.Approved approved, HostFacts host) {
        return namespaces(approved.spec(), host);
    }

    private LaunchPlan plan(IdRange ids) {
        openSlots();
        enter();
        mountKernelFileSystems();
        mountVolumes();
        writeFiles();
        bindDevices();
        steps.add(new Step.Pivot());
        protect();
        limit();
        dropPrivileges();
        execute();
        var plan = new LaunchPlan(ids, namespaces(spec, host), root(), slots, network.links(), steps);
        PlanRules.verify(plan);
        return plan;
    }

    private static Set<Namespace> namespaces(ContainerSpec spec, HostFacts host) {
        Set<Namespace> own = EnumSet.allOf(Namespace.class);
        if (!host.timeNamespaces()) {
            own.remove(Namespace.TIME);
        }
        if (spec.network() instanceof Network.Host) {
            own.remove(Namespace.NETWORK);
        }
        for (ContainerSpec.SharedNamespace shared : spec.sharedNamespaces()) {
            own.remove(
                    switch (shared) {
                        case IPC -> Namespace.IPC;
                        case UTS -> Namespace.UTS;
                    });
        }
        return own;
    }

    private LaunchPlan.RootAssembly root() {
        WritableLayer layer = spec.writableLayer();
        return new LaunchPlan.RootAssembly(
                image.layers(), LayerSize.bytes(layer, spec.limits()), LayerSize.files(layer, spec.limits(), medium()));
    }

    private LayerMedium medium() {
        return LayerSize.medium(spec.writableLayer(), spec.limits(), host.layerMedia())
                .orElseThrow(() -> new IllegalStateException("no medium for an approved layer"));
    }

    private void openSlots() {
        slots.add(new SlotSource.Plan());
        slots.add(new SlotSource.Control());
        for (int stream = 0; stream <= 2; stream++) {
            slots.add(new SlotSource.Stream(stream));
        }
        for (int i = 0; i < host.cgroupJoins().size(); i++) {
            slots.add(new SlotSource.CgroupTasks(i));
        }
        if (host.cgroupCloneInto()) {
            slots.add(new SlotSource.CgroupDirectory());
        }
        for (int i = 0; i < image.layers(); i++) {
            slots.add(new SlotSource.Layer(i));
        }
        for (int i = 0; i < image.binds().size(); i++) {
            slots.add(new SlotSource.Cover(i, image.binds().get(i).source()));
        }
        slots.addAll(MountSlots.of(spec.mounts(), network.certificates(), image.user()));
        for (int i = 0; i < nodes.size(); i++) {
            HostDevice device = spec.devices().get(i);
            slots.add(new SlotSource.Device(i, device.source(), nodes.get(i), device.access()));
        }
        LayerMedium medium = medium();
        if (medium != LayerMedium.MEMORY) {
            slots.add(new SlotSource.Upper(medium));
        }
        slots.add(new SlotSource.Root());
    }

    private Slot slot(Class<? extends SlotSource> kind, int nth) {
        return new Slot(SlotSource.position(slots, kind, nth));
    }

    private void enter() {
        steps.add(new Step.Seal());
        for (int i = 0; i < host.cgroupJoins().size(); i++) {
            steps.add(new Step.JoinCgroup(slot(SlotSource.CgroupTasks.class, i)));
        }
        steps.add(new Step.Mapped());
        steps.add(new Step.CgroupNamespace());
        if (!spec.newPrivileges()) {
            steps.add(new Step.NoNewPrivileges());
        }
        steps.add(new Step.MakePrivate());
        steps.add(new Step.AttachRoot(slot(SlotSource.Root.class, 0)));
    }

    private void mountKernelFileSystems() {
        mount(KernelFileSystem.PROC, INERT, 0, 0, 0, "proc");
        mount(KernelFileSystem.SYSFS, INERT_READ_ONLY, 0, 0, 0, "sys");
        steps.addAll(cgroups.mounts());
        List<MountFlag> device = List.of(MountFlag.NO_SETUID, MountFlag.NO_EXECUTION);
        mount(KernelFileSystem.TMPFS, device, 0755, DEV_SIZE.count(), DEV_INODES, "dev");
        mount(KernelFileSystem.DEVPTS, device, 0, 0, 0, "dev/pts");
        mount(
                KernelFileSystem.TMPFS,
                INERT,
                01777,
                spec.sharedMemory().count(),
                inodes(spec.sharedMemory()),
                "dev/shm");
        if (!spec.sharedNamespaces().contains(ContainerSpec.SharedNamespace.IPC)) {
            mount(KernelFileSystem.MQUEUE, INERT, 0, 0, 0, "dev/mqueue");
        }
    }

    private void mount(
            KernelFileSystem fileSystem, List<MountFlag> flags, int mode, long bytes, long inodes, String target) {
        steps.add(new Step.MountFileSystem(fileSystem, flags, mode, bytes, inodes, InRootPath.of(target)));
    }

    private static long inodes(Bytes size) {
        return Math.clamp(size.count() / PAGE, 16, MOST_INODES);
    }

    private void mountVolumes() {
        int index = 0;
        for (Mount.Bind part : image.binds()) {
            steps.add(new Step.MountSlot(slot(SlotSource.Cover.class, index++), false, part.target()));
        }
        index = 0;
        int shared = 0;
        int images = 0;
        for (Mount mount : spec.mounts()) {
            switch (mount) {
                case Mount.Workspace _, Mount.Volume _ ->
                    steps.add(new Step.MountSlot(slot(SlotSource.Shared.class, shared++), false, mount.target()));
                case Mount.Bind bind ->
                    steps.add(new Step.MountSlot(slot(SlotSource.Bind.class, index++), bind.file(), bind.target()));
                case Mount.ImageFiles _ ->
                    steps.add(new Step.MountSlot(slot(SlotSource.ImageFiles.class, images++), false, mount.target()));
                case Mount.Secrets _ -> {} // the last mount, so that no other hides it
                case Mount.Tmpfs tmpfs -> {
                    var flags = new ArrayList<>(List.of(MountFlag.NO_SETUID, MountFlag.NO_DEVICES));
                    if (!tmpfs.executable()) {
                        flags.add(MountFlag.NO_EXECUTION);
                    }
                    if (tmpfs.readOnly()) {
                        flags.add(MountFlag.READ_ONLY);
                    }
                    steps.add(new Step.MountFileSystem(
                            KernelFileSystem.TMPFS,
                            flags,
                            tmpfs.mode(),
                            tmpfs.size().count(),
                            inodes(tmpfs.size()),
                            tmpfs.target()));
                }
            }
        }
        for (Mount.Bind one : network.certificates()) {
            steps.add(new Step.MountSlot(slot(SlotSource.Bind.class, index++), true, one.target()));
        }
        if (SlotSource.position(slots, SlotSource.Secrets.class, 0) >= 0) {
            steps.add(new Step.MountSlot(slot(SlotSource.Secrets.class, 0), false, SecretFile.DIRECTORY));
        }
    }

    /// Name and addresses of the container, where the image leaves the place to us and no volume covers it.
    private void writeFiles() {
        writeFile("etc/hostname", hostName + "\n");
        writeFile("etc/hosts", network.hosts(spec, hostName));
        network.resolvers(spec).ifPresent(text -> writeFile("etc/resolv.conf", text));
        program.workingDirectory()
                .filter(path -> !path.isRoot())
                .ifPresent(path -> steps.add(new Step.MakeDirectory(0755, path)));
    }

    private void writeFile(String name, String content) {
        InRootPath path = InRootPath.of(name);
        boolean covered = spec.mounts().stream().anyMatch(mount -> path.isWithin(mount.target()));
        if (!covered) {
            steps.add(new Step.WriteFile(0644, path, content));
        }
    }

    private void bindDevices() {
        for (Device device : Device.values()) {
            steps.add(new Step.BindDevice(device));
        }
        link("pts/ptmx", "dev/ptmx");
        link("/proc/self/fd", "dev/fd");
        link("/proc/self/fd/0", "dev/stdin");
        link("/proc/self/fd/1", "dev/stdout");
        link("/proc/self/fd/2", "dev/stderr");
        steps.addAll(cgroups.links());
        spec.terminal()
                .ifPresent(size -> steps.add(new Step.OpenConsole(
                        size.rows(),
                        size.columns(),
                        image.user().uid(),
                        image.user().gid())));
        for (int i = 0; i < nodes.size(); i++) {
            steps.add(new Step.PlaceDevice(
                    slot(SlotSource.Device.class, i),
                    nodes.get(i),
                    spec.devices().get(i).target()));
        }
    }

    private void link(String target, String path) {
        steps.add(new Step.MakeSymbolicLink(target, InRootPath.of(path)));
    }

    private void protect() {
        if (!spec.privileged()) {
            MASKED.forEach(path -> steps.add(new Step.Mask(path)));
        }
        steps.addAll(network.settledLinks(spec)); // late, as the zygote makes them meanwhile
        sysctls().forEach((name, value) -> steps.add(new Step.SetSysctl(Sysctls.path(name), value)));
        if (!spec.privileged()) {
            READ_ONLY.forEach(path -> steps.add(new Step.MakeReadOnly(path)));
        }
        steps.addAll(cgroups.protections());
        if (spec.readOnlyRoot()) {
            steps.add(new Step.MakeRootReadOnly());
        }
        steps.add(new Step.VerifyMounts());
    }

    /// There are no user namespaces inside.
    private Map<String, String> sysctls() {
        var all = new LinkedHashMap<String, String>();
        all.putAll(network.settings());
        if (!spec.privileged()) {
            all.put("user.max_user_namespaces", "0");
        }
        all.putAll(spec.sysctls());
        return all;
    }

    private void limit() {
        if (network.hasOwnStack()) {
            steps.add(new Step.RaiseLoopback());
        }
        steps.addAll(network.requests(spec));
        if (!spec.sharedNamespaces().contains(ContainerSpec.SharedNamespace.UTS)) {
            steps.add(new Step.SetHostName(hostName));
        }
        rlimits().forEach(limit -> steps.add(new Step.SetResourceLimit(limit)));
        steps.add(new Step.SetOomScoreAdjustment(Policy.oomScore(spec, host)));
        steps.add(new Step.JoinKeyring());
    }

    /// No more than the engine's own hard limit, which cannot be raised.
    private long atMost(Rlimit.Resource resource, long wanted) {
        long most = host.hardLimits().getOrDefault(resource, wanted);
        return most == Rlimit.UNLIMITED ? wanted : Math.min(most, wanted);
    }

    private Collection<Rlimit> rlimits() {
        var all = new LinkedHashMap<Rlimit.Resource, Rlimit>();
        long hard = atMost(Rlimit.Resource.NOFILE, NOFILE_HARD);
        all.put(Rlimit.Resource.NOFILE, new Rlimit(Rlimit.Resource.NOFILE, Math.min(NOFILE_SOFT, hard), hard));
        long core = atMost(Rlimit.Resource.CORE, CORE);
        all.put(Rlimit.Resource.CORE, new Rlimit(Rlimit.Resource.CORE, core, core));
        long signals = atMost(Rlimit.Resource.SIGPENDING, SIGNALS);
        all.put(Rlimit.Resource.SIGPENDING, new Rlimit(Rlimit.Resource.SIGPENDING, signals, signals));
        spec.rlimits().forEach(limit -> all.put(limit.resource(), limit));
        return all.values();
    }

    private void dropPrivileges() {
        if (spec.newPrivileges()) {
            filter.ifPresent(compiled -> steps.add(new Step.InstallFilter(compiled, true)));
        }
        CapabilitySet bounding = spec.capabilities();
        RootImage.ProgramUser user = image.user();
        steps.add(new Step.SetPrivileges(
                bounding,
                user.uid() == 0 ? bounding : CapabilitySet.NONE,
                user.uid(),
                user.gid(),
                user.supplementaryGroups()));
        boolean scoped = host.landlockAbi() >= LANDLOCK_SCOPES_SINCE && !spec.newPrivileges();
        if (network.ofHost() && !scoped) {
            throw new RefusedException(
                    "HOST_NETWORK_UNPROTECTED",
                    "this kernel has no Landlock scopes (ABI " + LANDLOCK_SCOPES_SINCE
                            + "), so a container in the host's network would reach the host's abstract sockets: join a"
                            + " network, or boot Linux 6.12 or later with lsm=landlock");
        }
        if (scoped) {
            steps.add(new Step.RestrictScope(Step.RestrictScope.ABSTRACT_SOCKETS | Step.RestrictScope.SIGNALS));
        }
    }

    private void execute() {
        steps.add(new Step.Ready(
                program.workingDirectory().map(InRootPath::absolute).orElse("/")));
        if (!spec.newPrivileges()) {
            filter.ifPresent(compiled -> steps.add(new Step.InstallFilter(compiled, false)));
        }
        steps.add(new Step.Execute(
                spec.init(), spec.terminal().isPresent(), program.path(), program.arguments(), program.variables()));
    }
}
