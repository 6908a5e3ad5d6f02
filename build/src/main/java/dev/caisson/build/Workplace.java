package dev.caisson.build;

import dev.caisson.engine.EngineOptions;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;

/// The directories of one build: on disk for layers, and below the state directory, in memory, for secrets. Their locks
/// end with the process, so that the next build finds and removes what a killed one has left.
final class Workplace implements AutoCloseable {
    private static final String DIRECTORY = "build";
    private static final int NAME_BYTES = 8;
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private final Place disk;
    private final Place memory;
    private int files;

    /// @param all directory of all builds
    /// @param own directory of this one, locked
    private record Place(Fd all, Fd own, String name, Path path) implements AutoCloseable {
        static Place make(Path parent) {
            try (Fd above = FileSystem.open(parent.toRealPath().toString(), READ)) {
                Fd all = FileSystem.openOrMakeDirectory(above, DIRECTORY, 0700);
                try {
                    removeLeftovers(all);
                    return make(all, parent.toRealPath().resolve(DIRECTORY));
                } catch (RuntimeException e) {
                    all.close();
                    throw e;
                }
            } catch (IOException e) {
                throw failed(e);
            }
        }

        /// Made and locked while nobody else looks for what was left.
        private static Place make(Fd all, Path path) {
            String name = HexFormat.of().formatHex(KernelRandom.bytes(NAME_BYTES));
            try (Fd guard = guard(all)) {
                FileLocks.lock(guard);
                FileSystem.makeDirectory(all, name, 0700);
                Fd own = FileSystem.openAt(all, name, READ, 0, BENEATH);
                if (!FileLocks.tryLock(own)) {
                    own.close();
                    throw new IllegalStateException("a directory that was just made is locked");
                }
                return new Place(all, own, name, path.resolve(name));
            }
        }

        private static Fd guard(Fd all) {
            return FileSystem.openAt(all, ".", READ, 0, BENEATH);
        }

        private static void removeLeftovers(Fd all) {
            try (Fd guard = guard(all)) {
                FileLocks.lock(guard);
                for (String name : DirectoryEntries.of(all)) {
                    Optional<Fd> left = FileSystem.find(all, name, READ, BENEATH);
                    if (left.isPresent()) {
                        try (Fd directory = left.get()) {
                            if (FileLocks.tryLock(directory)) {
                                FileSystem.removeTree(all, name);
                            }
                        }
                    }
                }
            }
        }

        @Override
        public void close() {
            FileSystem.removeTree(all, name);
            own.close();
            all.close();
        }
    }

    private Workplace(Place disk, Place memory) {
        this.disk = disk;
        this.memory = memory;
    }

    static Workplace open(EngineOptions options) {
        try {
            Place disk = Place.make(options.data());
            try {
                return new Workplace(disk, Place.make(options.state()));
            } catch (RuntimeException e) {
                disk.close();
                throw e;
            }
        } catch (ErrnoException e) {
            throw failed(e);
        }
    }

    /// Returns the path of a file or directory that is not there yet, on disk.
    synchronized Path fresh() {
        return disk.path().resolve(Integer.toString(files++));
    }

    /// Returns the path of a file that is not there yet, in memory.
    synchronized Path freshSecret() {
        return memory.path().resolve(Integer.toString(files++));
    }

    /// Makes an empty directory on disk.
    Fd freshDirectory() {
        Path path = fresh();
        String name = path.getFileName().toString();
        FileSystem.makeDirectory(disk.own(), name, 0755);
        Fd made = FileSystem.openAt(disk.own(), name, READ, 0, BENEATH);
        FileSystem.changeMode(made, 0755);
        return made;
    }

    static BuildException failed(IOException e) {
        return new BuildException(
                "BUILD_STORAGE",
                null,
                "a file of the build could not be written (" + e.getMessage()
                        + "): make room in the data directory, or use another one (CAISSON_DATA)",
                e);
    }

    static BuildException failed(ErrnoException e) {
        return new BuildException(
                "BUILD_STORAGE",
                null,
                "a file of the build could not be written (" + Errno.name(e.errno())
                        + "): make room in the data directory, or use another one (CAISSON_DATA)",
                e);
    }

    @Override
    public void close() {
        try (disk;
                memory) {
            files = Integer.MAX_VALUE;
        }
    }
}
