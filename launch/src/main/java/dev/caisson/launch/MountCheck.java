package dev.caisson.launch;

import dev.caisson.launch.Verifier.Check;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.InRootPath;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Compares what the host gave to a container as mounts with the plan: each one's source, options and propagation,
/// proc_pid_mountinfo(5), and that no mount of the container passes mount events on or takes them.
final class MountCheck {
    /// Never set-uid, never devices, whatever the volume.
    private static final List<String> ALWAYS = List.of("nosuid", "nodev");
    private static final String OVERLAY = "overlay";

    /// One line of mountinfo.
    ///
    /// @param propagation as `shared:1 master:2`; empty for a private mount
    private record Mounted(String target, String fileSystem, List<String> options, String propagation) {
        static Mounted parse(String line) {
            List<String> fields = List.of(line.split(" ", -1));
            int dash = fields.indexOf("-");
            return new Mounted(
                    fields.get(4),
                    fields.get(dash + 1),
                    List.of(fields.get(5).split(",", -1)),
                    String.join(" ", fields.subList(6, dash)));
        }

        String text() {
            return fileSystem + " " + String.join(",", options) + ", "
                    + (propagation.isEmpty() ? "private" : propagation);
        }
    }

    private final Fd process;
    private final LaunchPlan plan;
    private final List<Mounted> mounts;

    /// @param process its directory in /proc
    MountCheck(Fd process, LaunchPlan plan, String mountinfo) {
        this.process = process;
        this.plan = plan;
        this.mounts = mountinfo.lines().map(Mounted::parse).toList();
    }

    List<Check> checks() {
        var checks = new ArrayList<Check>();
        for (Step.MountSlot mount : plan.all(Step.MountSlot.class)) {
            switch (plan.slots().get(mount.slot().index())) {
                case SlotSource.Bind bind ->
                    checks.add(check(mount.target(), bind.source(), bind.readOnly() ? "ro" : "rw", true));
                case SlotSource.Cover cover -> checks.add(check(mount.target(), cover.source(), "ro", false));
                default -> {}
            }
        }
        checks.add(propagation());
        return checks;
    }

    /// @param same whether the file inside is the very file of the host, and not one of an overlay over it, which has
    /// locks
    /// of its own
    private Check check(InRootPath target, Path source, String access, boolean same) {
        String subject = "mount " + target;
        String planned =
                source + ", " + (same ? "" : OVERLAY + " ") + access + "," + String.join(",", ALWAYS) + ", private";
        Optional<Mounted> found = mounts.stream()
                .filter(mount -> mount.target().equals(target.absolute()))
                .reduce((before, later) -> later); // what was mounted last is what is seen
        if (found.isEmpty()) {
            return new Check(subject, planned, "missing", false);
        }
        Mounted mount = found.get();
        boolean asPlanned = (same || mount.fileSystem().equals(OVERLAY))
                && mount.options().contains(access)
                && mount.options().containsAll(ALWAYS)
                && mount.propagation().isEmpty();
        if (!asPlanned || !same) {
            return new Check(subject, planned, source + ", " + mount.text(), asPlanned);
        }
        Optional<FileStatus> ofHost = status(() -> FileSystem.open(source.toString(), FileSystem.O_PATH));
        if (ofHost.isEmpty()) {
            return Check.notEvaluated(
                    subject, planned, "the host has no " + source + " any more; it is " + mount.text());
        }
        Optional<FileStatus> inside = status(() -> inRoot(target));
        boolean isSame = inside.isPresent()
                && inside.get().inode() == ofHost.get().inode()
                && inside.get().fileSystem() == ofHost.get().fileSystem();
        String what = isSame ? source.toString() : "another file than the host's " + source;
        return new Check(subject, planned, what + ", " + mount.text(), isSame);
    }

    private interface Opening {
        Fd open();
    }

    private static Optional<FileStatus> status(Opening opening) {
        try (Fd file = opening.open()) {
            return Optional.of(FileSystem.status(file));
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }

    private Fd inRoot(InRootPath target) {
        try (Fd root = FileSystem.openAt(process, "root", FileSystem.O_PATH, 0, 0)) {
            return FileSystem.openAt(
                    root,
                    target.relative(),
                    FileSystem.O_PATH,
                    0,
                    FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_SYMLINKS);
        }
    }

    private Check propagation() {
        List<String> open = mounts.stream()
                .filter(mount -> !mount.propagation().isEmpty())
                .map(mount -> mount.target() + " " + mount.propagation())
                .toList();
        String found = open.isEmpty() ? "all " + mounts.size() + " private" : String.join(", ", open);
        return new Check("mount propagation", "all private", found, open.isEmpty());
    }
}
