package dev.caisson.containerfile;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/// Reads files that strangers name. A path is first held without opening what it leads to (O_PATH, open(2)), so that
/// no device is woken and no pipe waited for; only a regular file of a file system for data is then read, and no more
/// of it than a bound.
final class RegularFile {
    /// File systems whose files are the kernel's answers, by statfs(2)'s magic number: reading one may wait for ever,
    /// as `/proc/kmsg` does, take what others wait for, or never end.
    private static final Set<Long> KERNEL = Set.of(
            0x9fa0L, // proc
            0x62656572L, // sysfs
            0x64626720L, // debugfs
            0x74726163L, // tracefs
            0x73636673L, // securityfs
            0x27e0ebL, // cgroup
            0x63677270L, // cgroup2
            0xcafe4a11L, // bpf
            0x6165676cL, // pstore
            0xde5e81e4L, // efivarfs
            0xf97cff8cL, // selinuxfs
            0x43415d53L, // smackfs
            0x62656570L, // configfs
            0x65735543L, // fusectl
            0x42494e4dL, // binfmt_misc
            0x7655821L, // resctrl
            0x1cd1L); // devpts

    private RegularFile() {}

    /// True if there is a file of any kind.
    static boolean exists(Path path, Optional<Path> hostRoot) {
        try (Fd held = hold(path, hostRoot)) {
            return held.isOpen();
        } catch (ErrnoException e) {
            return false;
        }
    }

    static boolean isRegular(Path path, Optional<Path> hostRoot) {
        try (Fd held = hold(path, hostRoot)) {
            return FileSystem.status(held).isRegularFile();
        } catch (ErrnoException e) {
            return false;
        }
    }

    /// @param name what the file is called in messages
    /// @param hostRoot the directory below it in which links and `..` end, where it is another host's root
    /// @throws ContainerFileException if it is missing, unreadable, no regular file, or larger than `most` bytes
    static byte[] read(String name, Path path, Optional<Path> hostRoot, int most) {
        try (Fd held = hold(path, hostRoot)) {
            FileStatus status = FileSystem.status(held);
            if (!isData(held, status)) {
                throw new ContainerFileException(FileError.FILE_UNREADABLE, name + " is not a regular file.");
            }
            byte[] bytes = status.size() > most ? new byte[0] : bytes(held, most + 1);
            if (status.size() > most || bytes.length > most) {
                throw new ContainerFileException(
                        FileError.FILE_TOO_LARGE, name + " is larger than " + most + " bytes; it was not read.");
            }
            return bytes;
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ENOTDIR)) {
                throw new ContainerFileException(FileError.FILE_MISSING, "There is no file " + name + ".", e);
            }
            throw new ContainerFileException(
                    FileError.FILE_UNREADABLE, name + " cannot be read: " + Errno.name(e.errno()) + ".", e);
        }
    }

    /// The beginning of a regular file; nothing where it cannot be read.
    static byte[] beginning(Path path, Optional<Path> hostRoot, int most) {
        try (Fd held = hold(path, hostRoot)) {
            return isData(held, FileSystem.status(held)) ? bytes(held, most) : new byte[0];
        } catch (ErrnoException e) {
            return new byte[0];
        }
    }

    private static boolean isData(Fd held, FileStatus status) {
        return status.isRegularFile() && !KERNEL.contains(FileSystem.type(held));
    }

    /// proc(5)'s link opens the very file that was looked at.
    private static byte[] bytes(Fd held, int most) {
        try (Fd file = FileSystem.open("/proc/self/fd/" + held.number(), FileSystem.O_RDONLY | FileSystem.O_NOCTTY)) {
            return FileSystem.read(file, most);
        }
    }

    private static Fd hold(Path path, Optional<Path> hostRoot) {
        if (hostRoot.isEmpty()) {
            return FileSystem.open(path.toString(), FileSystem.O_PATH);
        }
        Path root = hostRoot.get();
        String below = root.relativize(path).toString();
        try (Fd directory = FileSystem.open(root.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return FileSystem.openAt(
                    directory,
                    below.isEmpty() ? "." : below,
                    FileSystem.O_PATH,
                    0,
                    FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_MAGICLINKS);
        }
    }
}
