package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Files as disks, loop(4): a device that shows a file's content as blocks.
public final class LoopDevices {
    /// A device that stands for a file.
    ///
    /// @param path as `/dev/loop3`, valid while `device` is open or what is on it is mounted
    /// @param device to be closed by the caller once it is mounted
    public record Attached(String path, Fd device) implements AutoCloseable {
        @Override
        public void close() {
            device.close();
        }
    }

    private static final String CONTROL = "/dev/loop-control";
    private static final long LOOP_CONFIGURE = 0x4C0A;
    private static final long LOOP_CTL_GET_FREE = 0x4C82;
    private static final long LOOP_GET_STATUS64 = 0x4C05;
    private static final int LOOP_INFO_BYTES = 232;
    private static final int MOST_PATH = 4096;
    private static final int LO_FLAGS_AUTOCLEAR = 4;
    /// Others may take the free device between the two calls.
    private static final int TRIES = 64;

    /// struct loop_config of linux/loop.h, with the fields of struct loop_info64 that are set here.
    static final StructLayout LOOP_CONFIG = MemoryLayout.structLayout(
            JAVA_INT.withName("fd"),
            JAVA_INT.withName("block_size"),
            MemoryLayout.sequenceLayout(52, ValueLayout.JAVA_BYTE).withName("info"),
            JAVA_INT.withName("lo_flags"),
            MemoryLayout.sequenceLayout(176, ValueLayout.JAVA_BYTE).withName("rest_of_info"),
            MemoryLayout.sequenceLayout(64, ValueLayout.JAVA_BYTE).withName("reserved"));

    private LoopDevices() {}

    /// Makes `file` a disk. The device lets go of it by itself when nobody has it open or mounted any more,
    /// however its users ended.
    public static Attached attach(Fd file) {
        try (Fd control = FileSystem.open(CONTROL, FileSystem.O_RDWR)) {
            for (int tries = 1; ; tries++) {
                long number = Native.check(
                        "ioctl LOOP_CTL_GET_FREE", Native.raw(Nr.IOCTL, control.number(), LOOP_CTL_GET_FREE, 0));
                String path = "/dev/loop" + number;
                Fd device = FileSystem.open(path, FileSystem.O_RDWR);
                long result = configure(device, file);
                if (result >= 0) {
                    return new Attached(path, device);
                }
                device.close();
                if (result != -Errno.EBUSY || tries == TRIES) {
                    throw new ErrnoException("ioctl LOOP_CONFIGURE", (int) -result);
                }
            }
        }
    }

    /// Finds the device that stands for `file` already, which may be another process's; empty if there is none. It does
    /// not let go of the file as long as it is open.
    public static Optional<Attached> find(Fd file) {
        FileStatus wanted = FileSystem.status(file);
        String path = FileSystem.path(file);
        String name = path.substring(path.lastIndexOf('/'));
        try (Fd blocks = FileSystem.open("/sys/block", FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            for (String device : DirectoryEntries.of(blocks)) {
                if (device.startsWith("loop") && backing(blocks, device).strip().endsWith(name)) {
                    Optional<Attached> found = open("/dev/" + device, wanted);
                    if (found.isPresent()) {
                        return found;
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static String backing(Fd blocks, String device) {
        return FileSystem.find(blocks, device + "/loop/backing_file", FileSystem.O_RDONLY, 0)
                .map(found -> {
                    try (Fd file = found) {
                        return new String(FileSystem.read(file, MOST_PATH), StandardCharsets.UTF_8);
                    } catch (ErrnoException e) {
                        return ""; // it lets go at this moment
                    }
                })
                .orElse("");
    }

    /// Opened first: what is open keeps its file.
    private static Optional<Attached> open(String path, FileStatus wanted) {
        Fd device;
        try {
            device = FileSystem.open(path, FileSystem.O_RDWR);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENXIO) || e.is(Errno.ENOENT)) {
                return Optional.empty(); // it lets go at this moment
            }
            throw e;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(LOOP_INFO_BYTES, 8);
            long result = Native.raw(Nr.IOCTL, device.number(), LOOP_GET_STATUS64, info.address());
            if (result >= 0
                    && info.get(JAVA_LONG, 0) == encoded(wanted.fileSystem())
                    && info.get(JAVA_LONG, 8) == wanted.inode()) {
                return Optional.of(new Attached(path, device));
            }
            device.close();
            return Optional.empty();
        }
    }

    /// The number of a file system's device as ioctls have it: 12 bits of it major, 20 minor, in three parts.
    private static long encoded(long fileSystem) {
        long major = fileSystem >>> Integer.SIZE;
        long minor = fileSystem & 0xffff_ffffL;
        return (minor & 0xff) | (major << 8) | ((minor & ~0xffL) << 12);
    }

    private static long configure(Fd device, Fd file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment config = arena.allocate(LOOP_CONFIG);
            config.set(JAVA_INT, 0, file.number());
            config.set(JAVA_INT, Native.offset(LOOP_CONFIG, "lo_flags"), LO_FLAGS_AUTOCLEAR);
            return Native.raw(Nr.IOCTL, device.number(), LOOP_CONFIGURE, config.address());
        }
    }
}
