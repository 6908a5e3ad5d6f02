package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.image.ImageException;
import dev.caisson.image.ImageStore;
import dev.caisson.image.Layer;
import dev.caisson.image.ProgressListener;
import dev.caisson.image.Rootfs;
import dev.caisson.image.Snapshot;
import dev.caisson.image.SnapshotName;
import dev.caisson.image.StoredSnapshots;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerSpec;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/// The snapshots of a data directory: files of containers at one moment, which any number of others start
/// from. Needs no engine.
///
/// ```java
/// Snapshot prepared = Snapshots.of(options).create("box", "prepared");
/// List<Session> forks = engine.fork(prepared, 32);
/// ```
///
/// Failures are [dev.caisson.error.CaissonException]s: SNAPSHOT_UNKNOWN, SNAPSHOT_EXISTS, SNAPSHOT_IN_USE,
/// SNAPSHOT_SLOW, SNAPSHOT_REFUSED, SNAPSHOT_DAMAGED, TOO_MANY_SNAPSHOTS, STORE_FULL.
public final class Snapshots {
    private static final String IN_USE = "SNAPSHOT_IN_USE";

    private final EngineOptions options;

    private Snapshots(EngineOptions options) {
        this.options = options;
    }

    /// Returns those of an engine's directories.
    public static Snapshots of(EngineOptions options) {
        present(options, "options");
        HostAccess.requireNative();
        return Failures.call(() -> {
            HostAccess.requireRoot();
            return new Snapshots(options);
        });
    }

    /// Takes the files of a container that outlives its command. One that runs stands still meanwhile, for
    /// no longer than 30 seconds. Volumes, workspaces, secrets and memory are no part of it.
    ///
    /// @param container its name, or the beginning of its id
    /// @param name 1 to 128 letters, digits, `_`, `.` or `-`
    /// @throws dev.caisson.error.CaissonException SNAPSHOT_EXISTS, SNAPSHOT_SLOW, SNAPSHOT_REFUSED; FILE_CHANGED if
    ///     it is started, resumed, ended or removed meanwhile
    public Snapshot create(String container, String name) throws InterruptedException {
        var parsed = new SnapshotName(present(name, "name"));
        KeptContainer kept = KeptContainer.find(present(container, "container"), options);
        DetachedContainer detached = kept.detached()
                .orElseThrow(() -> new EngineException(
                        "SNAPSHOT_REFUSED",
                        "the files of container " + kept.id().shortForm()
                                + " end with its command: create it, or run it with -d"));
        ContainerSpec spec = KeptSpec.of(kept.id(), options)
                .orElseThrow(() -> new EngineException(
                        "SNAPSHOT_REFUSED",
                        "the spec of container " + detached.name() + " cannot be read: create it again"));
        DetachedPlace place = kept.place();
        try (ImageStore store = open();
                DetachedChanges changes = DetachedChanges.open(place)) {
            Rootfs rootfs = store.resolve(spec.image(), ProgressListener.none());
            requireSame(spec.image(), rootfs, changes.lowers(), detached.name());
            Image image = spec.image() instanceof Image.Named ? Image.parse(kept.image()) : spec.image();
            var source = new StoredSnapshots.Source(detached.name(), image, rootfs);
            return store.snapshots().make(parsed, source, tree -> copy(detached, place, changes, tree));
        } catch (RuntimeException e) {
            throw Failures.coded(e);
        }
    }

    private ImageStore open() {
        return ImageStore.open(options.data().resolve("images"));
    }

    /// Checks that the container's layers are still those of its image: its changes mean something above them
    /// only. The layers of `host` follow the host.
    private static void requireSame(Image image, Rootfs rootfs, List<Fd> lowers, String name) {
        if (image instanceof Image.Host) {
            return;
        }
        List<Layer> layers = rootfs.layers();
        boolean same = layers.size() == lowers.size();
        for (int i = 0; same && i < layers.size(); i++) {
            FileStatus status = FileSystem.status(lowers.get(i));
            same = layers.get(i).inode() == status.inode() && layers.get(i).fileSystem() == status.fileSystem();
        }
        if (!same) {
            throw new EngineException(
                    "IMAGE_CHANGED",
                    "the image " + image + " has changed since container " + name + " was created: create it again");
        }
    }

    private static long copy(DetachedContainer container, DetachedPlace place, DetachedChanges changes, Fd tree) {
        try (StillFiles still = StillFiles.of(place, changes)) {
            long bytes = changes.copy(tree, still.deadline());
            still.requireSame();
            return bytes;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException(
                    "INTERRUPTED", "interrupted while the files of " + container.name() + " were copied", e);
        }
    }

    /// Returns all, by name. One that is damaged is left out; it can be removed.
    public List<Snapshot> list() {
        return with(StoredSnapshots::list);
    }

    /// Finds one.
    /// @throws dev.caisson.error.CaissonException SNAPSHOT_UNKNOWN
    public Snapshot get(String name) {
        var parsed = new SnapshotName(present(name, "name"));
        return with(all -> all.find(parsed))
                .orElseThrow(() -> new ImageException(
                        ImageException.Code.SNAPSHOT_UNKNOWN,
                        "no snapshot is called " + parsed + ": see 'caisson snapshot ls'"));
    }

    /// Returns the names of the containers that were made of one, whether they run or are kept.
    public List<String> users(SnapshotName name) {
        String image = new Image.Snapshot(present(name, "name")).toString();
        return Failures.call(() -> {
            var users = new TreeSet<String>();
            for (KeptContainer kept : KeptContainer.all(options)) {
                if (kept.image().equals(image) && (kept.detached().isPresent() || kept.isRunning())) {
                    users.add(kept.name().orElse(kept.id().shortForm()));
                }
            }
            for (ContainerStatus status : ContainerStatus.all(options)) {
                if (!status.kept() && status.image().equals(image)) {
                    users.add(status.name().orElse(status.id().shortForm()));
                }
            }
            return List.copyOf(users);
        });
    }

    /// Removes one.
    /// @throws dev.caisson.error.CaissonException SNAPSHOT_IN_USE if a container or another snapshot was
    ///     made of it
    public void remove(SnapshotName name) {
        List<String> users = users(name);
        if (!users.isEmpty()) {
            throw new EngineException(
                    IN_USE,
                    "the snapshot " + name + " is what " + String.join(", ", users)
                            + " was made of: remove these containers first");
        }
        boolean _ = with(all -> {
            all.remove(name);
            return true;
        });
    }

    /// Removes all that no container was made of, and no snapshot that stays.
    /// @return those that are gone
    public List<Snapshot> prune() {
        var gone = new ArrayList<Snapshot>();
        // A later one may be above an earlier one, never below it.
        for (Snapshot snapshot : list().stream()
                .sorted(Comparator.comparing(Snapshot::created).reversed())
                .toList()) {
            if (removeIfFree(snapshot.name())) {
                gone.add(snapshot);
            }
        }
        return List.copyOf(gone);
    }

    private boolean removeIfFree(SnapshotName name) {
        try {
            remove(name);
            return true;
        } catch (CaissonException e) {
            if (Set.of(IN_USE, "SNAPSHOT_UNKNOWN").contains(e.code())) {
                return false;
            }
            throw e;
        }
    }

    private <T> T with(Function<StoredSnapshots, T> act) {
        return Failures.call(() -> {
            try (ImageStore store = open()) {
                return act.apply(store.snapshots());
            }
        });
    }
}
