package dev.caisson.image;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Mounts;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// An image's files, to be read: as a container of it would find them, and only as long as this is open.
public final class ImageTree implements AutoCloseable {
    private static final int PATH = FileSystem.O_PATH | FileSystem.O_DIRECTORY;
    private static final Set<Mounts.Attribute> ONLY_READ = EnumSet.of(
            Mounts.Attribute.READ_ONLY,
            Mounts.Attribute.NO_SETUID,
            Mounts.Attribute.NO_DEVICES,
            Mounts.Attribute.NO_EXECUTION);

    private final ImageConfig config;
    private final List<Fd> layers;
    private final Fd root;

    private ImageTree(ImageConfig config, List<Fd> layers, Fd root) {
        this.config = config;
        this.layers = layers;
        this.root = root;
    }

    static ImageTree of(Rootfs rootfs) {
        List<Fd> layers = rootfs.openLayers();
        try {
            Fd root = layers.size() == 1
                    ? FileSystem.openAt(layers.getFirst(), ".", PATH, 0, FileSystem.RESOLVE_BENEATH)
                    : Mounts.overlay(layers, null, null, ONLY_READ);
            return new ImageTree(rootfs.config(), layers, root);
        } catch (RuntimeException e) {
            layers.forEach(Fd::close);
            throw e;
        }
    }

    /// Returns its root directory, O_PATH, which stays this object's. Links in it lead wherever the image says: names
    /// are to be resolved in it as their root, RESOLVE_IN_ROOT.
    @SuppressWarnings("exports") // for Caisson's own modules
    public Fd root() {
        return root;
    }

    /// Returns whether it has a directory, to which its own links may lead.
    /// @param path in the image, without the leading slash
    public boolean hasDirectory(String path) {
        Optional<Fd> found = TreeCopy.find(root, path);
        found.ifPresent(Fd::close);
        return found.isPresent();
    }

    /// Copies what it has in a directory, and that one's owner and mode.
    /// @param path in the image, without the leading slash; nothing is copied if no directory is there
    /// @param to an empty directory that nobody else writes to
    /// @param most bytes that are read
    /// @throws ImageException TOO_LARGE
    @SuppressWarnings("exports") // for Caisson's own modules
    public void copy(String path, Fd to, long most) {
        TreeCopy.find(root, path).ifPresent(found -> {
            try (Fd from = found) {
                TreeCopy.copy(from, to, most);
            }
        });
    }

    /// Returns how the image wants to be run.
    public ImageConfig config() {
        return config;
    }

    @Override
    public void close() {
        root.close();
        layers.forEach(Fd::close);
    }
}
