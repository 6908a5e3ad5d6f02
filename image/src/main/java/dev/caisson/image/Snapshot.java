package dev.caisson.image;

import java.time.Instant;
import java.util.Optional;

/// The files of a container at one moment, to start others from: what it had changed, above the layers of
/// its image. Volumes, workspaces, secrets and memory are no part of it.
///
/// @param id a digest of its own, which no other snapshot has, also not a later one of the same name
/// @param created when the container's files were taken
/// @param container its name
/// @param image what the container was made of: the image below the first of several snapshots above each
///     other
/// @param parent the snapshot that the container was started from, if it was from one
/// @param bytes of the files that the container had changed
public record Snapshot(
        SnapshotName name,
        Digest id,
        Instant created,
        String container,
        String image,
        Optional<SnapshotName> parent,
        long bytes) {
    /// Returns what containers are made of: `ContainerSpec.of(snapshot.asImage(), "sh")`.
    public Image asImage() {
        return new Image.Snapshot(name);
    }
}
