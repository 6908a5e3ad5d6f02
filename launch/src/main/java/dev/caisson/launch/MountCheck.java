package dev.caisson.launch;

import dev.caisson.error.ArgumentException;
import dev.caisson.launch.MountTable.Mounted;
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
import java.util.function.Predicate;

/// Compares the mounts of a container with its plan, by its mount table: the root, each volume's source, options and
/// propagation, each file system of the kernel, what is masked and what is read-only; and that no mount passes mount
/// events on or takes them.
final class MountCheck {
    /// Never set-uid, never devices, whatever the volume.
    private static final List<String> ALWAYS = List.of("nosuid", "nodev");
    private static final InRootPath ROOT = InRootPath.of("");
    private static final String OVERLAY = "overlay";
    private static final String MISSING = "missing";
    private static final String MASKED = "masked";

    private final Fd process;
    private final LaunchPlan plan;
    private final MountTable table;

    /// @param process its directory in /proc
    MountCheck(Fd process, LaunchPlan plan, MountTable table) {
        this.process = process;
        this.plan = plan;
        this.table = table;
    }

    Check root() {
        String planned = plan.has(Step.MakeRootReadOnly.class) ? "overlay ro" : "overlay rw";
        String found = table.at(ROOT).map(Mounted::text).orElse(MISSING);
        return new Check("root file system", planned, found, found.startsWith(planned));
    }

    List<Check> volumes() {
        var checks = new ArrayList<Check>();
        for (Step.MountSlot mount : plan.all(Step.MountSlot.class)) {
            switch (plan.slots().get(mount.slot().index())) {
                case SlotSource.Bind bind ->
                    checks.add(check(mount.target(), bind.source(), bind.readOnly() ? "ro" : "rw", true));
                case SlotSource.Shared shared -> checks.add(check(mount.target(), shared));
                case SlotSource.ImageFiles files -> checks.add(check(mount.target(), files));
                case SlotSource.Secrets _ -> checks.add(secrets(mount.target()));
                case SlotSource.Cover cover -> checks.add(check(mount.target(), cover.source(), "ro", false));
                default -> {}
            }
        }
        checks.add(propagation());
        return checks;
    }

    List<Check> fileSystems() {
        return plan.all(Step.MountFileSystem.class).stream()
                .map(this::fileSystem)
                .toList();
    }

    private Check fileSystem(Step.MountFileSystem mount) {
        List<String> flags = mount.flags().stream().map(MountFlag::option).toList();
        String type = mount.fileSystem().type();
        Optional<Mounted> found = mounted(mount.target());
        return new Check(
                "mount " + mount.target(),
                type + " " + String.join(",", flags),
                found.map(Mounted::text).orElse(MISSING),
                found.filter(it -> it.fileSystem().equals(type) && it.options().containsAll(flags))
                        .isPresent());
    }

    /// Checks what is masked and what is read-only.
    List<Check> protections() {
        var checks = new ArrayList<Check>();
        for (Step.Mask mask : plan.all(Step.Mask.class)) {
            checks.add(covered(mask.path(), MASKED, MountCheck::isMask));
        }
        for (Step.MakeReadOnly make : plan.all(Step.MakeReadOnly.class)) {
            checks.add(covered(make.path(), MountFlag.READ_ONLY.option(), Mounted::isReadOnly));
        }
        return checks;
    }

    private Check covered(InRootPath path, String planned, Predicate<Mounted> asPlanned) {
        Optional<Mounted> mount = table.at(path);
        if (mount.isEmpty()) {
            boolean exists =
                    status(() -> inRoot(path, FileSystem.RESOLVE_NO_SYMLINKS)).isPresent();
            return new Check(path.absolute(), planned, exists ? "open" : "not in this kernel", !exists);
        }
        boolean isAsPlanned = asPlanned.test(mount.get());
        String found =
                isAsPlanned && planned.equals(MASKED) ? MASKED : mount.get().text();
        return new Check(path.absolute(), planned, found, isAsPlanned);
    }

    /// The null device of the host, or a directory in memory that cannot be written to and has no room for a file.
    private static boolean isMask(Mounted mount) {
        boolean isNull = mount.root().equals("/null")
                && nullDevice().filter(mount.device()::equals).isPresent();
        boolean isEmpty = mount.fileSystem().equals(KernelFileSystem.TMPFS.type())
                && mount.root().equals("/")
                && mount.isReadOnly()
                && mount.ofFileSystem().contains("nr_inodes=1");
        return isNull || isEmpty;
    }

    /// The file system that holds it, `MAJOR:MINOR`.
    private static Optional<String> nullDevice() {
        return status(() -> FileSystem.open("/dev/null", FileSystem.O_PATH))
                .map(file -> (file.fileSystem() >>> Integer.SIZE) + ":" + (int) file.fileSystem());
    }

    /// @param same whether the file inside is the very file of the host, and not one of an overlay over it, which has
    /// locks of its own
    private Check check(InRootPath target, Path source, String access, boolean same) {
        String subject = "mount " + target;
        String planned =
                source + ", " + (same ? "" : OVERLAY + " ") + access + "," + String.join(",", ALWAYS) + ", private";
        Optional<Mounted> found = mounted(target);
        if (found.isEmpty()) {
            return new Check(subject, planned, MISSING, false);
        }
        Mounted mount = found.get();
        boolean asPlanned = (same || mount.fileSystem().equals(OVERLAY))
                && mount.options().contains(access)
                && mount.options().containsAll(ALWAYS)
                && mount.propagation().isEmpty();
        if (!asPlanned || !same) {
            return new Check(subject, planned, source + ", " + text(mount), asPlanned);
        }
        Optional<FileStatus> ofHost = status(() -> FileSystem.open(source.toString(), FileSystem.O_PATH));
        if (ofHost.isEmpty()) {
            return Check.notEvaluated(
                    subject, planned, "the host has no " + source + " any more; it is " + text(mount));
        }
        Optional<FileStatus> inside = status(() -> inRoot(target, 0));
        boolean isSame = inside.isPresent()
                && inside.get().inode() == ofHost.get().inode()
                && inside.get().fileSystem() == ofHost.get().fileSystem();
        String what = isSame ? source.toString() : "another file than the host's " + source;
        return new Check(subject, planned, what + ", " + text(mount), isSame);
    }

    /// A workspace or volume is a directory of that name in the engine's data, or all of a file system in a file there;
    /// a dot before the name is of one that goes with its container.
    private Check check(InRootPath target, SlotSource.Shared shared) {
        String access = shared.readOnly() ? MountFlag.READ_ONLY.option() : "rw";
        String below = below(shared.subpath());
        String planned = shared.name().kind() + " " + shared.name() + below + ", " + access + ","
                + String.join(",", ALWAYS) + ", private";
        Optional<Mounted> found = mounted(target);
        boolean asPlanned = found.filter(mount ->
                        ((mount.fileSystem().equals("ext4") && mount.root().equals(below.isEmpty() ? "/" : below))
                                        || mount.root().endsWith("/" + shared.name() + "/files" + below)
                                        || mount.root().endsWith("/." + shared.name() + "/files" + below))
                                && mount.options().contains(access)
                                && mount.options().containsAll(ALWAYS)
                                && mount.propagation().isEmpty())
                .isPresent();
        return new Check("mount " + target, planned, found.map(MountCheck::text).orElse(MISSING), asPlanned);
    }

    private static String below(InRootPath subpath) {
        return subpath.isRoot() ? "" : subpath.absolute();
    }

    /// An image that is mounted is an overlay of its layers, or a directory of one.
    private Check check(InRootPath target, SlotSource.ImageFiles files) {
        String below = below(files.subpath());
        var options = List.of(MountFlag.READ_ONLY.option(), "nosuid", "nodev");
        Optional<Mounted> found = mounted(target);
        boolean asPlanned = found.filter(mount -> mount.fileSystem().equals(OVERLAY)
                        && mount.root().equals(below.isEmpty() ? "/" : below)
                        && mount.options().containsAll(options)
                        && mount.propagation().isEmpty())
                .isPresent();
        return new Check(
                "mount " + target,
                "image " + files.image() + below + ", overlay " + String.join(",", options) + ", private",
                found.map(MountCheck::text).orElse(MISSING),
                asPlanned);
    }

    /// Secrets are in memory that is never swapped, which the container cannot change, and all of a file
    /// system of their own. If the container may mount, nobody can change it.
    private Check secrets(InRootPath target) {
        var options = List.of(MountFlag.READ_ONLY.option(), "nosuid", "nodev", "noexec");
        Optional<Mounted> found = mounted(target);
        boolean asPlanned = found.filter(mount -> mount.fileSystem().equals("ramfs")
                        && mount.root().equals("/")
                        && mount.options().containsAll(options)
                        && (!plan.mayMount() || mount.ofFileSystem().contains(MountFlag.READ_ONLY.option()))
                        && mount.propagation().isEmpty())
                .isPresent();
        return new Check(
                "mount " + target,
                "secrets, ramfs " + String.join(",", options) + ", private",
                found.map(MountCheck::text).orElse(MISSING),
                asPlanned);
    }

    private static String text(Mounted mount) {
        return mount.text() + ", " + (mount.propagation().isEmpty() ? "private" : mount.propagation());
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

    private Fd inRoot(InRootPath target, long resolve) {
        try (Fd root = FileSystem.openAt(process, "root", FileSystem.O_PATH, 0, 0)) {
            return FileSystem.openAt(
                    root,
                    target.relative(),
                    FileSystem.O_PATH,
                    0,
                    FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_MAGICLINKS | resolve);
        }
    }

    /// Returns what is mounted at a place, whose name may go through links of the image as that of whoever mounted it.
    private Optional<Mounted> mounted(InRootPath target) {
        Optional<Mounted> there = table.at(target);
        return there.isPresent() ? there : followed(target).flatMap(table::at);
    }

    private Optional<InRootPath> followed(InRootPath target) {
        try (Fd root = FileSystem.openAt(process, "root", FileSystem.O_PATH, 0, 0);
                Fd found = inRoot(target, 0)) {
            String top = FileSystem.path(root);
            String path = FileSystem.path(found);
            return top.equals("/") || path.startsWith(top + "/")
                    ? Optional.of(InRootPath.of(path.substring(top.equals("/") ? 1 : top.length() + 1)))
                    : Optional.empty();
        } catch (ErrnoException | ArgumentException e) {
            return Optional.empty(); // or a name that no target has
        }
    }

    private Check propagation() {
        List<String> open = table.mounts().stream()
                .filter(mount -> !mount.propagation().isEmpty())
                .map(mount -> mount.target() + " " + mount.propagation())
                .toList();
        String found = open.isEmpty() ? "all " + table.mounts().size() + " private" : String.join(", ", open);
        return new Check("mount propagation", "all private", found, open.isEmpty());
    }
}
