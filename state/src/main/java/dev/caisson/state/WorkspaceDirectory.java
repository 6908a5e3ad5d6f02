package dev.caisson.state;

import dev.caisson.launch.LayerMedium;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.FileSystemSpace;
import dev.caisson.linux.KernelRandom;
import dev.caisson.linux.ProjectQuota;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.spec.WorkspaceSpec;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/// The workspaces of one state directory.
///
/// ```
/// DATA/workspaces/PARENT/NAME      locked, shared, by each of its users. PARENT stands for the state directory
///     workspace.json               its bounds, and which of the two it is
///     files/                       a directory with a project quota
///     NAME.img                     an ext4 file system, mounted as long as somebody uses it
/// DATA/workspaces/PARENT/.RANDOM   one that is being made or removed by the holder of its lock, or by nobody
/// ```
public final class WorkspaceDirectory {
    static final String FILES = "files";
    static final int MOST = 1000;

    private static final String WORKSPACES = "workspaces";
    private static final String UNFINISHED = ".";
    private static final int RANDOM_BYTES = 8;
    private static final int KIBIBYTE = 1024;
    /// Whoever asks whether it is in use holds its lock for a moment.
    private static final long ASKING_NANOS = 200_000_000;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;

    private final Path data;
    private final String parent;

    /// @param data where they are kept
    /// @param state of the engines whose containers use them
    public WorkspaceDirectory(Path data, Path state) {
        this.data = data;
        this.parent = State.lastingName(state);
    }

    static String image(WorkspaceName name) {
        return name + ".img";
    }

    /// Makes one. It is there whole or not at all.
    /// @throws StateException WORKSPACE_EXISTS, WORKSPACE_MEDIUM, TOO_MANY_WORKSPACES, STORAGE_FULL,
    /// STORAGE_INODES, STORAGE_FAILED
    public WorkspaceRecord create(WorkspaceSpec spec) {
        LayerMedium medium = medium();
        try (Fd all = open()) {
            clear(all);
            requireRoom(all, spec);
            var record = new WorkspaceRecord(
                    spec.name(),
                    spec.size().count() / KIBIBYTE * KIBIBYTE,
                    spec.inodesOrStandard(),
                    medium,
                    Instant.now().truncatedTo(ChronoUnit.MILLIS));
            String unfinished = UNFINISHED + HexFormat.of().formatHex(KernelRandom.bytes(RANDOM_BYTES));
            try (Fd own = takeNew(all, unfinished)) {
                try {
                    make(own, record);
                    record.write(own);
                    FileSystem.synchronize(own);
                    FileSystem.rename(all, unfinished, all, spec.name().value(), false);
                } catch (RuntimeException | Error e) {
                    discard(all, unfinished, own);
                    throw e;
                }
            }
            FileSystem.synchronize(all);
            return record;
        } catch (ErrnoException e) {
            throw e.is(Errno.EEXIST) ? exists(spec.name()) : failed(e);
        }
    }

    private LayerMedium medium() {
        Set<LayerMedium> media = DiskLayers.media(data);
        if (media.contains(LayerMedium.PROJECT)) {
            return LayerMedium.PROJECT;
        }
        if (media.contains(LayerMedium.IMAGE)) {
            return LayerMedium.IMAGE;
        }
        throw new StateException(
                "WORKSPACE_MEDIUM",
                "nothing on this host can bound a workspace: mount the file system of " + data
                        + " with project quotas (prjquota), or give this process mkfs.ext4 and loop devices");
    }

    private void requireRoom(Fd all, WorkspaceSpec spec) {
        List<WorkspaceName> names = names(all);
        if (names.contains(spec.name())) {
            throw exists(spec.name());
        }
        if (names.size() >= MOST) {
            throw new StateException(
                    "TOO_MANY_WORKSPACES",
                    names.size() + " workspaces are there: remove some, or all that nobody uses"
                            + " with 'caisson workspace prune'");
        }
        long free = FileSystemSpace.of(all).freeBytes();
        if (spec.size().count() > free) {
            throw new StateException(
                    "STORAGE_FULL",
                    "a workspace of " + spec.size() + " does not fit into " + data + ", which has " + Bytes.of(free)
                            + " left: ask for less, or make room");
        }
    }

    /// One that is locked from the moment others can see it: they leave it alone.
    private static Fd takeNew(Fd all, String unfinished) {
        try (Fd _ = whole(all)) {
            FileSystem.makeDirectory(all, unfinished, 0700);
            Fd own = FileSystem.openAt(all, unfinished, DIRECTORY, 0, BENEATH);
            FileLocks.lock(own);
            return own;
        }
    }

    private static void make(Fd own, WorkspaceRecord record) {
        switch (record.medium()) {
            case IMAGE -> {
                try (Fd file = FileSystem.openAt(
                        own,
                        image(record.name()),
                        FileSystem.O_RDWR | FileSystem.O_CREAT | FileSystem.O_EXCL,
                        0600,
                        BENEATH)) {
                    ImageFile.makeLasting(file, record.bytes(), record.inodes());
                }
            }
            case PROJECT -> {
                FileSystem.makeDirectory(own, FILES, 0700);
                try (Fd files = FileSystem.openAt(own, FILES, DIRECTORY, 0, BENEATH)) {
                    int project = DiskLayers.freeProject(files);
                    // Before the limit: a project that has one belongs to the directory that is found to have it.
                    ProjectQuota.assign(files, project);
                    ProjectQuota.limit(files, project, record.bytes(), record.inodes());
                    FileSystem.changeMode(files, ImageFile.OPEN_TO_ALL);
                }
            }
            case MEMORY -> throw new IllegalStateException("a workspace is kept on disk");
        }
    }

    /// Returns all, by name.
    public List<WorkspaceRecord> list() {
        Optional<Fd> found = find();
        if (found.isEmpty()) {
            return List.of();
        }
        try (Fd all = found.get()) {
            var records = new ArrayList<WorkspaceRecord>();
            for (WorkspaceName name : names(all)) {
                FileSystem.find(all, name.value(), DIRECTORY, BENEATH).ifPresent(open -> {
                    try (Fd own = open) {
                        WorkspaceRecord.read(own, name).ifPresent(records::add);
                    }
                });
            }
            return List.copyOf(records);
        }
    }

    private static List<WorkspaceName> names(Fd all) {
        return DirectoryEntries.of(all).stream()
                .filter(WorkspaceName::isValid)
                .map(WorkspaceName::new)
                .sorted(Comparator.comparing(WorkspaceName::value))
                .toList();
    }

    /// Returns what is written down of one.
    /// @throws StateException WORKSPACE_UNKNOWN
    public WorkspaceRecord get(WorkspaceName name) {
        return open(name)
                .map(own -> {
                    try (own) {
                        return record(own, name);
                    }
                })
                .orElseThrow(() -> unknown(name));
    }

    /// Has it kept until it is closed.
    /// @throws StateException WORKSPACE_UNKNOWN
    public HeldWorkspace hold(WorkspaceName name) {
        while (true) {
            Fd own = open(name).orElseThrow(() -> unknown(name));
            if (FileLocks.tryLockShared(own)) {
                try {
                    if (isStill(own, name)) {
                        return new HeldWorkspace(record(own, name), own);
                    }
                } catch (RuntimeException e) {
                    own.close();
                    throw e;
                }
            }
            own.close();
            LockSupport.parkNanos(1_000_000); // its remover has the lock: soon it is gone, or was in use all the same
        }
    }

    /// True if the name leads to the directory that is open: else it was removed before it was locked.
    private boolean isStill(Fd own, WorkspaceName name) {
        return open(name)
                .map(found -> {
                    try (found) {
                        return FileSystem.status(found).inode()
                                == FileSystem.status(own).inode();
                    }
                })
                .orElse(false);
    }

    /// True if somebody holds it.
    /// @throws StateException WORKSPACE_UNKNOWN
    public boolean isInUse(WorkspaceName name) {
        try (Fd own = open(name).orElseThrow(() -> unknown(name))) {
            return !FileLocks.isUnlocked(own);
        }
    }

    /// Removes one with all its files.
    /// @throws StateException WORKSPACE_UNKNOWN, WORKSPACE_IN_USE
    public void remove(WorkspaceName name) {
        String unfinished = UNFINISHED + HexFormat.of().formatHex(KernelRandom.bytes(RANDOM_BYTES));
        try (Fd all = find().orElseThrow(() -> unknown(name));
                Fd own = open(name).orElseThrow(() -> unknown(name))) {
            long begun = System.nanoTime();
            while (!FileLocks.tryLock(own)) {
                if (System.nanoTime() - begun > ASKING_NANOS) {
                    throw new StateException(
                            "WORKSPACE_IN_USE",
                            "the workspace " + name + " is in use: remove the containers that have it first");
                }
                LockSupport.parkNanos(1_000_000);
            }
            if (!isStill(own, name)) {
                throw unknown(name);
            }
            FileSystem.rename(all, name.value(), all, unfinished, false);
            discard(all, unfinished, own);
        }
    }

    /// Removes what nobody finished: to make, or to remove.
    public void clear() {
        find().ifPresent(found -> {
            try (Fd all = found) {
                clear(all);
            }
        });
    }

    private static void clear(Fd all) {
        for (String name : DirectoryEntries.of(all)) {
            if (name.startsWith(UNFINISHED)) {
                takeAbandoned(all, name).ifPresent(found -> {
                    try (Fd own = found) {
                        discard(all, name, own);
                    } catch (ErrnoException e) {
                        System.getLogger(WorkspaceDirectory.class.getName())
                                .log(
                                        System.Logger.Level.WARNING,
                                        "the workspace " + name + " stays: " + e.getMessage());
                    }
                });
            }
        }
    }

    private static Optional<Fd> takeAbandoned(Fd all, String name) {
        try (Fd _ = whole(all)) {
            Optional<Fd> own = FileSystem.find(all, name, DIRECTORY, BENEATH);
            if (own.isPresent() && !FileLocks.tryLock(own.get())) {
                own.get().close();
                return Optional.empty();
            }
            return own;
        }
    }

    /// The limit goes first: once the directory has gone nobody knows its number.
    private static void discard(Fd all, String unfinished, Fd own) {
        FileSystem.find(own, FILES, DIRECTORY, BENEATH).ifPresent(found -> {
            try (Fd files = found) {
                OptionalInt project = ProjectQuota.of(files);
                if (project.isPresent() && project.getAsInt() < 0 && !project.equals(ProjectQuota.of(own))) {
                    ProjectQuota.limit(files, project.getAsInt(), 0, 0);
                }
            }
        });
        FileSystem.removeTree(all, unfinished);
    }

    private static WorkspaceRecord record(Fd own, WorkspaceName name) {
        return WorkspaceRecord.read(own, name)
                .orElseThrow(() -> new StateException(
                        "WORKSPACE_UNREADABLE",
                        "the workspace " + name + " has no readable " + WorkspaceRecord.FILE
                                + ": remove it, or use the version of caisson that made it"));
    }

    private static StateException unknown(WorkspaceName name) {
        return new StateException(
                "WORKSPACE_UNKNOWN",
                "no workspace has the name " + name + ": create it with 'caisson workspace create " + name + "'");
    }

    private static StateException exists(WorkspaceName name) {
        return new StateException(
                "WORKSPACE_EXISTS", "a workspace has the name " + name + " already: give another, or remove it");
    }

    private static StateException failed(ErrnoException e) {
        return new StateException(
                "STORAGE_FAILED", "the workspace could not be made (" + e.getMessage() + "): see the kernel's log", e);
    }

    private Optional<Fd> open(WorkspaceName name) {
        return find().flatMap(found -> {
            try (Fd all = found) {
                return FileSystem.find(all, name.value(), DIRECTORY, BENEATH);
            }
        });
    }

    private Optional<Fd> find() {
        try (Fd top = FileSystem.open(data.toString(), DIRECTORY)) {
            return FileSystem.find(top, WORKSPACES + "/" + parent, DIRECTORY, BENEATH);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw new StateException(
                    "DATA_UNUSABLE",
                    "the directory " + data.resolve(WORKSPACES) + " cannot be read (" + e.getMessage()
                            + "): run as root",
                    e);
        }
    }

    private Fd open() {
        OwnPaths.requireTrustedData(data);
        try (Fd top = FileSystem.open(data.toString(), DIRECTORY);
                Fd workspaces = FileSystem.openOrMakeDirectory(top, WORKSPACES, 0700)) {
            return FileSystem.openOrMakeDirectory(workspaces, parent, 0700);
        }
    }

    /// Holds off others that make one or look for what is left of one.
    private static Fd whole(Fd all) {
        Fd held = FileSystem.openAt(all, ".", DIRECTORY, 0, BENEATH);
        try {
            FileLocks.lock(held);
            return held;
        } catch (RuntimeException e) {
            held.close();
            throw e;
        }
    }
}
