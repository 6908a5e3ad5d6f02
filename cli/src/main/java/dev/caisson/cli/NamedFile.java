package dev.caisson.cli;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// A file that an option names, read whole and never more of it than was said: a device has no end, and some files of
/// the kernel wait for somebody to write. A pipe is waited for, as the shell makes one of `<(command)`.
final class NamedFile {
    private static final int S_IFMT = 0170000;
    private static final int S_IFIFO = 0010000;

    private NamedFile() {}

    /// @throws IOException with a reason for people, which does not name the file
    static byte[] read(Path path, int most) throws IOException {
        byte[] content;
        try {
            content = isPipe(path) ? pipe(path, most) : file(path, most);
        } catch (FileSystemException e) {
            throw new IOException(reason(e), e);
        } catch (ErrnoException e) {
            throw new IOException(Errno.name(e.errno()), e);
        }
        if (content.length > most) {
            throw new IOException("it is larger than " + most + " bytes");
        }
        return content;
    }

    /// Why a file could not be read, without its name.
    static String reason(IOException problem) {
        return switch (problem) {
            case NoSuchFileException _ -> "there is no such file";
            case AccessDeniedException _ -> "this user may not read it";
            case FileSystemException e when e.getReason() != null -> e.getReason();
            case IOException e -> String.valueOf(e.getMessage());
        };
    }

    private static boolean isPipe(Path path) throws IOException {
        return ((int) Files.getAttribute(path, "unix:mode") & S_IFMT) == S_IFIFO;
    }

    private static byte[] pipe(Path path, int most) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            return in.readNBytes(most + 1);
        }
    }

    /// Scripts name /dev/null to say that there is no file.
    private static boolean isNull(FileStatus status) {
        return status.isCharacterDevice() && status.deviceMajor() == 1 && status.deviceMinor() == 3;
    }

    private static byte[] file(Path path, int most) throws IOException {
        try (Fd file = FileSystem.open(path.toString(), FileSystem.O_RDONLY | FileSystem.O_NONBLOCK)) {
            FileStatus status = FileSystem.status(file);
            if (isNull(status)) {
                return new byte[0];
            }
            if (!status.isRegularFile()) {
                throw new IOException("it is no regular file");
            }
            return FileSystem.read(file, most + 1);
        }
    }
}
