package dev.caisson.state;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.LayerMedium;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.FileSystemSpace;
import dev.caisson.linux.KernelRandom;
import dev.caisson.linux.Mounts;
import dev.caisson.linux.ProjectQuota;
import dev.caisson.spec.ContainerId;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Writable layers that are kept on disk, each bounded and gone with its container.
///
/// ```
/// DATA/layers/PARENT/ID   a directory with a project quota; PARENT stands for the state directory
/// DATA/layers             where image files are made, which have no name and end with the container's mounts
/// ```
public final class DiskLayers {
    private static final String LAYERS = "layers";
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int DIRECTORY = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
    private static final int KIBIBYTE = 1024;

    private final Path data;
    private final String parent;
    private final Map<String, Runnable> discards = new ConcurrentHashMap<>();
    private final Map<String, List<Fd>> held = new ConcurrentHashMap<>();

    public DiskLayers(Path data, String parent) {
        this.data = data;
        this.parent = parent;
    }

    /// Returns the media that can bound a layer in a data directory.
    public static Set<LayerMedium> media(Path data) {
        Set<LayerMedium> media = EnumSet.of(LayerMedium.MEMORY);
        if (ImageFile.isPossible()) {
            media.add(LayerMedium.IMAGE);
        }
        try (Fd directory = FileSystem.open(data.toString(), DIRECTORY)) {
            if (ProjectQuota.isEnforced(directory)) {
                media.add(LayerMedium.PROJECT);
            }
        } catch (ErrnoException e) {
            if (!e.is(Errno.ENOENT) && !e.is(Errno.EACCES)) {
                throw e;
            }
        }
        return media;
    }

    /// Makes what the plan wants on disk; empty where it wants memory. Stays this object's to close, by [#discard].
    /// @throws StateException STORAGE_FULL, STORAGE_INODES, STORAGE_FAILED
    public Optional<Fd> make(ContainerId id, LaunchPlan plan) {
        LaunchPlan.RootAssembly root = plan.root();
        try {
            return switch (plan.medium()) {
                case MEMORY -> Optional.empty();
                case IMAGE -> Optional.of(makeImage(id.value(), root));
                case PROJECT -> Optional.of(makeProject(id.value(), root));
            };
        } catch (ErrnoException e) {
            discard(id.value());
            throw new StateException(
                    "STORAGE_FAILED",
                    "the writable layer could not be made on disk (" + e.getMessage()
                            + "): leave --storage-opt size out, or add medium=memory",
                    e);
        }
    }

    private Fd makeImage(String id, LaunchPlan.RootAssembly root) {
        try (Fd layers = layers()) {
            long free = FileSystemSpace.of(layers).freeBytes();
            if (root.bytes() > free) {
                throw new StateException(
                        "STORAGE_FULL",
                        "a writable layer of " + root.bytes() + " bytes does not fit into " + data + ", which has "
                                + free + " left: ask for less, or make room");
            }
            Fd mount = ImageFile.mount(layers, root.bytes(), root.inodes());
            discards.put(id, () -> ImageFile.abandon(mount));
            held.put(id, List.of(mount));
            return mount;
        }
    }

    private Fd makeProject(String id, LaunchPlan.RootAssembly root) {
        try (Fd layers = layers();
                Fd siblings = FileSystem.openOrMakeDirectory(layers, parent, 0700)) {
            Fd own = take(siblings, id);
            discards.put(id, () -> discard(own, id));
            try {
                int project = freeProject(own);
                // Before the limit: a project that has one belongs to the directory that is found to have it.
                ProjectQuota.assign(own, project);
                ProjectQuota.limit(own, project, root.bytes() / KIBIBYTE * KIBIBYTE, root.inodes());
                Fd mount = Mounts.copy(own, false);
                discards.put(id, () -> {
                    mount.close();
                    discard(own, id);
                });
                held.put(id, List.of(mount, own));
                Mounts.restrict(mount, EnumSet.of(Mounts.Attribute.NO_DEVICES, Mounts.Attribute.NO_SETUID), false);
                return mount;
            } catch (RuntimeException e) {
                discard(id);
                throw e;
            }
        }
    }

    /// A directory that is held from the moment others can see it: an engine with other records leaves it alone.
    private static Fd take(Fd siblings, String id) {
        try (Fd all = FileSystem.openAt(siblings, ".", DIRECTORY, 0, BENEATH)) {
            FileLocks.lock(all);
            FileSystem.makeDirectory(siblings, id, 0700);
            Fd own = FileSystem.openAt(siblings, id, DIRECTORY, 0, BENEATH);
            if (!FileLocks.tryLock(own)) {
                own.close();
                throw new IllegalStateException("a directory that was just made is held by somebody else");
            }
            return own;
        }
    }

    private void discard(Fd own, String id) {
        own.close();
        clear(id);
    }

    /// Numbers are drawn from the upper half, which administrators hardly give by hand.
    static int freeProject(Fd directory) {
        while (true) {
            int project = ByteBuffer.wrap(KernelRandom.bytes(Integer.BYTES)).getInt() | 0x8000_0000;
            if (project != -1 && ProjectQuota.isFree(directory, project)) {
                return project;
            }
        }
    }

    private Fd layers() {
        try (Fd top = FileSystem.open(data.toString(), DIRECTORY)) {
            return FileSystem.openOrMakeDirectory(top, LAYERS, 0700);
        }
    }

    /// Returns the descriptors that keep a container's layer.
    public List<Fd> holders(String id) {
        return held.getOrDefault(id, List.of());
    }

    /// Lets go of a container's layer without removing it.
    /// @return the descriptors that keep it, for whoever keeps the container; the caller's to close
    public List<Fd> handOver(String id) {
        discards.remove(id);
        List<Fd> kept = held.remove(id);
        return kept == null ? List.of() : kept;
    }

    /// Removes a container's layer, when its processes are gone; nothing where it has none.
    public void discard(String id) {
        held.remove(id);
        Runnable discard = discards.remove(id);
        if (discard != null) {
            discard.run();
        }
    }

    private void clear(String id) {
        siblings().ifPresent(found -> {
            try (Fd siblings = found) {
                remove(siblings, id);
            }
        });
    }

    /// Removes what a container of an engine that was killed has left in a directory.
    public void tryClear(String id) {
        siblings().ifPresent(found -> {
            try (Fd siblings = found) {
                tryRemove(siblings, id);
            }
        });
    }

    /// Removes directories of containers that no engine has a record of.
    public void removeUnrecorded(State state) {
        siblings().ifPresent(found -> {
            try (Fd siblings = found) {
                for (String id : DirectoryEntries.of(siblings)) {
                    if (!state.isRecorded(id)) {
                        tryRemove(siblings, id);
                    }
                }
            }
        });
    }

    private Optional<Fd> siblings() {
        try (Fd top = FileSystem.open(data.toString(), DIRECTORY)) {
            return FileSystem.find(top, LAYERS + "/" + parent, DIRECTORY, BENEATH);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// One that cannot be removed keeps no engine from opening.
    private static void tryRemove(Fd siblings, String id) {
        try {
            remove(siblings, id);
        } catch (ErrnoException e) {
            System.getLogger(DiskLayers.class.getName())
                    .log(System.Logger.Level.WARNING, "the writable layer " + id + " stays: " + e.getMessage());
        }
    }

    /// Nothing where a living engine holds it. The limit goes first: once the directory has gone nobody knows its
    /// number.
    private static void remove(Fd siblings, String id) {
        Optional<Fd> taken = takeAbandoned(siblings, id);
        if (taken.isEmpty()) {
            return;
        }
        try (Fd own = taken.get()) {
            OptionalInt project = ProjectQuota.of(own);
            // Before it is given one of its own it has the administrator's, of the directory above.
            if (project.isPresent() && project.getAsInt() < 0 && !project.equals(ProjectQuota.of(siblings))) {
                ProjectQuota.limit(siblings, project.getAsInt(), 0, 0);
            }
            FileSystem.removeTree(siblings, id);
        }
    }

    private static Optional<Fd> takeAbandoned(Fd siblings, String id) {
        try (Fd all = FileSystem.openAt(siblings, ".", DIRECTORY, 0, BENEATH)) {
            FileLocks.lock(all);
            Optional<Fd> own = FileSystem.find(siblings, id, DIRECTORY, BENEATH);
            if (own.isPresent() && !FileLocks.tryLock(own.get())) {
                own.get().close();
                return Optional.empty();
            }
            return own;
        }
    }

    /// Returns these layers as one kind of what containers hold.
    public Holding holding(State state) {
        return new Holding() {
            @Override
            public void undo(String id) {
                discard(id);
            }

            @Override
            public void clear(String id) {
                tryClear(id);
            }

            @Override
            public void clearUnrecorded() {
                removeUnrecorded(state);
            }
        };
    }
}
