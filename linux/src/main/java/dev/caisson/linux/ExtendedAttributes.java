package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/// Extended attributes of open files, xattr(7): access control lists, file capabilities, security labels.
public final class ExtendedAttributes {
    /// The access control list beside the mode bits, acl(5).
    public static final String ACCESS_LIST = "system.posix_acl_access";
    /// The capabilities that a program gains, capabilities(7).
    public static final String CAPABILITIES = "security.capability";

    private static final int LIMIT = 64 * 1024;
    /// To clear a buffer of the largest size takes longer than the call.
    private static final int USUAL = 512;

    private ExtendedAttributes() {}

    /// The value of `name` on an open file, O_PATH descriptors too; empty where the file or its file system has none.
    public static Optional<byte[]> get(Fd file, String name) {
        try (Arena arena = Arena.ofConfined()) {
            // fgetxattr(2) refuses O_PATH descriptors; the magic link leads to the same inode
            MemorySegment path = Native.string(arena, "/proc/self/fd/" + file.number());
            MemorySegment key = Native.string(arena, name);
            MemorySegment value = arena.allocate(USUAL);
            long length = Native.raw(Nr.GETXATTR, path.address(), key.address(), value.address(), USUAL);
            if (length == -Errno.ERANGE) {
                value = arena.allocate(LIMIT);
                length = Native.raw(Nr.GETXATTR, path.address(), key.address(), value.address(), LIMIT);
            }
            if (length == -Errno.ENODATA || length == -Errno.EOPNOTSUPP) {
                return Optional.empty();
            }
            Native.check("getxattr " + name, length);
            return Optional.of(value.asSlice(0, length).toArray(JAVA_BYTE));
        }
    }

    /// The names that an open file has, O_PATH descriptors too, in the order of their bytes; none where its file system
    /// keeps none.
    public static List<String> names(Fd file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Native.string(arena, "/proc/self/fd/" + file.number());
            MemorySegment list = arena.allocate(USUAL);
            long length = Native.raw(Nr.LISTXATTR, path.address(), list.address(), USUAL);
            if (length == -Errno.ERANGE) {
                list = arena.allocate(LIMIT);
                length = Native.raw(Nr.LISTXATTR, path.address(), list.address(), LIMIT);
            }
            if (length == -Errno.EOPNOTSUPP) {
                return List.of();
            }
            Native.check("listxattr", length);
            var names = new ArrayList<String>();
            for (long at = 0; at < length; ) {
                long end = at;
                while (list.get(JAVA_BYTE, end) != 0) {
                    end++;
                }
                names.add(ByteText.of(list.asSlice(at, end - at).toArray(JAVA_BYTE)));
                at = end + 1;
            }
            Collections.sort(names);
            return List.copyOf(names);
        }
    }

    /// Sets the value of `name` on an open file.
    public static void set(Fd file, String name, byte[] value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment key = Native.string(arena, name);
            MemorySegment bytes = arena.allocate(Math.max(1, value.length));
            MemorySegment.copy(value, 0, bytes, JAVA_BYTE, 0, value.length);
            Native.check(
                    "fsetxattr " + name,
                    Native.raw(Nr.FSETXATTR, file.number(), key.address(), bytes.address(), value.length, 0, 0));
        }
    }
}
