package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.ContainerFacts.Filter;
import dev.caisson.hostaudit.facts.ContainerFacts.Mount;
import dev.caisson.hostaudit.facts.ContainerFacts.Reached;
import dev.caisson.hostaudit.facts.ContainerFacts.Task;
import dev.caisson.hostaudit.facts.ContainerFacts.Truth;
import dev.caisson.hostaudit.facts.EngineFacts.Listener;
import dev.caisson.hostaudit.facts.HostFacts.SocketFile;
import dev.caisson.hostaudit.facts.HostPaths;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/// Reads what the kernel does with a container: every process of it, its namespaces, mounts, limits,
/// sockets, devices. Paths inside the container are resolved by the kernel with the container's root as
/// root, openat2(2). Several threads may read at once.
public final class ContainerTruth {
    private final ProcessTable table;
    private final MountTable host;
    private final CgroupReader cgroups;
    private final List<SocketFile> sockets;
    private final boolean liveFilters;
    private final List<String> marks;
    private final Set<Long> hostNamespaces = new HashSet<>();
    private final Map<Long, List<Listener>> listenersByNamespace = new ConcurrentHashMap<>();

    /// @param marks directories of the host that matter, without links
    /// @param engine namespaces of the engine's process, which count as the host's
    public ContainerTruth(
            ProcessTable table,
            CgroupReader cgroups,
            List<SocketFile> sockets,
            boolean liveFilters,
            List<String> marks,
            Map<String, Long> first,
            Map<String, Long> engine) {
        this.table = table;
        this.cgroups = cgroups;
        this.sockets = sockets;
        this.liveFilters = liveFilters;
        this.marks = marks;
        this.host = MountTable.ofHost();
        hostNamespaces.addAll(first.values());
        hostNamespaces.addAll(engine.values());
    }

    /// The kernel's view of a container that the engine's API names.
    /// @param devices paths inside at which the engine put devices
    /// @throws IllegalStateException with the reason where the kernel does not let us see it
    public Truth ofEngine(String id, long pid, List<String> devices) {
        // a pid is given to another process once its own has ended
        boolean known = table.cgroup(pid).equals(Proc.text(pid, "cgroup").orElse(""));
        if (!known || !isOf(id, pid)) {
            throw new IllegalStateException("process " + pid
                    + ", which the engine names, is none of this container's: it started or ended during the audit");
        }
        return read(id, pid, devices);
    }

    /// By its control group, or where the container could leave that, by the runtime's process that watches
    /// it.
    private boolean isOf(String id, long pid) {
        return table.cgroup(pid).contains(id)
                || Proc.commandLine(table.parent(pid)).contains(id);
    }

    /// Reads what the kernel shows of a container.
    ///
    /// @param pid its first process
    /// @param devices paths inside at which devices were put
    /// @throws IllegalStateException with the reason if the kernel does not show it
    public Truth read(String id, long pid, List<String> devices) {
        Optional<Long> started = Proc.startTime(pid);
        Map<String, Long> namespaces = Proc.namespaces(pid);
        if (namespaces.size() < Proc.NAMESPACES.size() - 1) {
            throw new IllegalStateException("the namespaces of process " + pid + " cannot be read; run as root");
        }
        boolean ownPids = !hostNamespaces.contains(namespaces.getOrDefault("pid", 0L));
        List<Long> members = table.ofContainer(id, pid, ownPids);
        Set<Long> known = Set.copyOf(members);
        // in the host's pid namespace orphans go to processes outside too
        List<Task> processes = members.stream()
                .flatMap(member ->
                        process(member, ownPids && member != pid && !known.contains(table.parent(member))).stream())
                .toList();
        if (processes.isEmpty()) {
            throw new IllegalStateException("process " + pid + " is gone");
        }
        List<Mount> mounts = host.located(MountTable.of(pid).mounts(), marks);
        if (mounts.isEmpty() && Proc.startTime(pid).equals(started) && started.isPresent()) {
            throw new IllegalStateException("its table of mounts is too long, or cannot be read");
        }
        var truth = new Truth(
                table.groupOf(pid),
                processes,
                namespaces.entrySet().stream()
                        .filter(namespace -> hostNamespaces.contains(namespace.getValue()))
                        .map(Map.Entry::getKey)
                        .sorted()
                        .toList(),
                Proc.numbers(Proc.text(pid, "uid_map").orElse("").replace('\n', ' ')),
                mounts,
                cgroups.limits(table.cgroup(pid)),
                Proc.limits(pid),
                listeners(pid, namespaces.getOrDefault("net", 0L), processes),
                reached(pid, mounts),
                DeviceNodes.of(pid, devicePaths(devices, mounts)),
                cgroups.devices(table.cgroup(pid)),
                filter(id, pid, processes));
        // what had gone by then read as nothing, which is no fact
        if (started.isEmpty() || mounts.isEmpty() || !started.equals(Proc.startTime(pid))) {
            throw new IllegalStateException("it ended while it was read");
        }
        return truth;
    }

    /// From the kernel where it was asked for, or where no bundle tells what the runtime was given.
    private Filter filter(String id, long pid, List<Task> processes) {
        if (liveFilters) {
            return LiveFilter.of(processes);
        }
        Filter given = RuntimeFilter.of(table.parent(pid), id);
        return given.source().isEmpty() ? LiveFilter.of(processes) : given;
    }

    private static Optional<Task> process(long pid, boolean entered) {
        String text = Proc.text(pid, "status").orElse("");
        Map<String, String> status = Proc.fields(text);
        Map<String, Long> namespaces = Proc.namespaces(pid);
        // one that has ended has neither
        if (!status.containsKey("CapEff") || namespaces.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new Task(
                pid,
                status.getOrDefault("Name", ""),
                Proc.link(Proc.of(pid).resolve("exe")).orElse(""),
                Proc.numbers(status.getOrDefault("Uid", "")),
                Proc.numbers(status.getOrDefault("Gid", "")),
                mask(status, "CapInh"),
                mask(status, "CapPrm"),
                mask(status, "CapEff"),
                mask(status, "CapBnd"),
                mask(status, "CapAmb"),
                "1".equals(status.get("NoNewPrivs")),
                Integer.parseInt(status.getOrDefault("Seccomp", "0")),
                Integer.parseInt(status.getOrDefault("Seccomp_filters", "0")),
                namespaces,
                Proc.text(pid, "attr/apparmor/current")
                        .or(() -> Proc.text(pid, "attr/current"))
                        .map(label -> label.replace("\0", ""))
                        .orElse(""),
                entered,
                CommandSecrets.of(pid, entered)));
    }

    private static long mask(Map<String, String> status, String field) {
        return Long.parseUnsignedLong(status.getOrDefault(field, "0"), 16);
    }

    /// All listeners of a network namespace of its own; in the host's, those whose sockets the container's
    /// processes have open.
    private List<Listener> listeners(long pid, long namespace, List<Task> processes) {
        List<Listener> all = listenersByNamespace.computeIfAbsent(namespace, key -> SocketTable.listeners(pid));
        if (!hostNamespaces.contains(namespace)) {
            return all;
        }
        Set<Long> own = new HashSet<>();
        processes.forEach(process -> own.addAll(Proc.socketInodes(process.pid())));
        return all.stream().filter(listener -> own.contains(listener.inode())).toList();
    }

    /// Engine sockets within reach: candidates by the mount tables, each proved by device and inode, and then other
    /// names of the same file.
    private List<Reached> reached(long pid, List<Mount> mounts) {
        var found = new ArrayList<Reached>();
        for (SocketFile socket : sockets) {
            var identity = new ProcessRoot.Identity(socket.device(), socket.inode());
            Optional<Mount> holder = host.holding(socket.path());
            if (holder.isEmpty()) {
                continue;
            }
            Set<String> paths = new TreeSet<>();
            for (String path : MountTable.candidates(mounts, holder.get(), socket.path())) {
                if (ProcessRoot.identity(pid, path).filter(identity::equals).isPresent()) {
                    paths.add(path);
                }
            }
            SocketSearch.Result others = SocketSearch.in(
                    pid,
                    socket,
                    mounts.stream()
                            .filter(mount -> mount.device().equals(holder.get().device()))
                            .toList());
            paths.addAll(others.found());
            // a read-only mount does not stop connect(2)
            paths.forEach(path -> found.add(new Reached(socket.engine(), socket.path(), path, true)));
            if (paths.isEmpty()) {
                others.unseen().forEach(path -> found.add(new Reached(socket.engine(), socket.path(), path, false)));
            }
        }
        return found;
    }

    /// Lists the paths of devices: those that the engine put, and mounted ones outside of `/dev`.
    private static List<String> devicePaths(List<String> claimed, List<Mount> mounts) {
        return Stream.concat(
                        claimed.stream(),
                        mounts.stream()
                                .filter(mount -> mount.hostPath().startsWith("/dev/"))
                                .map(Mount::point)
                                .filter(point ->
                                        !HostPaths.isBelow(point, "/dev") && !HostPaths.isBelow(point, "/proc")))
                .distinct()
                .toList();
    }
}
