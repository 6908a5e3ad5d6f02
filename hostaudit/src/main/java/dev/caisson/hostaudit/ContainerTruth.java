package dev.caisson.hostaudit;

import dev.caisson.hostaudit.ContainerFacts.Filter;
import dev.caisson.hostaudit.ContainerFacts.Mount;
import dev.caisson.hostaudit.ContainerFacts.Reached;
import dev.caisson.hostaudit.ContainerFacts.Task;
import dev.caisson.hostaudit.ContainerFacts.Truth;
import dev.caisson.hostaudit.EngineFacts.Listener;
import dev.caisson.hostaudit.HostFacts.SocketFile;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads what the kernel does with a container: every process of it, its namespaces, mounts, limits, sockets, devices.
/// Paths inside the container are resolved by the kernel with the container's root as root, openat2(2).
final class ContainerTruth {
    private static final int TYPE = 0170000;
    private static final int CHARACTER = 0020000;
    private static final int BLOCK = 0060000;
    /// Devices that every container has: null, zero, full, random, urandom, tty, console and ptmx, mem(4) and tty(4).
    private static final Set<String> USUAL_DEVICES = Set.of("1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2");

    private static final int PTS_MAJOR = 136;

    private final ProcessTable table;
    private final MountTable host;
    private final CgroupReader cgroups;
    private final List<SocketFile> sockets;
    private final boolean liveFilters;
    private final Set<Long> hostNamespaces = new HashSet<>();
    private final Map<Long, List<Listener>> listenersByNamespace = new HashMap<>();

    /// @param engine namespaces of the engine's process, which count as the host's
    ContainerTruth(
            ProcessTable table,
            CgroupReader cgroups,
            List<SocketFile> sockets,
            boolean liveFilters,
            Map<String, Long> first,
            Map<String, Long> engine) {
        this.table = table;
        this.cgroups = cgroups;
        this.sockets = sockets;
        this.liveFilters = liveFilters;
        this.host = MountTable.ofHost();
        hostNamespaces.addAll(first.values());
        hostNamespaces.addAll(engine.values());
    }

    /// @throws IllegalStateException with the reason where the kernel does not let us see it
    Truth read(String id, long pid) {
        Map<String, Long> namespaces = Proc.namespaces(pid);
        if (namespaces.size() < Proc.NAMESPACES.size() - 1) {
            throw new IllegalStateException("the namespaces of process " + pid + " cannot be read; run as root");
        }
        boolean ownPids = !hostNamespaces.contains(namespaces.getOrDefault("pid", 0L));
        List<Task> processes = table.ofContainer(id, pid, ownPids).stream()
                .flatMap(member -> process(member).stream())
                .toList();
        if (processes.isEmpty()) {
            throw new IllegalStateException("process " + pid + " is gone");
        }
        List<Mount> mounts = host.located(MountTable.of(pid).mounts());
        return new Truth(
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
                deviceNodes(pid),
                cgroups.devices(table.cgroup(pid)),
                filter(id, pid, processes));
    }

    /// From the kernel where it was asked for, or where no bundle tells what the runtime was given.
    private Filter filter(String id, long pid, List<Task> processes) {
        if (liveFilters) {
            return LiveFilter.of(processes);
        }
        Filter given = RuntimeFilter.of(table.parent(pid), id);
        return given.source().isEmpty() ? LiveFilter.of(processes) : given;
    }

    private static Optional<Task> process(long pid) {
        String text = Proc.text(pid, "status").orElse("");
        Map<String, String> status = Proc.fields(text);
        if (!status.containsKey("CapEff")) {
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
                Proc.namespaces(pid),
                Proc.text(pid, "attr/apparmor/current")
                        .or(() -> Proc.text(pid, "attr/current"))
                        .map(label -> label.replace("\0", ""))
                        .orElse("")));
    }

    private static long mask(Map<String, String> status, String field) {
        return Long.parseUnsignedLong(status.getOrDefault(field, "0"), 16);
    }

    /// All listeners of a network namespace of its own; in the host's, those whose sockets the container's processes
    /// have open.
    private List<Listener> listeners(long pid, long namespace, List<Task> processes) {
        List<Listener> all = listenersByNamespace.computeIfAbsent(namespace, key -> SocketTable.listeners(pid));
        if (!hostNamespaces.contains(namespace)) {
            return all;
        }
        Set<Long> own = new HashSet<>();
        processes.forEach(process -> own.addAll(Proc.socketInodes(process.pid())));
        return all.stream().filter(listener -> own.contains(listener.inode())).toList();
    }

    /// Engine sockets within reach: candidates by the mount tables, each proved by device and inode.
    private List<Reached> reached(long pid, List<Mount> mounts) {
        var found = new ArrayList<Reached>();
        for (SocketFile socket : sockets) {
            Optional<Mount> holder = host.holding(socket.path());
            if (holder.isEmpty()) {
                continue;
            }
            for (String path : MountTable.candidates(mounts, holder.get(), socket.path())) {
                if (isSame(pid, path, socket)) {
                    // a read-only mount does not stop connect(2)
                    found.add(new Reached(socket.engine(), socket.path(), path, true));
                }
            }
        }
        return found;
    }

    private static boolean isSame(long pid, String path, SocketFile socket) {
        try (Fd root = FileSystem.open(Proc.of(pid).resolve("root").toString(), FileSystem.O_PATH);
                Fd file = FileSystem.openAt(root, path, FileSystem.O_PATH, 0, FileSystem.RESOLVE_IN_ROOT)) {
            FileStatus status = FileSystem.status(file);
            return status.inode() == socket.inode() && status.fileSystem() == socket.device();
        } catch (ErrnoException e) {
            return false;
        }
    }

    /// Device nodes in the container's `/dev` beyond those that every container has, as `b 254:0 /dev/vda`.
    private static List<String> deviceNodes(long pid) {
        var nodes = new ArrayList<String>();
        try (Fd root = FileSystem.open(Proc.of(pid).resolve("root").toString(), FileSystem.O_PATH);
                Fd dev = FileSystem.openAt(
                        root, "dev", FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, FileSystem.RESOLVE_IN_ROOT)) {
            for (String name : FileSystem.list(dev)) {
                FileStatus status = FileSystem.status(dev, name);
                int type = status.mode() & TYPE;
                String number = status.deviceMajor() + ":" + status.deviceMinor();
                if ((type == CHARACTER || type == BLOCK)
                        && !(type == CHARACTER
                                && (USUAL_DEVICES.contains(number) || status.deviceMajor() == PTS_MAJOR))) {
                    nodes.add((type == BLOCK ? "b " : "c ") + number + " /dev/" + name);
                }
            }
        } catch (ErrnoException e) {
            return List.of();
        }
        nodes.sort(java.util.Comparator.naturalOrder());
        return nodes;
    }

    static Filter unknown(String reason) {
        return new Filter("", reason, List.of());
    }
}
