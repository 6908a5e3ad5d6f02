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
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// An ext4 file system in a file, for what one container writes. The file has no name and its device lets go by
/// itself: when the last mount and the last descriptor end, in whatever way, the disk has its blocks back.
final class ImageFile {
    private static final List<Path> MAKERS = List.of(Path.of("/usr/sbin/mkfs.ext4"), Path.of("/sbin/mkfs.ext4"));
    private static final long BLOCK = 4096;
    /// The blocks that one block's bitmap can describe.
    private static final long GROUP = 8 * BLOCK * BLOCK;
    /// mkfs drops a last group that is hardly larger than its own tables, and spreads the inodes anew.
    private static final long LEAST_LAST_GROUP = 8 << 20;
    /// In a block, 256 bytes each: a group has a whole number of blocks of them.
    private static final long INODES_IN_BLOCK = BLOCK / 256;
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
        try (Fd file = FileSystem.unnamed(directory, 0600)) {
            FileContent.resize(file, size);
            format(file, inGroup * groups);
            try (LoopDevices.Attached loop = LoopDevices.attach(file)) {
                return Mounts.of(
                        "ext4",
                        loop.path(),
                        List.of("noinit_itable"),
                        EnumSet.of(Mounts.Attribute.NO_DEVICES, Mounts.Attribute.NO_SETUID));
            }
        }
    }

    private static void format(Fd file, long inodes) {
        // Without a journal: nobody reads it again after a power failure.
        var command = new ProcessBuilder(
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
                "-O",
                "^has_journal,^resize_inode,^quota,^project",
                "-E",
                "nodiscard,lazy_itable_init=1,root_owner=0:0",
                "/proc/" + ProcessHandle.current().pid() + "/fd/" + file.number());
        command.environment().clear();
        try {
            Process process = command.redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readNBytes(LONGEST_MESSAGE), StandardCharsets.UTF_8);
            boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (!ended || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new StateException(
                        "STORAGE_FAILED",
                        "mkfs.ext4 made no writable layer: " + said.strip().replace('\n', ' '));
            }
        } catch (IOException e) {
            throw new StateException("STORAGE_FAILED", "mkfs.ext4 cannot be run (" + e.getMessage() + ")", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StateException("STORAGE_FAILED", "the launch was interrupted", e);
        }
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
