package dev.caisson.state;

import dev.caisson.launch.HostMounts;
import dev.caisson.launch.LayerMedium;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.FileSystemSpace;
import dev.caisson.linux.Mounts;
import dev.caisson.spec.InRootPath;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A workspace or volume that cannot be removed as long as this is open, or a copy of its lock's descriptor is.
public final class HeldDirectory implements AutoCloseable {
    /// Writes what an image has into a volume.
    @FunctionalInterface
    public interface Filling {
        /// Writes it.
        ///
        /// @param root of the volume, empty
        /// @param record of the volume
        void into(Fd root, SharedRecord record);
    }

    static final String UNUSED = "unused";
    private static final String FILLING = "filling";
    /// An ext4 file system that was checked has it.
    private static final String LOST = "lost+found";
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private final SharedKind kind;
    private final SharedRecord record;
    private final Fd directory;
    private final Runnable closing;
    private @Nullable Fd mounted;

    /// @param directory open and locked
    /// @param closing gives it back
    HeldDirectory(SharedKind kind, SharedRecord record, Fd directory, Runnable closing) {
        this.kind = kind;
        this.record = record;
        this.directory = directory;
        this.closing = closing;
    }

    public SharedRecord record() {
        return record;
    }

    /// Returns the descriptor whose lock holds it; stays this object's to close.
    public Fd lock() {
        return directory;
    }

    static void mark(Fd directory, String mark) {
        FileSystem.openAt(directory, mark, FileSystem.O_WRONLY | FileSystem.O_CREAT, 0600, BENEATH)
                .close();
    }

    static boolean isMarked(Fd directory, String mark) {
        return FileSystem.findStatus(directory, mark).isPresent();
    }

    private void unmark(String mark) {
        if (isMarked(directory, mark)) {
            FileSystem.removeFile(directory, mark);
        }
    }

    /// Begins the use by a container, which nobody else has meanwhile. An empty one is filled; what somebody has not
    /// finished to fill is removed first.
    void use(Optional<Filling> filling) {
        Fd mount = mount();
        mounted = mount;
        try (Fd root = FileSystem.openAt(mount, ".", DIRECTORY, 0, 0)) {
            List<String> names = content(root);
            if (isMarked(directory, FILLING)) {
                names.forEach(name -> FileSystem.removeTree(root, name));
                names = List.of();
            }
            if (names.isEmpty() && filling.isPresent()) {
                mark(directory, FILLING);
                FileSystem.synchronize(directory);
                filling.get().into(root, record);
                if (record.medium() == LayerMedium.IMAGE) { // another file system has the host's files too
                    FileContent.synchronizeFileSystem(root);
                }
            }
            unmark(FILLING);
        }
        unmark(UNUSED);
    }

    private static List<String> content(Fd root) {
        return DirectoryEntries.of(root).stream()
                .filter(name -> !name.equals(LOST))
                .toList();
    }

    /// Makes a detached mount of its files, without set-user-ID and devices; the caller's to close. All mounts of one
    /// show one and the same file system.
    public Fd mount() {
        Fd first = mounted;
        if (first != null) {
            mounted = null;
            return first;
        }
        return switch (record.medium()) {
            case PROJECT -> {
                try (Fd files = FileSystem.openAt(directory, SharedDirectories.FILES, DIRECTORY, 0, BENEATH)) {
                    Fd mount = Mounts.copy(files, false);
                    Mounts.restrict(mount, EnumSet.of(Mounts.Attribute.NO_DEVICES, Mounts.Attribute.NO_SETUID), false);
                    yield mount;
                }
            }
            case IMAGE -> {
                try (Fd _ = alone();
                        Fd file = FileSystem.openAt(
                                directory, SharedDirectories.image(record.name()), FileSystem.O_RDWR, 0, BENEATH)) {
                    yield ImageFile.mountShared(file);
                }
            }
            case MEMORY -> throw new IllegalStateException("it is kept on disk");
        };
    }

    /// Makes a detached mount of one of its directories, to which no link leads: else MOUNT_SUBPATH.
    Fd mount(InRootPath subpath) {
        return HostMounts.below(mount(), subpath, "the " + record.name().kind() + " " + record.name());
    }

    /// Holds off others that mount it.
    private Fd alone() {
        Fd held = FileSystem.openAt(directory, kind.record(), FileSystem.O_RDONLY, 0, BENEATH);
        try {
            FileLocks.lock(held);
            return held;
        } catch (RuntimeException e) {
            held.close();
            throw e;
        }
    }

    /// Returns how much of it is used, as the kernel counts.
    public FileSystemSpace space() {
        try (Fd mount = mount()) {
            return FileSystemSpace.of(mount);
        }
    }

    /// Returns the bytes of the host's disk that it takes.
    public long onDisk() {
        return switch (record.medium()) {
            case PROJECT -> space().usedBytes();
            case IMAGE -> {
                try (Fd file = FileSystem.openAt(
                        directory, SharedDirectories.image(record.name()), FileSystem.O_PATH, 0, BENEATH)) {
                    yield FileStatus.bytesOnDisk(file);
                }
            }
            case MEMORY -> 0;
        };
    }

    @Override
    public void close() {
        Fd first = mounted;
        mounted = null;
        if (first != null) {
            first.close();
        }
        closing.run();
    }
}
