package dev.caisson.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// A file that lives in memory only and can never change once sealed: memfd_create(2), F_ADD_SEALS of fcntl(2).
public final class MemoryFile {
    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int MFD_EXEC = 0x10;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_GET_SEALS = 1034;
    private static final int SEAL_SEAL_SHRINK_GROW_WRITE = 0x1 | 0x2 | 0x4 | 0x8;

    private MemoryFile() {}

    /// A sealed file that holds `content`.
    public static Fd sealed(String name, byte[] content) {
        return create(name, content, 0);
    }

    /// A sealed file that may be executed. What runs from it cannot overwrite the host's program (CVE-2019-5736).
    public static Fd sealedExecutable(String name, byte[] content) {
        return create(name, content, MFD_EXEC);
    }

    /// Returns true if `file` holds `content`, and nobody can ever change it.
    public static boolean isSealed(Fd file, byte[] content) {
        long seals = Native.raw(Nr.FCNTL, file.number(), F_GET_SEALS, 0);
        if (seals < 0 || (seals & SEAL_SEAL_SHRINK_GROW_WRITE) != SEAL_SEAL_SHRINK_GROW_WRITE) {
            return false;
        }
        return FileSystem.status(file).size() == content.length
                && Arrays.equals(FileSystem.read(file, content.length), content);
    }

    /// A file of `size` zeros that two processes share.
    public static Fd shared(String name, long size) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment label = Native.string(arena, name);
            Fd file = Fd.of("memfd_create", Native.raw(Nr.MEMFD_CREATE, label.address(), MFD_CLOEXEC));
            try {
                FileContent.resize(file, size);
                return file;
            } catch (RuntimeException e) {
                file.close();
                throw e;
            }
        }
    }

    private static Fd create(String name, byte[] content, int flags) {
        long result;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment label = Native.string(arena, name);
            result = Native.raw(Nr.MEMFD_CREATE, label.address(), MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
            if (result == -Errno.EINVAL && flags != 0) {
                // MFD_EXEC is known since Linux 6.3; before, every memory file could be executed.
                result = Native.raw(Nr.MEMFD_CREATE, label.address(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
            }
        }
        Fd file = Fd.of("memfd_create", result);
        try {
            FileSystem.write(file, content);
            Native.check(
                    "fcntl F_ADD_SEALS", Native.raw(Nr.FCNTL, file.number(), F_ADD_SEALS, SEAL_SEAL_SHRINK_GROW_WRITE));
            return file;
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }
}
