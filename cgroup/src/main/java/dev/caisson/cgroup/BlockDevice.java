package dev.caisson.cgroup;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;

/// A disk, by the numbers that the kernel knows it by.
public record BlockDevice(int major, int minor) {
    private static final int S_IFMT = 0170000;
    private static final int S_IFBLK = 0060000;

    /// The disk that a device node of the host stands for, as `/dev/sda`. A partition is refused: the kernel counts and
    /// limits whole disks.
    public static BlockDevice at(Path node) {
        FileStatus status;
        try (Fd file = FileSystem.open(present(node, "node").toString(), FileSystem.O_PATH)) {
            status = FileSystem.status(file);
        } catch (ErrnoException e) {
            throw new CgroupException(
                    Code.BAD_DEVICE, node + " cannot be opened; name a disk's device node, such as /dev/sda.", e);
        }
        if ((status.mode() & S_IFMT) != S_IFBLK) {
            throw new CgroupException(
                    Code.BAD_DEVICE, node + " is not a disk; name a disk's device node, such as /dev/sda.");
        }
        var device = new BlockDevice(status.deviceMajor(), status.deviceMinor());
        if (Files.exists(Path.of("/sys/dev/block/" + device, "partition"))) {
            throw new CgroupException(
                    Code.BAD_DEVICE,
                    node + " is a partition; name the whole disk, because the kernel limits only that.");
        }
        return device;
    }

    static BlockDevice parse(String numbers) {
        int colon = numbers.indexOf(':');
        return new BlockDevice(
                Integer.parseInt(numbers, 0, colon, 10), Integer.parseInt(numbers, colon + 1, numbers.length(), 10));
    }

    /// As the kernel writes it, `8:0`.
    @Override
    public String toString() {
        return major + ":" + minor;
    }
}
