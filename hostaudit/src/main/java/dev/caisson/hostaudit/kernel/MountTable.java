package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.ContainerFacts.Mount;
import dev.caisson.hostaudit.facts.HostPaths;
import dev.caisson.linux.MountInfo;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A mount table, proc_pid_mountinfo(5), and where the host has what a container's table lists.
public final class MountTable {
    private final List<Mount> mounts;
    private final Map<String, List<Mount>> byDevice = new HashMap<>();
    private final Set<String> peerGroups = new HashSet<>();

    private MountTable(List<Mount> mounts) {
        this.mounts = mounts;
        mounts.forEach(mount -> byDevice.computeIfAbsent(mount.device(), device -> new ArrayList<>())
                .add(mount));
        mounts.forEach(mount -> peers(mount.peers()).forEach(peerGroups::add));
    }

    /// The host's: process 1's, or where it may not be looked at, this process's.
    public static MountTable ofHost() {
        String first = Proc.text(1, "mountinfo").orElse("");
        return first.isEmpty() ? of(ProcessHandle.current().pid()) : ofText(first);
    }

    public static MountTable of(long pid) {
        return new MountTable(parse(Proc.text(pid, "mountinfo").orElse("")));
    }

    public static MountTable ofText(String mountinfo) {
        return new MountTable(parse(mountinfo));
    }

    public List<Mount> mounts() {
        return mounts;
    }

    private static List<Mount> parse(String text) {
        return MountInfo.parse(text).stream()
                .map(mount -> new Mount(
                        mount.device(),
                        mount.root(),
                        mount.point(),
                        mount.options(),
                        mount.propagation(),
                        mount.type(),
                        mount.source(),
                        "",
                        List.of(),
                        false))
                .toList();
    }

    /// The mounts of a container with their place on this host, which is this table.
    /// @param marks directories of this host that matter: whatever leads there is called by their names
    public List<Mount> located(List<Mount> inside, List<String> marks) {
        List<Mark> known = marks.stream().flatMap(path -> mark(path).stream()).toList();
        return inside.stream()
                .map(mount -> new Mount(
                        mount.device(),
                        mount.root(),
                        mount.point(),
                        mount.options(),
                        mount.peers(),
                        mount.type(),
                        mount.source(),
                        hostPath(mount, known).orElse(""),
                        known.stream()
                                .filter(mark -> mark.isBelow(mount))
                                .map(Mark::path)
                                .sorted()
                                .toList(),
                        peers(mount.peers()).anyMatch(peerGroups::contains)))
                .toList();
    }

    /// A directory of this host, and which directory of which file system it is.
    private record Mark(String path, String device, String root) {
        boolean holds(Mount mount) {
            return device.equals(mount.device()) && HostPaths.isBelow(mount.root(), root);
        }

        boolean isBelow(Mount mount) {
            return device.equals(mount.device()) && !root.equals(mount.root()) && HostPaths.isBelow(root, mount.root());
        }
    }

    private Optional<Mark> mark(String path) {
        return holding(path)
                .map(holder -> new Mark(
                        path, holder.device(), HostPaths.join(holder.root(), HostPaths.below(path, holder.point()))));
    }

    /// `shared:N` is a peer of every mount with the same N, in whatever namespace.
    private static java.util.stream.Stream<String> peers(String optional) {
        return java.util.stream.Stream.of(optional.split(" ", -1)).filter(field -> field.startsWith("shared:"));
    }

    /// Returns the path on this host of the directory that `inside` shows. It may have it at many places, since a bind
    /// mount makes another: below the closest mark if it lies below one, else where its file system was
    /// mounted first.
    private Optional<String> hostPath(Mount inside, List<Mark> marks) {
        Optional<Mark> mark = marks.stream()
                .filter(known -> known.holds(inside))
                .max(Comparator.comparingInt(known -> known.root().length()));
        if (mark.isPresent()) {
            return mark.map(found -> HostPaths.join(found.path(), HostPaths.below(inside.root(), found.root())));
        }
        Mount first = null;
        for (Mount mount : byDevice.getOrDefault(inside.device(), List.of())) {
            if (HostPaths.isBelow(inside.root(), mount.root())
                    && (first == null || mount.root().length() < first.root().length())) {
                first = mount;
            }
        }
        return Optional.ofNullable(first)
                .map(found -> HostPaths.join(found.point(), HostPaths.below(inside.root(), found.root())));
    }

    /// The mount that holds a path of this namespace: the last one at the longest point above it.
    public Optional<Mount> holding(String path) {
        Mount best = null;
        for (Mount mount : mounts) {
            if (HostPaths.isBelow(path, mount.point())
                    && (best == null || mount.point().length() >= best.point().length())) {
                best = mount;
            }
        }
        return Optional.ofNullable(best);
    }

    /// Paths inside a container under which a file of the host might be reached, to be proved by its inode.
    static List<String> candidates(List<Mount> inside, Mount holder, String hostPath) {
        String inFileSystem = HostPaths.join(holder.root(), HostPaths.below(hostPath, holder.point()));
        return inside.stream()
                .filter(mount ->
                        mount.device().equals(holder.device()) && HostPaths.isBelow(inFileSystem, mount.root()))
                .map(mount -> HostPaths.join(mount.point(), HostPaths.below(inFileSystem, mount.root())))
                .toList();
    }
}
