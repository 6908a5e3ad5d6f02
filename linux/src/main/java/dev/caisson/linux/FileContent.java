package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// The bytes of open files: read and written at a position, with holes, and brought to the disk. pread(2), pwrite(2),
/// lseek(2), ftruncate(2), syncfs(2).
public final class FileContent {
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;

    private FileContent() {}

    /// Reads into `buffer` what stands at `position` of the file; its own position stays.
    /// @return how many bytes, 0 at the file's end
    public static int readAt(Fd file, byte[] buffer, long position) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(Math.max(1, buffer.length));
            long count;
            do {
                count = Native.raw(Nr.PREAD64, file.number(), memory.address(), buffer.length, position);
            } while (count == -Errno.EINTR);
            Native.check("pread", count);
            MemorySegment.copy(memory, JAVA_BYTE, 0, buffer, 0, (int) count);
            return (int) count;
        }
    }

    /// Writes `length` bytes of `bytes` from `offset` on at `position` of the file; its own position stays.
    public static void writeAt(Fd file, byte[] bytes, int offset, int length, long position) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(Math.max(1, length));
            MemorySegment.copy(bytes, offset, buffer, JAVA_BYTE, 0, length);
            for (long done = 0; done < length; ) {
                long count =
                        Native.raw(Nr.PWRITE64, file.number(), buffer.address() + done, length - done, position + done);
                if (count != -Errno.EINTR) {
                    done += Native.check("pwrite", count);
                }
            }
        }
    }

    /// Returns where the next bytes of the file stand that are no hole, from `position` on; the file's size
    /// if there are none.
    public static long nextData(Fd file, long position) {
        return seek(file, position, SEEK_DATA);
    }

    /// Returns where the next hole of the file begins, from `position` on; its end is one.
    public static long nextHole(Fd file, long position) {
        return seek(file, position, SEEK_HOLE);
    }

    private static long seek(Fd file, long position, int what) {
        long found = Native.raw(Nr.LSEEK, file.number(), position, what);
        return found == -Errno.ENXIO ? FileSystem.status(file).size() : Native.check("lseek", found);
    }

    /// Makes the file `size` bytes long: cut off, or lengthened by a hole that reads as zeros.
    public static void resize(Fd file, long size) {
        Native.check("ftruncate", Native.raw(Nr.FTRUNCATE, file.number(), size));
    }

    /// Brings all of the file system that holds `file` to the disk: one call for a tree of many files.
    public static void synchronizeFileSystem(Fd file) {
        Native.check("syncfs", Native.raw(Nr.SYNCFS, file.number()));
    }
}
