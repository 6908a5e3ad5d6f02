package dev.caisson.launch;

import dev.caisson.linux.KernelText;
import dev.caisson.linux.MountInfo;
import dev.caisson.spec.InRootPath;
import java.util.List;
import java.util.Optional;

/// The mount table of a process, proc_pid_mountinfo(5): which mount a path leads to.
final class MountTable {
    private static final String ROOT = "/";

    /// One line.
    ///
    /// @param device of the file system, `MAJOR:MINOR`
    /// @param root what of the file system is mounted, `/` for all of it
    /// @param propagation as `shared:1 master:2`; empty for a private mount
    /// @param ofFileSystem its own options, as `nr_inodes=1`
    record Mounted(
            int id,
            int parent,
            String device,
            String root,
            String target,
            List<String> options,
            String propagation,
            String fileSystem,
            List<String> ofFileSystem) {
        static Mounted parse(String line) {
            MountInfo mount = MountInfo.ofLine(line)
                    .orElseThrow(() -> new IllegalArgumentException("not a line of a mount table: " + line));
            return new Mounted(
                    mount.id(),
                    mount.parent(),
                    mount.device(),
                    mount.root(),
                    mount.point(),
                    List.of(mount.options().split(",", -1)),
                    mount.propagation(),
                    mount.type(),
                    List.of(mount.superOptions().split(",", -1)));
        }

        boolean isReadOnly() {
            return options.contains(MountFlag.READ_ONLY.option());
        }

        String text() {
            return fileSystem + " " + String.join(",", options);
        }
    }

    private final List<Mounted> mounts;

    MountTable(String mountinfo) {
        this.mounts = KernelText.lines(mountinfo).map(Mounted::parse).toList();
    }

    List<Mounted> mounts() {
        return mounts;
    }

    /// Returns the mount that a path is the root of. Empty if the path is inside a mount that stands above it, also if
    /// something was mounted there before and lies hidden below a later mount.
    Optional<Mounted> at(InRootPath path) {
        return reached(path).filter(mount -> mount.target().equals(path.absolute()));
    }

    /// Goes down from the root as the kernel does when it looks a path up: at each directory to what is mounted there.
    private Optional<Mounted> reached(InRootPath path) {
        Optional<Mounted> reached = root();
        var directory = new StringBuilder();
        for (String component :
                path.isRoot() ? List.<String>of() : List.of(path.relative().split("/", -1))) {
            directory.append('/').append(component);
            reached = reached.map(mount -> topmost(mount, directory.toString()));
        }
        return reached;
    }

    private Optional<Mounted> root() {
        return mounts.stream()
                .filter(mount -> mount.target().equals(ROOT) && !isMountedOnAnother(mount))
                .findFirst()
                .map(mount -> topmost(mount, ROOT));
    }

    private boolean isMountedOnAnother(Mounted mount) {
        return mount.parent() != mount.id() && mounts.stream().anyMatch(other -> other.id() == mount.parent());
    }

    private Mounted topmost(Mounted below, String target) {
        Mounted top = below;
        for (int i = 0; i < mounts.size(); i++) { // the root may be its own parent
            Mounted last = top;
            top = mounts.stream()
                    .filter(mount ->
                            mount.parent() == last.id() && mount.target().equals(target))
                    .findFirst()
                    .orElse(last);
        }
        return top;
    }
}
