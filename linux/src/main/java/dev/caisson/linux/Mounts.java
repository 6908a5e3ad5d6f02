package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.util.Set;

/// Detached mounts: made by descriptor, visible to nobody until a process moves them somewhere, gone with the last
/// descriptor. open_tree(2), mount_setattr(2).
public final class Mounts {
    /// Attributes of one mount, MOUNT_ATTR_* of mount_setattr(2).
    public enum Attribute {
        READ_ONLY(0x1),
        NO_SETUID(0x2),
        NO_DEVICES(0x4),
        NO_EXECUTION(0x8);

        private final long bit;

        Attribute(long bit) {
            this.bit = bit;
        }
    }

    static final StructLayout MOUNT_ATTR = MemoryLayout.structLayout(
            JAVA_LONG.withName("attr_set"),
            JAVA_LONG.withName("attr_clr"),
            JAVA_LONG.withName("propagation"),
            JAVA_LONG.withName("userns_fd"));

    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int AT_RECURSIVE = 0x8000;
    private static final int OPEN_TREE_CLONE = 1;
    private static final long MOUNT_ATTR_IDMAP = 0x00100000;

    private Mounts() {}

    /// A detached copy of the mount at `file`, seen from there down; with everything mounted below when `recursive`.
    public static Fd copy(Fd file, boolean recursive) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment empty = Native.string(arena, "");
            long flags = AT_EMPTY_PATH | OPEN_TREE_CLONE | FileSystem.O_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
            return Fd.of("open_tree", Native.raw(Nr.OPEN_TREE, file.number(), empty.address(), flags));
        }
    }

    /// Sets attributes on a detached mount, on all mounts of the copy when `recursive`.
    public static void restrict(Fd mount, Set<Attribute> attributes, boolean recursive) {
        long set = 0;
        for (Attribute attribute : attributes) {
            set |= attribute.bit;
        }
        setAttributes(mount, set, 0, recursive);
    }

    /// Shows the owners of files through the map of a user namespace: what is owned by id 0 on disk is owned by that
    /// namespace's root here. Only once per mount, and only while it is detached.
    public static void mapIds(Fd mount, Fd userNamespace, boolean recursive) {
        setAttributes(mount, MOUNT_ATTR_IDMAP, userNamespace.number(), recursive);
    }

    private static void setAttributes(Fd mount, long set, long userNamespace, boolean recursive) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment empty = Native.string(arena, "");
            MemorySegment attributes = arena.allocate(MOUNT_ATTR);
            attributes.set(JAVA_LONG, Native.offset(MOUNT_ATTR, "attr_set"), set);
            attributes.set(JAVA_LONG, Native.offset(MOUNT_ATTR, "userns_fd"), userNamespace);
            long flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
            Native.check(
                    "mount_setattr",
                    Native.raw(
                            Nr.MOUNT_SETATTR,
                            mount.number(),
                            empty.address(),
                            flags,
                            attributes.address(),
                            MOUNT_ATTR.byteSize(),
                            0));
        }
    }
}
