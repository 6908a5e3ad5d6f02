package dev.caisson.state;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.FileSystemSpace;
import dev.caisson.linux.Mounts;
import java.util.EnumSet;

/// A workspace that cannot be removed as long as this is open, or a copy of its lock's descriptor is.
public final class HeldWorkspace implements AutoCloseable {
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;

    private final WorkspaceRecord record;
    private final Fd directory;

    /// @param directory open and locked; this object's to close
    HeldWorkspace(WorkspaceRecord record, Fd directory) {
        this.record = record;
        this.directory = directory;
    }

    public WorkspaceRecord record() {
        return record;
    }

    /// Returns the descriptor whose lock holds it; stays this object's to close.
    public Fd lock() {
        return directory;
    }

    /// Makes a detached mount of its files, without set-user-ID and devices; the caller's to close. All mounts of a
    /// workspace show one and the same file system.
    public Fd mount() {
        return switch (record.medium()) {
            case PROJECT -> {
                try (Fd files = FileSystem.openAt(directory, WorkspaceDirectory.FILES, DIRECTORY, 0, BENEATH)) {
                    Fd mount = Mounts.copy(files, false);
                    Mounts.restrict(mount, EnumSet.of(Mounts.Attribute.NO_DEVICES, Mounts.Attribute.NO_SETUID), false);
                    yield mount;
                }
            }
            case IMAGE -> {
                try (Fd _ = alone();
                        Fd file = FileSystem.openAt(
                                directory, WorkspaceDirectory.image(record.name()), FileSystem.O_RDWR, 0, BENEATH)) {
                    yield ImageFile.mountShared(file);
                }
            }
            case MEMORY -> throw new IllegalStateException("a workspace is kept on disk");
        };
    }

    /// Holds off others that mount it.
    private Fd alone() {
        Fd held = FileSystem.openAt(directory, WorkspaceRecord.FILE, FileSystem.O_RDONLY, 0, BENEATH);
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
                        directory, WorkspaceDirectory.image(record.name()), FileSystem.O_PATH, 0, BENEATH)) {
                    yield FileStatus.bytesOnDisk(file);
                }
            }
            case MEMORY -> 0;
        };
    }

    @Override
    public void close() {
        directory.close();
    }
}
