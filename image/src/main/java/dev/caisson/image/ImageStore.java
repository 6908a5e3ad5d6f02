package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A directory that holds unpacked images, shared by all processes of the host that use it. May be used by several
/// threads.
public final class ImageStore implements AutoCloseable {
    private static final Path HOST = Path.of("/");

    private final StoreDirectory skeletons;
    private final HostSkeleton host;

    private ImageStore(StoreDirectory skeletons) {
        this.skeletons = skeletons;
        this.host = new HostSkeleton(HOST);
    }

    /// Opens the store at `root`, made with mode 0700 where it does not exist, and removes what a crash left.
    /// @throws ImageException STORE_REFUSED
    public static ImageStore open(Path root) {
        try {
            Files.createDirectories(
                    root.toAbsolutePath().getParent() == null
                            ? HOST
                            : root.toAbsolutePath().getParent());
            makePrivate(root.toString());
            Path real = root.toRealPath();
            try (Fd directory = FileSystem.open(real.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
                return new ImageStore(StoreDirectory.open(real, directory, "host"));
            }
        } catch (IOException | ErrnoException e) {
            throw new ImageException(
                    Code.STORE_REFUSED,
                    "the image store " + root + " cannot be used (" + e.getMessage()
                            + "); it must be a directory that this user can write",
                    e);
        }
    }

    private static void makePrivate(String root) {
        try (Fd here = FileSystem.open(".", FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            FileSystem.makeDirectory(here, root, 0700);
        } catch (ErrnoException e) {
            if (!e.is(Errno.EEXIST)) {
                throw e;
            }
        }
    }

    /// Makes `image` ready to be mounted: finds or unpacks its layers and reads its configuration.
    public Rootfs resolve(Image image, ProgressListener listener) {
        try {
            return switch (image) {
                case Image.Host() -> host();
                case Image.Directory(Path path) -> directory(path);
                case Image.OciLayout layout -> throw unsupported(layout);
                case Image.DockerArchive archive -> throw unsupported(archive);
            };
        } catch (ErrnoException e) {
            throw new ImageException(
                    Code.STORE_REFUSED,
                    "the kernel refused a step while " + image + " was made ready: " + e.getMessage(),
                    e);
        }
    }

    private static ImageException unsupported(Image image) {
        return new ImageException(Code.BAD_NAME, image + " cannot be unpacked yet; use host or dir:PATH");
    }

    private Rootfs host() {
        HostSkeleton.Snapshot snapshot = host.snapshot();
        Layer layer = skeletons.obtain(snapshot.version(), tree -> host.write(snapshot.version(), tree));
        return new Rootfs(List.of(layer), ImageConfig.plain(List.of("sh")), Optional.empty(), snapshot.binds());
    }

    private static Rootfs directory(Path path) {
        try (Fd opened = FileSystem.open(path.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            Path real = Files.readSymbolicLink(Path.of("/proc/self/fd/" + opened.number()));
            if (real.equals(HOST)) {
                throw new ImageException(
                        Code.BAD_NAME,
                        "dir:/ would show all of the host; use host, which has its programs and no secrets");
            }
            boolean shell = InRoot.isExecutableFile(opened, "bin/sh");
            return new Rootfs(
                    List.of(Layer.of(real, opened)),
                    ImageConfig.plain(shell ? List.of("sh") : List.of()),
                    Optional.empty(),
                    List.of());
        } catch (ErrnoException | IOException e) {
            throw noDirectory(path, e);
        }
    }

    private static ImageException noDirectory(Path path, Exception e) {
        if (e instanceof ErrnoException refused && refused.is(Errno.ENOENT)) {
            return new ImageException(Code.NOT_FOUND, "there is no directory " + path + "; name an unpacked root", e);
        }
        return new ImageException(
                Code.NOT_A_DIRECTORY, path + " cannot be opened as a directory (" + e.getMessage() + ")", e);
    }

    @Override
    public void close() {
        skeletons.close();
    }
}
