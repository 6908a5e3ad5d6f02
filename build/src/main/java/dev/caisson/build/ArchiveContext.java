package dev.caisson.build;

import dev.caisson.containerfile.Source;
import dev.caisson.engine.EngineOptions;
import dev.caisson.error.CaissonException;
import dev.caisson.image.TarArchive;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Bytes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The files of a build that come as a tar archive, which may be compressed. They are unpacked beside the images, and
/// removed when this is closed.
public final class ArchiveContext implements AutoCloseable {
    /// It is unpacked beside, and the build needs room too.
    private static final int SHARE_OF_DISK = 4;

    private static final String ADVICE = ": give a Dockerfile, or what tar -c writes";

    private final Workplace workplace;
    private final Path directory;
    private final Fd root;

    private ArchiveContext(Workplace workplace, Path directory, Fd root) {
        this.workplace = workplace;
        this.directory = directory;
        this.root = root;
    }

    /// Unpacks an archive.
    /// @param shown what messages call it
    /// @throws BuildException BUILD_ARCHIVE, BUILD_STORAGE, or the code of what is wrong in the archive
    public static ArchiveContext open(InputStream archive, String shown, EngineOptions options) {
        Workplace workplace = Workplace.open(options);
        try {
            Path packed = workplace.fresh();
            save(archive, packed, shown);
            Path directory = workplace.fresh();
            Fd root = workplace.directory(directory);
            try (Fd file = FileSystem.open(packed.toString(), FileSystem.O_RDONLY)) {
                if (!TarArchive.isOne(file)) {
                    throw new BuildException("BUILD_ARCHIVE", shown + " is no tar archive" + ADVICE);
                }
                TarArchive.unpack(file, shown, root);
            } catch (IOException e) {
                root.close();
                throw bad(shown, "cannot be unpacked (" + e.getMessage() + ")", e);
            } catch (RuntimeException e) {
                root.close();
                throw e;
            }
            Files.delete(packed);
            return new ArchiveContext(workplace, directory, root);
        } catch (IOException e) {
            workplace.close();
            throw Workplace.failed(e);
        } catch (BuildException e) {
            workplace.close();
            throw e;
        } catch (CaissonException e) {
            workplace.close();
            throw new BuildException(e.code(), null, e.sentence(), e);
        } catch (RuntimeException | Error e) {
            workplace.close();
            throw e;
        }
    }

    private static void save(InputStream archive, Path packed, String shown) throws IOException {
        long most = Files.getFileStore(packed.getParent()).getUsableSpace() / SHARE_OF_DISK;
        try (var file = Files.newOutputStream(packed)) {
            var buffer = new byte[1 << 16];
            long left = most;
            for (int count = read(archive, buffer, shown); count > 0; count = read(archive, buffer, shown)) {
                left -= count;
                if (left < 0) {
                    throw new BuildException(
                            "BUILD_ARCHIVE_SIZE",
                            shown + " has more than " + Bytes.of(most) + ", a quarter of the room that the data"
                                    + " directory's disk has: make room there, or leave files out of the archive");
                }
                file.write(buffer, 0, count);
            }
        }
    }

    private static int read(InputStream archive, byte[] buffer, String shown) {
        try {
            return archive.read(buffer);
        } catch (IOException e) {
            throw bad(shown, "cannot be read (" + e.getMessage() + ")", e);
        }
    }

    private static BuildException bad(String shown, String what, Exception cause) {
        return new BuildException("BUILD_ARCHIVE", null, shown + " " + what + ADVICE, cause);
    }

    /// Returns the directory of the files, for [BuildRequest].
    public Path directory() {
        return directory;
    }

    /// Reads one of the files; links that lead to it are followed as if the context were the root.
    /// @return empty if it is not there, or is no regular file
    /// @throws BuildException BUILD_DOCKERFILE if it is larger than [Source#MAX_BYTES]
    @SuppressWarnings("exports")
    public Optional<Source> read(String path) {
        var files = new FileTree(root, "the archive", _ -> false, false);
        Optional<FileTree.Node> found =
                files.resolve(path).node().filter(node -> node.status().isRegularFile());
        return found.map(node -> {
            if (node.status().size() > Source.MAX_BYTES) {
                throw new BuildException(
                        "BUILD_DOCKERFILE",
                        path + " of the archive is larger than " + Source.MAX_BYTES + " bytes: name another");
            }
            try (Fd file = files.open(node)) {
                return Source.of(path, FileSystem.read(file, Source.MAX_BYTES));
            }
        });
    }

    @Override
    public void close() {
        root.close();
        workplace.close();
    }
}
