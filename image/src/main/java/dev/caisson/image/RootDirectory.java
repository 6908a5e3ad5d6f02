package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Makes an unpacked root file system of the host an image's files, as `dir:PATH` names it.
final class RootDirectory {
    private RootDirectory() {}

    /// @throws ImageException BAD_NAME, NOT_FOUND, NOT_A_DIRECTORY
    static Rootfs of(Path path) {
        try (Fd opened = FileSystem.open(path.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            Path real = Path.of(FileSystem.path(opened));
            if (real.equals(Path.of("/"))) {
                throw new ImageException(
                        Code.BAD_NAME,
                        "dir:/ would show all of the host; use host, which has its programs and no secrets");
            }
            if (InRoot.isFile(opened, "oci-layout") && InRoot.isFile(opened, "index.json")) {
                throw new ImageException(
                        Code.BAD_NAME, path + " is an OCI layout, not an unpacked root; name it as oci:" + path);
            }
            boolean shell = InRoot.isExecutableFile(opened, "bin/sh");
            return new Rootfs(
                    List.of(Layer.of(real, opened)),
                    ImageConfig.plain(shell ? List.of("sh") : List.of()),
                    Optional.empty(),
                    List.of());
        } catch (ErrnoException e) {
            throw noDirectory(path, e);
        }
    }

    private static ImageException noDirectory(Path path, ErrnoException e) {
        if (e.is(Errno.ENOENT)) {
            return new ImageException(Code.NOT_FOUND, "there is no directory " + path + "; name an unpacked root", e);
        }
        return new ImageException(
                Code.NOT_A_DIRECTORY,
                path + " cannot be opened as a directory (" + e.getMessage()
                        + "); name an unpacked root, or a file of docker save as docker-archive:" + path,
                e);
    }
}
