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
import dev.caisson.spec.SharedName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/// The workspaces or the volumes of one state directory.
///
/// ```
/// DATA/KINDs/PARENT/NAME      locked, shared, by each of its users. PARENT stands for the state directory
///     KIND.json               its bounds, and which of the two it is
///     files/                  a directory with a project quota
///     NAME.img                an ext4 file system, mounted as long as somebody uses it
///     unused                  there until the first container has it
///     filling                 there while it gets what an image has
/// DATA/KINDs/PARENT/.RANDOM   one that is being made or removed by the holder of its lock, or by nobody
/// DATA/KINDs/PARENT/.NAME     a volume that goes with the holder of its lock
/// ```
public final class SharedDirectories {
    static final String FILES = "files";

    private static final String UNFINISHED = ".";
    private static final int RANDOM_BYTES = 8;
    /// Whoever asks whether it is in use holds its lock for a moment.
    private static final long ASKING_NANOS = 200_000_000;
    /// Whoever asks how full an unused one is holds it for as long as a mount takes.
    private static final long FIRST_USE_NANOS = 5_000_000_000L;
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;

    private final Path data;
    private final String parent;
    private final SharedKind kind;

    /// @param data where they are kept
    /// @param state of the engines whose containers use them
    public SharedDirectories(Path data, Path state, SharedKind kind) {
        this.data = data;
        this.parent = State.lastingName(state);
        this.kind = kind;
    }

    static String image(SharedName name) {
        return name.value() + ".img";
    }

    /// Makes one. It is there whole or not at all.
    /// @throws StateException KIND_EXISTS, KIND_MEDIUM, TOO_MANY_KINDS, STORAGE_FULL, STORAGE_INODES or
    /// STORAGE_FAILED
    public SharedRecord create(NewShared wanted) {
        OwnPaths.makeData(data);
        LayerMedium medium = medium();
        try (Fd all = open()) {
            clear(all);
            SharedRecord record = wanted.record(medium, FileSystemSpace.of(all).freeBytes());
            requireRoom(all, record);
            String unfinished = UNFINISHED + HexFormat.of().formatHex(KernelRandom.bytes(RANDOM_BYTES));
            try (Fd own = makeWhole(all, unfinished, record)) {
                try {
                    FileSystem.synchronize(own);
                    FileSystem.rename(all, unfinished, all, record.name().value(), false);
                } catch (RuntimeException | Error e) {
                    discard(all, unfinished, own);
                    throw e;
                }
            }
            FileSystem.synchronize(all);
            return record;
        } catch (ErrnoException e) {
            throw e.is(Errno.EEXIST) ? kind.exists(wanted.name()) : kind.failed(e);
        }
    }

    /// Makes one that has no name for others, and goes when it is closed, or with its holder.
    /// @throws StateException as [#create]
    public HeldDirectory createUnlisted(NewShared wanted, Optional<HeldDirectory.Filling> filling) {
        LayerMedium medium = medium();
        try (Fd all = open()) {
            SharedRecord record = wanted.record(medium, FileSystemSpace.of(all).freeBytes());
            requireRoom(all, record);
            String unlisted = UNFINISHED + record.name();
            Fd own = makeWhole(all, unlisted, record);
            var held = new HeldDirectory(kind, record, own, () -> removeUnlisted(unlisted, own));
            try {
                held.use(filling);
                return held;
            } catch (RuntimeException | Error e) {
                held.close();
                throw e;
            }
        } catch (ErrnoException e) {
            throw kind.failed(e);
        }
    }

    private void removeUnlisted(String name, Fd own) {
        try (own;
                Fd all = open()) {
            discard(all, name, own);
        }
    }

    private Fd makeWhole(Fd all, String name, SharedRecord record) {
        Fd own = takeNew(all, name);
        try {
            make(own, record);
            record.write(own, kind);
            try (Fd file = FileSystem.openAt(own, kind.record(), FileSystem.O_RDONLY, 0, BENEATH)) {
                FileSystem.synchronize(file);
            }
            HeldDirectory.mark(own, HeldDirectory.UNUSED);
            return own;
        } catch (RuntimeException | Error e) {
            try (own) {
                discard(all, name, own);
            }
            throw e;
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
        throw kind.noMedium(data);
    }

    private void requireRoom(Fd all, SharedRecord record) {
        List<SharedName> names = names(all);
        if (names.contains(record.name())) {
            throw kind.exists(record.name());
        }
        if (names.size() >= kind.most()) {
            throw kind.tooMany(names.size());
        }
        long free = FileSystemSpace.of(all).freeBytes();
        if (record.bytes() > free) {
            throw kind.full(
                    Bytes.of(record.bytes()).toString(), data, Bytes.of(free).toString());
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

    private static void make(Fd own, SharedRecord record) {
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
            case MEMORY -> throw new IllegalStateException("it is kept on disk");
        }
    }

    /// Returns all, by name.
    public List<SharedRecord> list() {
        Optional<Fd> found = find();
        if (found.isEmpty()) {
            return List.of();
        }
        try (Fd all = found.get()) {
            var records = new ArrayList<SharedRecord>();
            for (SharedName name : names(all)) {
                FileSystem.find(all, name.value(), DIRECTORY, BENEATH).ifPresent(open -> {
                    try (Fd own = open) {
                        SharedRecord.read(own, kind, name).ifPresent(records::add);
                    }
                });
            }
            return List.copyOf(records);
        }
    }

    private List<SharedName> names(Fd all) {
        return DirectoryEntries.of(all).stream()
                .flatMap(text -> kind.name(text).stream())
                .sorted(Comparator.comparing(SharedName::value))
                .toList();
    }

    /// Returns what is written down of one.
    /// @throws StateException KIND_UNKNOWN
    public SharedRecord get(SharedName name) {
        return open(name)
                .map(own -> {
                    try (own) {
                        return record(own, name);
                    }
                })
                .orElseThrow(() -> kind.unknown(name));
    }

    /// Has it kept until it is closed.
    /// @throws StateException KIND_UNKNOWN
    public HeldDirectory hold(SharedName name) {
        while (true) {
            Fd own = open(name).orElseThrow(() -> kind.unknown(name));
            if (FileLocks.tryLockShared(own)) {
                Optional<HeldDirectory> held = still(own, name);
                if (held.isPresent()) {
                    return held.get();
                }
            } else {
                own.close();
            }
            LockSupport.parkNanos(1_000_000); // its remover has the lock: soon it is gone, or was in use all the same
        }
    }

    /// The same, for a container. If nobody else has it, it is first given what the container's image has.
    /// @throws StateException KIND_UNKNOWN
    public HeldDirectory hold(SharedName name, Optional<HeldDirectory.Filling> filling) {
        Fd own = open(name).orElseThrow(() -> kind.unknown(name));
        if (!lockAlone(own, HeldDirectory.isMarked(own, HeldDirectory.UNUSED) ? FIRST_USE_NANOS : 0)) {
            own.close();
            return hold(name);
        }
        Optional<HeldDirectory> alone = still(own, name);
        if (alone.isEmpty()) {
            return hold(name, filling);
        }
        HeldDirectory held = alone.get();
        try {
            held.use(filling);
            FileLocks.lockShared(own);
            if (isStill(own, name)) {
                return held;
            }
        } catch (RuntimeException | Error e) {
            held.close();
            throw e;
        }
        held.close();
        return hold(name, filling); // somebody removed it while the lock changed hands
    }

    private static boolean lockAlone(Fd own, long nanos) {
        long begun = System.nanoTime();
        while (!FileLocks.tryLock(own)) {
            if (System.nanoTime() - begun >= nanos) {
                return false;
            }
            LockSupport.parkNanos(1_000_000);
        }
        return true;
    }

    /// Closes one that was removed before it was locked.
    private Optional<HeldDirectory> still(Fd own, SharedName name) {
        try {
            if (isStill(own, name)) {
                return Optional.of(new HeldDirectory(kind, record(own, name), own, own::close));
            }
        } catch (RuntimeException e) {
            own.close();
            throw e;
        }
        own.close();
        return Optional.empty();
    }

    /// True if the name leads to the directory that is open.
    private boolean isStill(Fd own, SharedName name) {
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
    /// @throws StateException KIND_UNKNOWN
    public boolean isInUse(SharedName name) {
        try (Fd own = open(name).orElseThrow(() -> kind.unknown(name))) {
            return !FileLocks.isUnlocked(own);
        }
    }

    /// Removes one with all its files.
    /// @throws StateException KIND_UNKNOWN, KIND_IN_USE
    public void remove(SharedName name) {
        String unfinished = UNFINISHED + HexFormat.of().formatHex(KernelRandom.bytes(RANDOM_BYTES));
        try (Fd all = find().orElseThrow(() -> kind.unknown(name));
                Fd own = open(name).orElseThrow(() -> kind.unknown(name))) {
            if (!lockAlone(own, ASKING_NANOS)) {
                throw kind.inUse(name);
            }
            if (!isStill(own, name)) {
                throw kind.unknown(name);
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

    private void clear(Fd all) {
        for (String name : DirectoryEntries.of(all)) {
            if (name.startsWith(UNFINISHED)) {
                takeAbandoned(all, name).ifPresent(found -> {
                    try (Fd own = found) {
                        discard(all, name, own);
                    } catch (ErrnoException e) {
                        System.getLogger(SharedDirectories.class.getName())
                                .log(
                                        System.Logger.Level.WARNING,
                                        kind.directory() + "/" + name + " stays: " + e.getMessage());
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

    private SharedRecord record(Fd own, SharedName name) {
        return SharedRecord.read(own, kind, name).orElseThrow(() -> kind.unreadable(name));
    }

    private Optional<Fd> open(SharedName name) {
        return find().flatMap(found -> {
            try (Fd all = found) {
                return FileSystem.find(all, name.value(), DIRECTORY, BENEATH);
            }
        });
    }

    private Optional<Fd> find() {
        try (Fd top = FileSystem.open(data.toString(), DIRECTORY)) {
            return FileSystem.find(top, kind.directory() + "/" + parent, DIRECTORY, BENEATH);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw kind.dataUnusable(data, e);
        }
    }

    private Fd open() {
        OwnPaths.requireTrustedData(data);
        try (Fd top = FileSystem.open(data.toString(), DIRECTORY);
                Fd all = FileSystem.openOrMakeDirectory(top, kind.directory(), 0700)) {
            return FileSystem.openOrMakeDirectory(all, parent, 0700);
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
