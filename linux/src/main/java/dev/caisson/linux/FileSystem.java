package dev.caisson.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.util.Arrays;
import java.util.Optional;

/// Files by descriptor: every path is relative to an open directory, and how far it may lead is said with
/// each call.
///
/// openat2(2), mkdirat(2), unlinkat(2), renameat2(2), linkat(2), symlinkat(2), readlinkat(2), fchownat(2),
/// fchmod(2), utimensat(2), fsetxattr(2), fstat(2), statfs(2).
public final class FileSystem {
    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0100;
    public static final int O_EXCL = 0200;
    public static final int O_NOCTTY = 0400;
    public static final int O_TRUNC = 01000;
    public static final int O_APPEND = 02000;
    public static final int O_NONBLOCK = 04000;
    public static final int O_DIRECTORY = Nr.architecture().equals("aarch64") ? 040000 : 0200000;
    public static final int O_NOFOLLOW = Nr.architecture().equals("aarch64") ? 0100000 : 0400000;
    public static final int O_CLOEXEC = 02000000;
    public static final int O_PATH = 010000000;
    private static final int TMPFILE = 020000000;
    private static final int O_TMPFILE = TMPFILE | O_DIRECTORY;

    /// No magic link, as /proc/self/fd/7, is followed: openat2(2).
    public static final long RESOLVE_NO_MAGICLINKS = 0x02;

    public static final long RESOLVE_NO_XDEV = 0x01;
    public static final long RESOLVE_NO_SYMLINKS = 0x04;
    /// The path may not leave the directory it starts from; absolute links and `..` above it are errors.
    public static final long RESOLVE_BENEATH = 0x08;
    /// The directory it starts from is the root for links and `..`.
    public static final long RESOLVE_IN_ROOT = 0x10;

    static final StructLayout OPEN_HOW = MemoryLayout.structLayout(
            JAVA_LONG.withName("flags"), JAVA_LONG.withName("mode"), JAVA_LONG.withName("resolve"));

    private static final int AT_FDCWD = -100;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_REMOVEDIR = 0x200;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int RENAME_NOREPLACE = 1;
    private static final int RENAME_EXCHANGE = 2;
    private static final int PATH_MAX = 4096;
    /// Most files of proc and cgroup are shorter; a larger buffer costs more to clear than they cost to read.
    private static final int SMALL_FILE = 4096;

    private FileSystem() {}

    /// Opens a path of the host, which the caller trusts. Close-on-exec always.
    public static Fd open(String path, int flags) {
        return open(AT_FDCWD, path, flags, 0, 0);
    }

    /// Opens a path of the host in which nothing may be a symbolic link, ELOOP.
    public static Fd openWithoutLinks(String path, int flags) {
        return open(AT_FDCWD, path, flags, 0, RESOLVE_NO_SYMLINKS);
    }

    /// Opens `path` below `directory`. `resolve` limits how the path may lead, RESOLVE_*; `mode` counts
    /// with O_CREAT.
    public static Fd openAt(Fd directory, String path, int flags, int mode, long resolve) {
        return open(directory.number(), path, flags, mode, resolve);
    }

    /// Like [#openAt] for what exists; nothing where there is no such file, ENOENT or ENOTDIR.
    public static Optional<Fd> find(Fd directory, String path, int flags, long resolve) {
        return found(path, openRaw(directory.number(), path, flags, 0, resolve));
    }

    /// Like [#open(String, int)] for what exists; nothing where there is no such file, ENOENT or ENOTDIR.
    public static Optional<Fd> find(String path, int flags) {
        return found(path, openRaw(AT_FDCWD, path, flags, 0, 0));
    }

    private static Optional<Fd> found(String path, long result) {
        if (result == -Errno.ENOENT || result == -Errno.ENOTDIR) {
            return Optional.empty();
        }
        return Optional.of(Fd.of("open " + path, result));
    }

    /// A new file on the file system of `directory` that no name leads to: it is gone with its last user,
    /// however that ends. Open for reading and writing.
    public static Fd unnamed(Fd directory, int mode) {
        return open(directory.number(), ".", O_TMPFILE | O_RDWR, mode, RESOLVE_BENEATH);
    }

    private static Fd open(int directory, String path, int flags, int mode, long resolve) {
        return Fd.of("open " + path, openRaw(directory, path, flags, mode, resolve));
    }

    private static long openRaw(int directory, String path, int flags, int mode, long resolve) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment how = arena.allocate(OPEN_HOW);
            how.set(JAVA_LONG, 0, (flags | O_CLOEXEC) & 0xffffffffL);
            how.set(JAVA_LONG, 8, (flags & (O_CREAT | TMPFILE)) == 0 ? 0 : mode);
            how.set(JAVA_LONG, 16, resolve);
            MemorySegment name = Native.string(arena, path);
            long result;
            do {
                result = Native.raw(Nr.OPENAT2, directory, name.address(), how.address(), OPEN_HOW.byteSize());
            } while (result == -Errno.EINTR || (result == -Errno.EAGAIN && resolve != 0));
            return result;
        }
    }

    /// Makes the directory `name` in `directory`. The process's umask takes bits from the mode, as
    /// mkdirat(2) says.
    public static void makeDirectory(Fd directory, String name, int mode) {
        Native.check("mkdirat " + name, makeDirectoryRaw(directory, name, mode));
    }

    private static long makeDirectoryRaw(Fd directory, String name, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            return Native.raw(
                    Nr.MKDIRAT, directory.number(), Native.string(arena, name).address(), mode);
        }
    }

    /// The directory `name` in `above`, open for reading; made where there is none. No link is followed.
    public static Fd openOrMakeDirectory(Fd above, String name, int mode) {
        Optional<Fd> there = find(above, name, O_RDONLY | O_DIRECTORY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        if (there.isPresent()) {
            return there.get();
        }
        long made = makeDirectoryRaw(above, name, mode);
        if (made != -Errno.EEXIST) {
            Native.check("mkdirat " + name, made);
        }
        return openAt(above, name, O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    }

    public static void removeDirectory(Fd directory, String name) {
        unlink(directory, name, AT_REMOVEDIR);
    }

    public static void removeFile(Fd directory, String name) {
        unlink(directory, name, 0);
    }

    private static void unlink(Fd directory, String name, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Native.string(arena, name);
            Native.check("unlinkat " + name, Native.raw(Nr.UNLINKAT, directory.number(), path.address(), flags));
        }
    }

    /// Removes `name` in `directory` with all that is below it, whatever its names and however deep; nothing is
    /// followed, and nothing happens where it does not exist.
    ///
    /// @return true if something was there
    public static boolean removeTree(Fd directory, String name) {
        long removed;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Native.string(arena, name);
            removed = Native.raw(Nr.UNLINKAT, directory.number(), path.address(), 0);
        }
        if (removed >= 0 || removed == -Errno.ENOENT) {
            return removed >= 0;
        }
        if (removed != -Errno.EISDIR && removed != -Errno.EPERM) {
            throw new ErrnoException("unlinkat " + name, (int) -removed);
        }
        try (Fd child = openAt(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS)) {
            TreeRemoval.empty(child);
        }
        removeDirectory(directory, name);
        return true;
    }

    /// Renames within one file system; replaces `to` unless `replace` is false, then EEXIST.
    public static void rename(Fd fromDirectory, String from, Fd toDirectory, String to, boolean replace) {
        rename(fromDirectory, from, toDirectory, to, replace ? 0 : RENAME_NOREPLACE);
    }

    /// Exchanges two names in one directory, at once: no moment has only one of them.
    public static void exchange(Fd directory, String one, String other) {
        rename(directory, one, directory, other, RENAME_EXCHANGE);
    }

    private static void rename(Fd fromDirectory, String from, Fd toDirectory, String to, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = Native.string(arena, from);
            MemorySegment target = Native.string(arena, to);
            Native.check(
                    "renameat2 " + from,
                    Native.raw(
                            Nr.RENAMEAT2,
                            fromDirectory.number(),
                            source.address(),
                            toDirectory.number(),
                            target.address(),
                            flags,
                            0));
        }
    }

    /// A second name for the file that `file` has open, without following anything.
    public static void link(Fd fromDirectory, String from, Fd toDirectory, String to) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = Native.string(arena, from);
            MemorySegment target = Native.string(arena, to);
            Native.check(
                    "linkat " + to,
                    Native.raw(
                            Nr.LINKAT,
                            fromDirectory.number(),
                            source.address(),
                            toDirectory.number(),
                            target.address(),
                            0,
                            0));
        }
    }

    public static void makeSymbolicLink(Fd directory, String name, String target) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment content = Native.string(arena, target);
            MemorySegment path = Native.string(arena, name);
            Native.check(
                    "symlinkat " + name,
                    Native.raw(Nr.SYMLINKAT, content.address(), directory.number(), path.address()));
        }
    }

    /// Makes a special file: `mode` holds its type, `device` its number where it is a device; mknodat(2).
    public static void makeNode(Fd directory, String name, int mode, long device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Native.string(arena, name);
            Native.check("mknodat " + name, Native.raw(Nr.MKNODAT, directory.number(), path.address(), mode, device));
        }
    }

    public static String readLink(Fd directory, String name) {
        return readLink(directory.number(), name);
    }

    /// Returns the path of an open file as the kernel has it now; `/proc` must be mounted.
    public static String path(Fd file) {
        return readLink(AT_FDCWD, "/proc/self/fd/" + file.number());
    }

    private static String readLink(int directory, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Native.string(arena, name);
            MemorySegment buffer = arena.allocate(PATH_MAX);
            long length = Native.check(
                    "readlinkat " + name,
                    Native.raw(Nr.READLINKAT, directory, path.address(), buffer.address(), PATH_MAX));
            return ByteText.of(buffer.asSlice(0, length).toArray(JAVA_BYTE));
        }
    }

    /// Changes the owner of `name` itself, a link not followed.
    public static void changeOwner(Fd directory, String name, int uid, int gid) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Native.string(arena, name);
            Native.check(
                    "fchownat " + name,
                    Native.raw(Nr.FCHOWNAT, directory.number(), path.address(), uid, gid, AT_SYMLINK_NOFOLLOW, 0));
        }
    }

    public static void changeOwner(Fd file, int uid, int gid) {
        Native.check("fchown", Native.raw(Nr.FCHOWN, file.number(), uid, gid));
    }

    public static void changeMode(Fd file, int mode) {
        Native.check("fchmod", Native.raw(Nr.FCHMOD, file.number(), mode));
    }

    /// Sets the modification time of `name` itself, a link not followed; the access time with it.
    public static void changeTime(Fd directory, String name, long seconds, int nanos) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Native.string(arena, name);
            MemorySegment times = arena.allocate(JAVA_LONG, 4);
            for (int i = 0; i < 2; i++) {
                times.setAtIndex(JAVA_LONG, 2L * i, seconds);
                times.setAtIndex(JAVA_LONG, 2L * i + 1, nanos);
            }
            Native.check(
                    "utimensat " + name,
                    Native.raw(Nr.UTIMENSAT, directory.number(), path.address(), times.address(), AT_SYMLINK_NOFOLLOW));
        }
    }

    /// Status of an open file; O_PATH descriptors too.
    public static FileStatus status(Fd file) {
        return status(file.number(), "", AT_EMPTY_PATH);
    }

    /// Status of `name` itself, a link not followed.
    public static FileStatus status(Fd directory, String name) {
        return status(directory.number(), name, AT_SYMLINK_NOFOLLOW);
    }

    /// Like [#status(Fd, String)]; empty if there is no such file, ENOENT or ENOTDIR. Costs no descriptor.
    public static Optional<FileStatus> findStatus(Fd directory, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Native.string(arena, name);
            MemorySegment buffer = arena.allocate(FileStatus.LAYOUT);
            long result = Native.raw(
                    Nr.STATX,
                    directory.number(),
                    path.address(),
                    AT_SYMLINK_NOFOLLOW,
                    FileStatus.BASIC_STATS,
                    buffer.address(),
                    0);
            if (result == -Errno.ENOENT || result == -Errno.ENOTDIR) {
                return Optional.empty();
            }
            Native.check("statx " + name, result);
            return Optional.of(FileStatus.of(buffer));
        }
    }

    /// True if `name` is a directory, a link to one not counted; costs no descriptor.
    public static boolean isDirectory(Fd directory, String name) {
        return findStatus(directory, name).filter(FileStatus::isDirectory).isPresent();
    }

    /// Status of what `name` leads to, also through a magic link of proc(5).
    public static FileStatus statusOfTarget(Fd directory, String name) {
        return status(directory.number(), name, 0);
    }

    private static FileStatus status(int directory, String name, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = Native.string(arena, name);
            MemorySegment buffer = arena.allocate(FileStatus.LAYOUT);
            Native.check(
                    "statx " + name,
                    Native.raw(
                            Nr.STATX, directory, path.address(), flags, FileStatus.BASIC_STATS, buffer.address(), 0));
            return FileStatus.of(buffer);
        }
    }

    /// The magic number of the file system that holds `file`, statfs(2): 0x27e0eb for cgroup v1, 0x63677270
    /// for v2.
    public static long type(Fd file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(120, 8);
            Native.check("fstatfs", Native.raw(Nr.FSTATFS, file.number(), buffer.address()));
            return buffer.get(JAVA_LONG, 0);
        }
    }

    /// Reads an open file from its start, at most `limit` bytes. Works on files of proc and cgroup, which
    /// have no size.
    public static byte[] read(Fd file, int limit) {
        byte[] start = read(file.number(), 0, Math.min(limit, SMALL_FILE));
        if (start.length < SMALL_FILE) {
            return start;
        }
        byte[] rest = read(file.number(), start.length, limit - start.length);
        byte[] all = Arrays.copyOf(start, start.length + rest.length);
        System.arraycopy(rest, 0, all, start.length, rest.length);
        return all;
    }

    static byte[] read(long descriptor, int from, int limit) {
        try (Arena arena = Arena.ofConfined()) {
            int size = Math.min(limit, 64 * 1024);
            MemorySegment buffer = arena.allocate(Math.max(1, size));
            byte[] all = new byte[0];
            while (all.length < limit) {
                long count = Native.check(
                        "pread",
                        Native.raw(
                                Nr.PREAD64,
                                descriptor,
                                buffer.address(),
                                Math.min(size, limit - all.length),
                                (long) from + all.length,
                                0,
                                0));
                if (count == 0) {
                    return all;
                }
                int before = all.length;
                all = Arrays.copyOf(all, before + (int) count);
                MemorySegment.copy(buffer, JAVA_BYTE, 0, all, before, (int) count);
            }
            return all;
        }
    }

    /// Reads the small text file `name` below `directory`, at most 64 KiB.
    public static String readText(Fd directory, String name) {
        try (Fd file = openAt(directory, name, O_RDONLY, 0, RESOLVE_BENEATH)) {
            return ByteText.of(read(file, 64 * 1024));
        }
    }

    /// Writes all of `bytes` at the file's position.
    public static void write(Fd file, byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(Math.max(1, bytes.length));
            MemorySegment.copy(bytes, 0, buffer, JAVA_BYTE, 0, bytes.length);
            long done = 0;
            do {
                long count = Native.raw(Nr.WRITE, file.number(), buffer.address() + done, bytes.length - done);
                if (count != -Errno.EINTR) {
                    done += Native.check("write", count);
                }
            } while (done < bytes.length);
        }
    }

    /// Writes `text` in one write(2) to the existing file `name` below `directory`, as files of cgroup and
    /// proc want it.
    public static void writeText(Fd directory, String name, String text) {
        try (Fd file = openAt(directory, name, O_WRONLY, 0, RESOLVE_BENEATH)) {
            write(file, ByteText.bytes(text));
        } catch (ErrnoException e) {
            throw e.call().equals("write") ? new ErrnoException("write " + name, e.errno()) : e;
        }
    }

    public static void synchronize(Fd file) {
        Native.check("fsync", Native.raw(Nr.FSYNC, file.number()));
    }
}
