package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Detached mounts: made by descriptor, visible to nobody until a process moves them somewhere, gone with the last
/// descriptor. open_tree(2), mount_setattr(2), fsopen(2), fsmount(2).
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
    private static final long FSOPEN_CLOEXEC = 1;
    private static final long MOVE_MOUNT_F_EMPTY_PATH = 0x4;
    private static final long MOVE_MOUNT_T_EMPTY_PATH = 0x40;
    private static final long FSMOUNT_CLOEXEC = 1;
    private static final long FSCONFIG_SET_FLAG = 0;
    private static final long FSCONFIG_SET_STRING = 1;
    private static final long FSCONFIG_CMD_CREATE = 6;
    private static final long FSCONFIG_CMD_RECONFIGURE = 7;
    private static final long FSPICK_CLOEXEC = 1;
    private static final long FSPICK_EMPTY_PATH = 8;
    private static final long EXT4_IOC_SHUTDOWN = 0x8004587DL;
    private static final int EXT4_GOING_FLAGS_NOLOGFLUSH = 2;

    private Mounts() {}

    /// A detached copy of the mount at `file`, seen from there down; with everything mounted below when `recursive`.
    public static Fd copy(Fd file, boolean recursive) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment empty = Native.string(arena, "");
            long flags = AT_EMPTY_PATH | OPEN_TREE_CLONE | FileSystem.O_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
            return Fd.of("open_tree", Native.raw(Nr.OPEN_TREE, file.number(), empty.address(), flags));
        }
    }

    /// Mounts a block device and shows it to nobody.
    /// @param fileSystem by the kernel's name, as `ext4`
    /// @param flags options without a value
    public static Fd of(String fileSystem, String device, List<String> flags, Set<Attribute> attributes) {
        try (Arena arena = Arena.ofConfined();
                Fd made = Fd.of(
                        "fsopen " + fileSystem,
                        Native.raw(Nr.FSOPEN, Native.string(arena, fileSystem).address(), FSOPEN_CLOEXEC))) {
            configure(arena, made, FSCONFIG_SET_STRING, "source", device);
            for (String flag : flags) {
                configure(arena, made, FSCONFIG_SET_FLAG, flag, null);
            }
            configure(arena, made, FSCONFIG_CMD_CREATE, null, null);
            return Fd.of(
                    "fsmount " + fileSystem, Native.raw(Nr.FSMOUNT, made.number(), FSMOUNT_CLOEXEC, bits(attributes)));
        }
    }

    /// Mounts memory, a tmpfs(5), and shows it to nobody.
    /// @param options with a value, as `size`
    public static Fd memory(Map<String, String> options, Set<Attribute> attributes) {
        try (Arena arena = Arena.ofConfined();
                Fd made = Fd.of(
                        "fsopen tmpfs",
                        Native.raw(Nr.FSOPEN, Native.string(arena, "tmpfs").address(), FSOPEN_CLOEXEC))) {
            options.forEach((key, value) -> configure(arena, made, FSCONFIG_SET_STRING, key, value));
            configure(arena, made, FSCONFIG_CMD_CREATE, null, null);
            return Fd.of("fsmount tmpfs", Native.raw(Nr.FSMOUNT, made.number(), FSMOUNT_CLOEXEC, bits(attributes)));
        }
    }

    /// Mounts memory that is never swapped, a ramfs, and shows it to nobody. It has no bound: only who may fill it is
    /// let write, and [#seal] ends that.
    /// @param mode of its top directory
    public static Fd unswappedMemory(int mode, Set<Attribute> attributes) {
        try (Arena arena = Arena.ofConfined();
                Fd made = Fd.of(
                        "fsopen ramfs",
                        Native.raw(Nr.FSOPEN, Native.string(arena, "ramfs").address(), FSOPEN_CLOEXEC))) {
            configure(arena, made, FSCONFIG_SET_STRING, "mode", Integer.toOctalString(mode));
            configure(arena, made, FSCONFIG_CMD_CREATE, null, null);
            return Fd.of("fsmount ramfs", Native.raw(Nr.FSMOUNT, made.number(), FSMOUNT_CLOEXEC, bits(attributes)));
        }
    }

    /// Makes the file system of a mount read-only, for all its mounts. None of its files may be open for writing.
    public static void seal(Fd mount) {
        try (Arena arena = Arena.ofConfined();
                Fd picked = Fd.of(
                        "fspick",
                        Native.raw(
                                Nr.FSPICK,
                                mount.number(),
                                Native.string(arena, "").address(),
                                FSPICK_CLOEXEC | FSPICK_EMPTY_PATH))) {
            configure(arena, picked, FSCONFIG_SET_FLAG, "ro", null);
            configure(arena, picked, FSCONFIG_CMD_RECONFIGURE, null, null);
        }
    }

    /// Mounts an overlay of directories, and shows it to nobody: Documentation/filesystems/overlayfs.rst. The
    /// kernel writes no redirects and no files without their content; from Linux 6.8 on.
    ///
    /// @param lowers topmost first; with no upper at least two, as the kernel wants
    /// @param upper what is written, with the empty directory `work` of the same file system; read-only without
    public static Fd overlay(List<Fd> lowers, @Nullable Fd upper, @Nullable Fd work, Set<Attribute> attributes) {
        try (Arena arena = Arena.ofConfined();
                Fd made = Fd.of(
                        "fsopen overlay",
                        Native.raw(Nr.FSOPEN, Native.string(arena, "overlay").address(), FSOPEN_CLOEXEC))) {
            configure(arena, made, FSCONFIG_SET_STRING, "source", "caisson");
            configure(arena, made, FSCONFIG_SET_STRING, "redirect_dir", "nofollow");
            configure(arena, made, FSCONFIG_SET_STRING, "metacopy", "off");
            configure(arena, made, FSCONFIG_SET_STRING, "index", "off");
            for (Fd lower : lowers) {
                configure(arena, made, FSCONFIG_SET_STRING, "lowerdir+", byNumber(lower));
            }
            if (upper != null && work != null) {
                configure(arena, made, FSCONFIG_SET_FLAG, "volatile", null);
                configure(arena, made, FSCONFIG_SET_STRING, "upperdir", byNumber(upper));
                configure(arena, made, FSCONFIG_SET_STRING, "workdir", byNumber(work));
            }
            configure(arena, made, FSCONFIG_CMD_CREATE, null, null);
            return Fd.of("fsmount overlay", Native.raw(Nr.FSMOUNT, made.number(), FSMOUNT_CLOEXEC, bits(attributes)));
        }
    }

    private static String byNumber(Fd directory) {
        return "/proc/self/fd/" + directory.number();
    }

    /// Shows a detached mount at an open directory of this process's mount namespace, move_mount(2).
    public static void attach(Fd mount, Fd directory) {
        try (Arena arena = Arena.ofConfined()) {
            long empty = Native.string(arena, "").address();
            Native.check(
                    "move_mount",
                    Native.raw(
                            Nr.MOVE_MOUNT,
                            mount.number(),
                            empty,
                            directory.number(),
                            empty,
                            MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
                            0));
        }
    }

    private static void configure(Arena arena, Fd made, long command, @Nullable String key, @Nullable String value) {
        Native.check(
                "fsconfig " + (key == null ? "create" : key),
                Native.raw(Nr.FSCONFIG, made.number(), command, address(arena, key), address(arena, value), 0, 0));
    }

    private static long address(Arena arena, @Nullable String text) {
        return text == null ? 0 : Native.string(arena, text).address();
    }

    private static long bits(Set<Attribute> attributes) {
        long set = 0;
        for (Attribute attribute : attributes) {
            set |= attribute.bit;
        }
        return set;
    }

    /// Sets attributes on a detached mount, on all mounts of the copy when `recursive`.
    public static void restrict(Fd mount, Set<Attribute> attributes, boolean recursive) {
        setAttributes(mount, bits(attributes), 0, 0, recursive);
    }

    /// Takes attributes of a detached mount away, where no other user namespace has locked them.
    public static void allow(Fd mount, Set<Attribute> attributes) {
        setAttributes(mount, 0, bits(attributes), 0, false);
    }

    /// Shows the owners of files through the map of a user namespace: what is owned by id 0 on disk is owned by that
    /// namespace's root here. Only once per mount, and only while it is detached.
    public static void mapIds(Fd mount, Fd userNamespace, boolean recursive) {
        setAttributes(mount, MOUNT_ATTR_IDMAP, 0, userNamespace.number(), recursive);
    }

    /// Makes an ext4 file system forget what it has not written yet, so that it can be taken down at once. It gives
    /// errors from then on.
    public static void abandonExt4(Fd file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment flags = arena.allocate(JAVA_INT);
            flags.set(JAVA_INT, 0, EXT4_GOING_FLAGS_NOLOGFLUSH);
            Native.check(
                    "ioctl EXT4_IOC_SHUTDOWN", Native.raw(Nr.IOCTL, file.number(), EXT4_IOC_SHUTDOWN, flags.address()));
        }
    }

    private static void setAttributes(Fd mount, long set, long clear, long userNamespace, boolean recursive) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment empty = Native.string(arena, "");
            MemorySegment attributes = arena.allocate(MOUNT_ATTR);
            attributes.set(JAVA_LONG, Native.offset(MOUNT_ATTR, "attr_set"), set);
            attributes.set(JAVA_LONG, Native.offset(MOUNT_ATTR, "attr_clr"), clear);
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
