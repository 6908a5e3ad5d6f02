package dev.caisson.engine;

import dev.caisson.image.ImageException;
import dev.caisson.image.ImageTree;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SharedName;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.VolumeSpec;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.state.HeldDirectory;
import dev.caisson.state.NewShared;
import dev.caisson.state.SharedDirectories;
import dev.caisson.state.StateException;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/// Finds or makes the workspaces and volumes of one container.
///
/// @param lasting whether its anonymous volumes are listed, and stay until somebody removes them
record SharedUse(Preparation.Prepared prepared, SharedDirectories workspaces, Volumes volumes, boolean lasting)
        implements Function<SharedName, HeldDirectory> {
    @Override
    public HeldDirectory apply(SharedName shared) {
        return switch (shared) {
            case WorkspaceName name -> workspaces.hold(name);
            case VolumeName name -> volume(name);
        };
    }

    private HeldDirectory volume(VolumeName name) {
        Optional<HeldDirectory.Filling> filling = filling(name);
        if (prepared.anonymous().contains(name)) {
            if (!lasting) {
                return volumes.directory().createUnlisted(wanted(name, true), filling);
            }
            volumes.make(wanted(name, true));
        }
        while (true) {
            try {
                HeldDirectory held = volumes.directory().hold(name, filling);
                requireBounds(name, held);
                return held;
            } catch (StateException e) {
                if (!e.code().equals("VOLUME_UNKNOWN")) {
                    throw e;
                }
                make(name);
            }
        }
    }

    /// Another container may make it at the same time.
    private void make(VolumeName name) {
        try {
            volumes.make(wanted(name, false));
        } catch (StateException e) {
            if (!e.code().equals("VOLUME_EXISTS")) {
                throw e;
            }
        }
    }

    private NewShared wanted(VolumeName name, boolean anonymous) {
        VolumeSpec made = mounts(name)
                .map(Mount.Volume::made)
                .filter(one -> !one.equals(VolumeSpec.unnamed()))
                .findFirst()
                .orElseGet(VolumeSpec::unnamed);
        return new NewShared(name, made.size(), made.inodes(), made.labels(), anonymous);
    }

    private Stream<Mount.Volume> mounts(VolumeName name) {
        return prepared.spec().mounts().stream()
                .filter(Mount.Volume.class::isInstance)
                .map(Mount.Volume.class::cast)
                .filter(volume -> volume.name().filter(name::equals).isPresent());
    }

    /// A volume that was there keeps its bounds: a container that asked for others is not made.
    private void requireBounds(VolumeName name, HeldDirectory held) {
        long bytes = held.record().bytes();
        long inodes = held.record().inodes();
        if (mounts(name).map(Mount.Volume::made).anyMatch(made -> isOther(made, bytes, inodes))) {
            held.close();
            throw new EngineException(
                    "VOLUME_EXISTS",
                    "a volume has the name " + name + " already, and holds " + Bytes.of(bytes) + " in " + inodes
                            + " inodes: ask for these, or give another name");
        }
    }

    private static boolean isOther(VolumeSpec made, long bytes, long inodes) {
        return made.size().map(size -> size.count() / 1024 * 1024 != bytes).orElse(false)
                || (made.inodes().isPresent() && made.inodes().getAsLong() != inodes);
    }

    /// Returns how a volume gets what the image has at its target; empty if that is nothing.
    private Optional<HeldDirectory.Filling> filling(VolumeName name) {
        Optional<Mount.Volume> mount = mounts(name)
                .findFirst()
                .filter(Mount.Volume::copy)
                .filter(volume -> volume.subpath().isEmpty());
        if (mount.isEmpty()) {
            return Optional.empty();
        }
        String path = mount.get().target().relative();
        try (ImageTree tree = prepared.rootfs().tree()) {
            if (!tree.hasDirectory(path)) {
                return Optional.empty();
            }
        }
        return Optional.of((root, record) -> {
            try (ImageTree tree = prepared.rootfs().tree()) {
                tree.copy(path, root, record.bytes());
            } catch (ImageException e) {
                if (e.reason() == ImageException.Code.TOO_LARGE) {
                    throw new EngineException("VOLUME_COPY", "the volume " + name + " was not filled: " + e.sentence());
                }
                throw e;
            }
        });
    }
}
