package dev.caisson.cli.caller;

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
public final class NamedFile {
    private NamedFile() {}

    /// Reads a file of at most `most` bytes.
    /// @param path of any bytes, as [dev.caisson.linux.ByteText] has them
    /// @throws IOException with a reason for people, which does not name the file
    public static byte[] read(String path, int most) throws IOException {
        byte[] content;
        try (Fd found = FileSystem.open(Caller.current().located(path), FileSystem.O_PATH)) {
            FileStatus status = FileSystem.status(found);
            String opened = "/proc/self/fd/" + found.number();
            content = status.isPipe() ? pipe(Path.of(opened), most) : file(opened, most);
        } catch (FileSystemException e) {
            throw new IOException(reason(e), e);
        } catch (ErrnoException e) {
            throw new IOException(reason(e), e);
        }
        if (content.length > most) {
            throw new IOException("it is larger than " + most + " bytes");
        }
        return content;
    }

    /// Returns why a file could not be read, without its name.
    public static String reason(IOException problem) {
        return switch (problem) {
            case NoSuchFileException _ -> "there is no such file";
            case AccessDeniedException _ -> "this user may not read it";
            case FileSystemException e when e.getReason() != null -> e.getReason();
            case IOException e -> String.valueOf(e.getMessage());
        };
    }

    private static String reason(ErrnoException problem) {
        return switch (problem.errno()) {
            case Errno.ENOENT -> "there is no such file";
            case Errno.EACCES -> "this user may not read it";
            default -> Errno.name(problem.errno());
        };
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

    private static byte[] file(String path, int most) throws IOException {
        try (Fd file = FileSystem.open(path, FileSystem.O_RDONLY | FileSystem.O_NONBLOCK)) {
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
