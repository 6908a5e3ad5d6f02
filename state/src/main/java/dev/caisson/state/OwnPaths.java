package dev.caisson.state;

import dev.caisson.launch.TrustedPaths;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Paths that are the engine's own: who writes there controls the engine, and so root, at its next start.
public final class OwnPaths {
    private static final String BUILD = ".caisson";
    private static final int WRITABLE_BY_OTHERS = 022;
    private static final Set<PosixFilePermission> DATA_MODE = PosixFilePermissions.fromString("rwxr-xr-x");

    private OwnPaths() {}

    /// No container gets them by a volume without an allowance.
    /// @param program a class of it
    public static TrustedPaths trusted(Path state, Path data, Class<?> program) {
        return new TrustedPaths(all(state, data, program));
    }

    static List<Path> all(Path state, Path data, Class<?> program) {
        var own = new ArrayList<>(List.of(state, data, Path.of(System.getProperty("java.home"))));
        program(program).ifPresent(own::add);
        return own;
    }

    /// The directory of the engine's classes, or the clone that `./caisson` built them in and builds again.
    private static Optional<Path> program(Class<?> type) {
        var source = type.getProtectionDomain().getCodeSource();
        URL location = source == null ? null : source.getLocation();
        if (location == null || !"file".equals(location.getProtocol())) {
            return Optional.empty(); // a class loader need not say where its classes come from
        }
        Path classes = Path.of(URI.create(location.toString()));
        for (Path above = classes; above != null; above = above.getParent()) {
            if (above.endsWith(BUILD)) {
                return Optional.ofNullable(above.getParent());
            }
        }
        return Optional.ofNullable(classes.getParent());
    }

    /// Makes the data directory if it is not there, which nobody but root may write to.
    /// @throws StateException DATA_UNSAFE, DATA_UNUSABLE
    public static void makeData(Path data) {
        try {
            Files.createDirectories(data, PosixFilePermissions.asFileAttribute(DATA_MODE));
        } catch (IOException e) {
            throw new StateException(
                    "DATA_UNUSABLE",
                    "the data directory " + data + " cannot be made (" + e.getMessage() + "): name another",
                    e);
        }
        requireTrustedData(data);
    }

    /// The data directory, where it is there already, is nobody else's to write to.
    /// @throws StateException DATA_UNSAFE
    public static void requireTrustedData(Path data) {
        try (Fd directory = FileSystem.open(data.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            FileStatus status = FileSystem.status(directory);
            if (status.uid() != 0 || (status.permissions() & WRITABLE_BY_OTHERS) != 0) {
                throw new StateException(
                        "DATA_UNSAFE",
                        data + " must belong to root and be writable by root alone: chown root " + data
                                + "; chmod go-w " + data);
            }
        } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT)) {
                throw new StateException(
                        "DATA_UNUSABLE",
                        "the data directory " + data + " cannot be opened (" + Errno.name(e.errno())
                                + "): name another",
                        e);
            }
        }
    }
}
