package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.LimitException.Code;
import dev.caisson.text.Quoted;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A disk, by the numbers that the kernel knows it by.
public record BlockDevice(int major, int minor) {
    private static final Pattern NUMBERS = Pattern.compile("(\\d{1,8}):(\\d{1,8})");
    private static final int S_IFMT = 0170000;
    private static final int S_IFBLK = 0060000;

    /// The disk that a device node of the host stands for, as `/dev/sda`. A partition is refused: the kernel counts and
    /// limits whole disks.
    public static BlockDevice at(Path node) {
        FileStatus status;
        try (Fd file = FileSystem.open(present(node, "node").toString(), FileSystem.O_PATH)) {
            status = FileSystem.status(file);
        } catch (ErrnoException e) {
            throw new LimitException(
                    Code.BAD_DEVICE, node + " cannot be opened; name a disk's device node, such as /dev/sda", e);
        }
        if ((status.mode() & S_IFMT) != S_IFBLK) {
            throw new LimitException(
                    Code.BAD_DEVICE, node + " is not a disk; name a disk's device node, such as /dev/sda");
        }
        var device = new BlockDevice(status.deviceMajor(), status.deviceMinor());
        if (Files.exists(Path.of("/sys/dev/block/" + device, "partition"))) {
            throw new LimitException(
                    Code.BAD_DEVICE,
                    node + " is a partition; name the whole disk, because the kernel limits only that");
        }
        return device;
    }

    /// Reads it as the kernel writes it, `8:0`.
    public static BlockDevice parse(String numbers) {
        Matcher matcher = NUMBERS.matcher(present(numbers, "numbers"));
        if (!matcher.matches()) {
            throw new LimitException(
                    Code.BAD_DEVICE, Quoted.of(numbers) + " is no disk; write its major and minor number, such as 8:0");
        }
        return new BlockDevice(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
    }

    /// Returns the kernel's form, `8:0`.
    @Override
    public String toString() {
        return major + ":" + minor;
    }
}
