package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.ImageStore;
import dev.caisson.image.SnapshotName;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.WorkspaceName;
import java.util.ArrayList;
import java.util.List;

/// The disk and memory that images, writable layers, logs, volumes, workspaces and snapshots take.
///
/// @param images unpacked images, each once however many containers use it
/// @param containers those that run or are kept
/// @param volumes by name
/// @param workspaces by name
/// @param snapshots by name
public record DiskUse(
        List<Unpacked> images,
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

    /// An unpacked image.
    ///
    /// @param digest of its layers
    /// @param bytes of its files, each counted once
    public record Unpacked(String digest, Bytes bytes) {}

    /// What a container takes beside its image.
    ///
    /// @param written bytes in its writable layer, in memory or on disk; zero for one that has none any more
    /// @param log bytes of its log files
    public record OfContainer(ContainerId id, String name, String image, boolean running, Bytes written, Bytes log) {}

    public DiskUse {
        images = List.copyOf(images);
        containers = List.copyOf(containers);
        volumes = List.copyOf(volumes);
        workspaces = List.copyOf(workspaces);
        snapshots = List.copyOf(snapshots);
    }

    /// Reads it now. Every file of the unpacked images is looked at.
    public static DiskUse read(EngineOptions options) {
        present(options, "options");
        HostAccess.requireNative();
        return Failures.call(() -> {
            var images = new ArrayList<Unpacked>();
            try (ImageStore store = ImageStore.open(options.data().resolve("images"))) {
                store.sizes().forEach((digest, bytes) -> images.add(new Unpacked(digest, Bytes.of(bytes))));
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
