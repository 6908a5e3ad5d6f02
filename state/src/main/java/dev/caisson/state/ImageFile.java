package dev.caisson.state;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.LoopDevices;
import dev.caisson.linux.Mounts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// An ext4 file system in a file, on a device that lets go of it by itself: when the last mount and the last descriptor
/// end, in whatever way. What one container writes is in a file without a name, so the disk then has its blocks back; a
/// workspace is in a file that stays.
final class ImageFile {
    private static final List<Path> MAKERS = List.of(Path.of("/usr/sbin/mkfs.ext4"), Path.of("/sbin/mkfs.ext4"));
    private static final long BLOCK = 4096;
    /// The blocks that one block's bitmap can describe.
    private static final long GROUP = 8 * BLOCK * BLOCK;
    /// mkfs drops a last group that is hardly larger than its own tables, and spreads the inodes anew.
    private static final long LEAST_LAST_GROUP = 8 << 20;
    /// In a block, 256 bytes each: a group has a whole number of blocks of them.
    private static final long INODES_IN_BLOCK = BLOCK / 256;
    /// The root of a workspace: who comes to it at all is decided by who is given it.
    static final int OPEN_TO_ALL = 0777;
    private static final long SMALL = 256 << 20;
    private static final Set<Mounts.Attribute> INERT = Set.of(Mounts.Attribute.NO_DEVICES, Mounts.Attribute.NO_SETUID);
    private static final int LONGEST_MESSAGE = 500;
    private static final int PATIENCE_SECONDS = 60;

    private ImageFile() {}

    /// True if this host has what it takes; the kernel may still lack ext4.
    static boolean isPossible() {
        return maker().isPresent() && Files.exists(Path.of("/dev/loop-control"));
    }

    private static Optional<Path> maker() {
        return MAKERS.stream().filter(Files::isExecutable).findFirst();
    }

    /// A detached mount of a new one.
    /// @param bytes that the file may grow to
    /// @param inodes that it has at most, ext4's own eleven among them
    static Fd mount(Fd directory, long bytes, long inodes) {
        try (Fd file = FileSystem.unnamed(directory, 0600)) {
            // Without a journal: nobody reads it again after a power failure.
            format(file, bytes, inodes, List.of("-O", "^has_journal,^resize_inode,^quota,^project"));
            try (LoopDevices.Attached loop = LoopDevices.attach(file)) {
                return Mounts.of("ext4", loop.path(), List.of("noinit_itable"), INERT);
            }
        }
    }

    /// Makes an empty one in a file, which stays whole after a power failure.
    /// @param bytes of the file system, its journal and tables among them
    static void makeLasting(Fd file, long bytes, long inodes) {
        long journal = bytes < SMALL ? 4 : 32;
        format(file, bytes, inodes, List.of("-J", "size=" + journal, "-O", "^resize_inode,^quota,^project"));
        try (Fd mount = mountShared(file);
                Fd root = FileSystem.openAt(mount, ".", FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, 0)) {
            FileSystem.removeDirectory(root, "lost+found"); // fsck makes it where it needs it
            FileSystem.changeMode(root, OPEN_TO_ALL);
            FileSystem.synchronize(root);
        }
        FileSystem.synchronize(file);
    }

    /// Mounts one that may be mounted already, also by other processes: a file that stood on two devices would
    /// be written by two file systems. So nobody else may do so meanwhile. A lock of `file` would stay with the
    /// device.
    static Fd mountShared(Fd file) {
        try (LoopDevices.Attached loop = LoopDevices.find(file).orElseGet(() -> LoopDevices.attach(file))) {
            // What is removed is given back to the disk.
            return Mounts.of("ext4", loop.path(), List.of("discard"), INERT);
        }
    }

    private static void format(Fd file, long bytes, long inodes, List<String> features) {
        long last = bytes % GROUP;
        long size = bytes > GROUP && last < LEAST_LAST_GROUP ? bytes - last : bytes / BLOCK * BLOCK;
        long groups = (size + GROUP - 1) / GROUP;
        long inGroup = inodes / groups / INODES_IN_BLOCK * INODES_IN_BLOCK;
        if (inGroup * groups < 2 * INODES_IN_BLOCK) {
            throw new StateException(
                    "STORAGE_INODES",
                    "an ext4 file system of " + bytes + " bytes has at least " + Math.max(2, groups) * INODES_IN_BLOCK
                            + " files: allow more inodes, or a smaller size");
        }
        FileContent.resize(file, size);
        runMaker(file, inGroup * groups, features);
    }

    private static void runMaker(Fd file, long inodes, List<String> features) {
        var words = new ArrayList<>(List.of(
                maker().map(Path::toString).orElse("mkfs.ext4"),
                "-q",
                "-F",
                "-b",
                Long.toString(BLOCK),
                "-I",
                Long.toString(BLOCK / INODES_IN_BLOCK),
                "-m",
                "0",
                "-N",
                Long.toString(inodes),
                "-E",
                "nodiscard,lazy_itable_init=1,root_owner=0:0"));
        words.addAll(features);
        words.add("/proc/" + ProcessHandle.current().pid() + "/fd/" + file.number());
        var command = new ProcessBuilder(words);
        command.environment().clear();
        try {
            Process process = command.redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readNBytes(LONGEST_MESSAGE), StandardCharsets.UTF_8);
            if (!endsInTime(process) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new StateException(
                        "STORAGE_FAILED",
                        "mkfs.ext4 made no file system: " + said.strip().replace('\n', ' '));
            }
        } catch (IOException e) {
            throw new StateException("STORAGE_FAILED", "mkfs.ext4 cannot be run (" + e.getMessage() + ")", e);
        }
    }

    /// Waits for so short a program in threads that are interrupted, too.
    private static boolean endsInTime(Process process) {
        return process.onExit()
                .thenApply(_ -> true)
                .completeOnTimeout(false, PATIENCE_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    /// Lets go of a mount whose container is gone, and does not write down what nobody will read.
    static void abandon(Fd mount) {
        try (mount;
                Fd root = FileSystem.openAt(mount, ".", FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, 0)) {
            Mounts.abandonExt4(root);
        } catch (ErrnoException e) {
            System.getLogger(ImageFile.class.getName())
                    .log(System.Logger.Level.DEBUG, "the layer is written before it is removed", e);
        }
    }
}
