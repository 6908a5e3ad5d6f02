package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.util.List;
import java.util.Optional;

/// Reads files of an image as somebody inside would see them: links lead nowhere but into the image.
final class InRoot {
    private static final long WITHIN = FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_MAGICLINKS;

    private InRoot() {}

    /// The regular file `path` of the first layer that has something of that name; nothing where none has, or where a
    /// whiteout hides it.
    ///
    /// @throws ImageException BAD_ACCOUNT_FILE where it is no regular file or larger than `limit`
    static Optional<byte[]> read(List<Fd> layers, String path, int limit) {
        for (Fd layer : layers) {
            // O_PATH first: opening a device or a FIFO for reading already does something.
            try {
                Optional<Fd> there = FileSystem.find(layer, path, FileSystem.O_PATH, WITHIN);
                if (there.isEmpty()) {
                    continue;
                }
                try (Fd found = there.get()) {
                    return read(found, path, limit);
                }
            } catch (ErrnoException e) {
                throw new ImageException(
                        Code.BAD_ACCOUNT_FILE,
                        "/" + path + " in the image cannot be read (" + Errno.name(e.errno()) + "); mend the image",
                        e);
            }
        }
        return Optional.empty();
    }

    private static Optional<byte[]> read(Fd found, String path, int limit) {
        FileStatus status = FileSystem.status(found);
        if (status.isCharacterDevice() && status.deviceMajor() == 0 && status.deviceMinor() == 0) {
            return Optional.empty();
        }
        if (!status.isRegularFile()) {
            throw new ImageException(
                    Code.BAD_ACCOUNT_FILE,
                    "/" + path + " in the image is no regular file; give the user as uid:gid or mend the image");
        }
        return Optional.of(content(found, path, limit));
    }

    /// Returns whether a regular file is at `path`.
    static boolean isFile(Fd layer, String path) {
        try {
            Optional<Fd> there = FileSystem.find(layer, path, FileSystem.O_PATH, WITHIN);
            if (there.isEmpty()) {
                return false;
            }
            try (Fd found = there.get()) {
                return FileSystem.status(found).isRegularFile();
            }
        } catch (ErrnoException e) {
            return false;
        }
    }

    static boolean isExecutableFile(Fd layer, String path) {
        try {
            Optional<Fd> there = FileSystem.find(layer, path, FileSystem.O_PATH, WITHIN);
            if (there.isEmpty()) {
                return false;
            }
            try (Fd found = there.get()) {
                FileStatus status = FileSystem.status(found);
                return status.isRegularFile() && (status.permissions() & 0111) != 0;
            }
        } catch (ErrnoException e) {
            return false;
        }
    }

    private static byte[] content(Fd found, String path, int limit) {
        try (Fd file = FileSystem.open("/proc/self/fd/" + found.number(), FileSystem.O_RDONLY | FileSystem.O_NOCTTY)) {
            byte[] content = FileSystem.read(file, limit + 1);
            if (content.length > limit) {
                throw new ImageException(
                        Code.BAD_ACCOUNT_FILE,
                        "/" + path + " in the image is larger than " + limit + " bytes; mend the image");
            }
            return content;
        }
    }
}
