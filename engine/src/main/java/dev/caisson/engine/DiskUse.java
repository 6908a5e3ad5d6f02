package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.Digest;
import dev.caisson.image.SnapshotName;
import dev.caisson.image.StoredImage;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.WorkspaceName;
import java.util.List;

/// The disk and memory that images, writable layers, logs, volumes, workspaces and snapshots take.
///
/// @param images of the store
/// @param containers those that run or are kept
/// @param volumes by name
/// @param workspaces by name
/// @param snapshots by name
public record DiskUse(
        OfImages images,
        List<OfContainer> containers,
        List<OfVolume> volumes,
        List<OfWorkspace> workspaces,
        List<OfSnapshot> snapshots) {
    /// The files that a snapshot has beside its image.
    ///
    /// @param containers those that were made of it
    public record OfSnapshot(SnapshotName name, Bytes bytes, int containers) {}

    /// The room that a volume takes on the host's disk.
    ///
    /// @param containers those that outlive their command and have it
    public record OfVolume(VolumeName name, Bytes onDisk, boolean inUse, int containers) {}

    /// The room that a workspace takes on the host's disk.
    ///
    /// @param containers those that outlive their command and have it
    public record OfWorkspace(WorkspaceName name, Bytes onDisk, boolean inUse, int containers) {}

    /// The images of the store.
    ///
    /// @param all those with several names once
    /// @param onDisk compressed and unpacked layers, each once, with those of no image
    /// @param reclaimable what is of no image that a container or a snapshot has
    public record OfImages(List<OfImage> all, Bytes onDisk, Bytes reclaimable) {
        public OfImages {
            all = List.copyOf(all);
        }
    }

    /// An image.
    ///
    /// @param image by one of its names
    /// @param id as `images` shows it
    /// @param bytes of its compressed and unpacked layers
    /// @param alone those of them that no other image has
    /// @param users containers that run or are kept, and snapshots
    public record OfImage(StoredImage image, Digest id, Bytes bytes, Bytes alone, int users) {}

    /// What a container takes beside its image.
    ///
    /// @param written bytes in its writable layer, in memory or on disk; zero for one that has none any more
    /// @param log bytes of its log files
    public record OfContainer(ContainerId id, String name, String image, boolean running, Bytes written, Bytes log) {}

    public DiskUse {
        containers = List.copyOf(containers);
        volumes = List.copyOf(volumes);
        workspaces = List.copyOf(workspaces);
        snapshots = List.copyOf(snapshots);
    }

    /// Reads it now. Every file of unpacked layers is looked at.
    public static DiskUse read(EngineOptions options) {
        present(options, "options");
        HostAccess.requireNative();
        return Failures.call(() -> {
            OfImages images;
            try (Images stored = Images.open(options)) {
                images = stored.use();
            }
            List<OfContainer> containers = ContainerStatus.all(options).stream()
                    .map(status -> of(status, options))
                    .toList();
            return new DiskUse(
                    images,
                    containers,
                    Volumes.of(options).onDisk(),
                    Workspaces.of(options).onDisk(),
                    snapshots(options));
        });
    }

    private static List<OfSnapshot> snapshots(EngineOptions options) {
        Snapshots all = Snapshots.of(options);
        return all.list().stream()
                .map(snapshot -> new OfSnapshot(
                        snapshot.name(),
                        Bytes.of(snapshot.bytes()),
                        all.users(snapshot.name()).size()))
                .toList();
    }

    /// Returns the bytes in the writable layer of one container.
    public static Bytes written(ContainerStatus container, EngineOptions options) {
        return Bytes.of(WrittenBytes.of(container, options));
    }

    private static OfContainer of(ContainerStatus status, EngineOptions options) {
        return new OfContainer(
                status.id(),
                status.name().orElse(""),
                status.image(),
                status.running(),
                written(status, options),
                Bytes.of(WrittenBytes.ofLog(status, options)));
    }
}
