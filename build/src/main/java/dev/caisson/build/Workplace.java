package dev.caisson.build;

import dev.caisson.engine.EngineOptions;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelRandom;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The directories of one build: on disk for layers, and in memory for secrets, below the state directory or, where
/// that is on a disk, below `/dev/shm`. Their locks end with the process, so that the next build finds and removes
/// what a killed one has left.
final class Workplace implements AutoCloseable {
    private static final String DIRECTORY = "build";
    private static final int NAME_BYTES = 8;
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private static final Path SHARED_MEMORY = Path.of("/dev/shm");
    private static final String SHARED_NAME = "caisson-build"; // everybody may make files there
    private static final Set<Long> MEMORY = Set.of(0x01021994L, 0x858458f6L); // tmpfs and ramfs, statfs(2)
    private static final int OF_OTHERS = 0077;

    private final Path state;
    private final Place disk;
    private @Nullable Place memory;
    private int files;

    /// @param all directory of all builds
    /// @param own directory of this one, locked
    private record Place(Fd all, Fd own, String name, Path path) implements AutoCloseable {
        static Place make(Path parent, String directory) {
            try (Fd above = FileSystem.open(parent.toRealPath().toString(), READ)) {
                Fd all = FileSystem.openOrMakeDirectory(above, directory, 0700);
                try {
                    requireOwn(all, parent.resolve(directory));
                    removeLeftovers(all);
                    return make(all, parent.toRealPath().resolve(directory));
                } catch (RuntimeException e) {
                    all.close();
                    throw e;
                }
            } catch (IOException e) {
                throw failed(e);
            }
        }

        /// Removes what killed builds have left, where any was.
        static void clear(Path parent, String directory) {
            try (Fd above = FileSystem.open(parent.toString(), READ)) {
                FileSystem.find(above, directory, READ, BENEATH).ifPresent(found -> {
                    try (Fd all = found) {
                        if (FileSystem.status(all).uid() == 0) {
                            removeLeftovers(all);
                        }
                    }
                });
            } catch (ErrnoException e) {
                if (!e.is(Errno.ENOENT) && !e.is(Errno.ENOTDIR) && !e.is(Errno.ELOOP)) {
                    throw e;
                }
            }
        }

        private static void requireOwn(Fd all, Path path) {
            FileStatus status = FileSystem.status(all);
            if (status.uid() != 0 || (status.permissions() & OF_OTHERS) != 0) {
                throw new BuildException(
                        "BUILD_STORAGE", path + " belongs to another user, or others may use it: remove it");
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

    private Workplace(Path state, Place disk) {
        this.state = state;
        this.disk = disk;
    }

    static Workplace open(EngineOptions options) {
        return open(options.state(), options.data());
    }

    static Workplace open(Path state, Path data) {
        try {
            Place.clear(state, DIRECTORY);
            Place.clear(SHARED_MEMORY, SHARED_NAME);
            return new Workplace(state, Place.make(data, DIRECTORY));
        } catch (ErrnoException e) {
            throw failed(e);
        }
    }

    private static Place makeInMemory(Path state) {
        if (isMemory(state)) {
            return Place.make(state, DIRECTORY);
        }
        if (isMemory(SHARED_MEMORY)) {
            return Place.make(SHARED_MEMORY, SHARED_NAME);
        }
        throw new BuildException(
                "BUILD_SECRET",
                "neither the state directory " + state + " nor " + SHARED_MEMORY
                        + " is in memory, and no secret is written to a disk: mount a tmpfs at one of them");
    }

    private static boolean isMemory(Path path) {
        try (Fd directory = FileSystem.open(path.toString(), READ)) {
            return MEMORY.contains(FileSystem.type(directory));
        } catch (ErrnoException e) {
            return false; // it is not there
        }
    }

    /// Returns the path of a file or directory that is not there yet, on disk.
    synchronized Path fresh() {
        return disk.path().resolve(Integer.toString(files++));
    }

    /// Returns the path of a file that is not there yet, in memory.
    /// @throws BuildException BUILD_SECRET if this host has none that can be used
    synchronized Path freshSecret() {
        Place place = memory;
        try {
            if (place == null) {
                place = makeInMemory(state);
                memory = place;
            }
        } catch (ErrnoException e) {
            throw failed(e);
        }
        return place.path().resolve(Integer.toString(files++));
    }

    /// Makes an empty directory on disk.
    Fd freshDirectory() {
        return directory(fresh());
    }

    /// Makes an empty directory.
    /// @param path of [#fresh]
    Fd directory(Path path) {
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
    public synchronized void close() {
        Place secrets = memory;
        try (disk) {
            if (secrets != null) {
                secrets.close();
            }
        }
    }
}
