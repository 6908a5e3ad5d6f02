package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The names in an open directory, getdents64(2).
public final class DirectoryEntries {
    private static final int BUFFER = 32 * 1024;
    private static final int NAME = 19;
    private static final int LENGTH = 16;
    private static final int TYPE = 18;
    private static final byte UNKNOWN = 0;
    private static final byte DIRECTORY = 4;

    private DirectoryEntries() {}

    /// All of them, without `.` and `..`.
    public static List<String> of(Fd directory) {
        return of(directory, Integer.MAX_VALUE);
    }

    /// The same of a directory in which somebody else may have made as many files as they like: at most
    /// `most` names, and no more of it is read than that takes.
    public static List<String> of(Fd directory, int most) {
        return of(directory, most, false);
    }

    /// The names of directories alone, without a look at each file where the file system tells of its type.
    public static List<String> directories(Fd directory) {
        return of(directory, Integer.MAX_VALUE, true);
    }

    private static List<String> of(Fd directory, int most, boolean directories) {
        var names = new ArrayList<String>();
        Native.check("lseek", Native.raw(Nr.LSEEK, directory.number(), 0, 0));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(BUFFER, 8);
            int filled;
            while (names.size() < most && (filled = fill(directory, buffer)) > 0) {
                byte[] entries = buffer.asSlice(0, filled).toArray(JAVA_BYTE);
                for (int at = 0; at < filled && names.size() < most; ) {
                    byte type = entries[at + TYPE];
                    if (!directories || type == DIRECTORY || type == UNKNOWN) {
                        String name = name(entries, at + NAME);
                        if (!name.equals(".")
                                && !name.equals("..")
                                && (!directories || type == DIRECTORY || FileSystem.isDirectory(directory, name))) {
                            names.add(name);
                        }
                    }
                    at += Short.toUnsignedInt(buffer.get(JAVA_SHORT_UNALIGNED, at + LENGTH));
                }
            }
        }
        return names;
    }

    private static String name(byte[] entries, int start) {
        int end = start;
        while (entries[end] != 0) {
            end++;
        }
        return ByteText.of(Arrays.copyOfRange(entries, start, end));
    }

    private static int fill(Fd directory, MemorySegment buffer) {
        return (int)
                Native.check("getdents64", Native.raw(Nr.GETDENTS64, directory.number(), buffer.address(), BUFFER));
    }
}
