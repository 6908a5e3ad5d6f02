package dev.caisson.image;

import dev.caisson.linux.Fd;
import java.util.List;

/// An image's files, to be read: as a container of it would find them, and only as long as this is open.
public final class ImageTree implements AutoCloseable {
    private final ImageConfig config;
    private final List<Fd> opened;

    private ImageTree(ImageConfig config, List<Fd> opened) {
        this.config = config;
        this.opened = opened;
    }

    static ImageTree of(Rootfs rootfs) {
        return new ImageTree(rootfs.config(), rootfs.openLayers());
    }

    /// Returns its root directory, O_PATH, which stays this object's. Links in it lead wherever the image says: names
    /// are
    /// to be resolved in it as their root, RESOLVE_IN_ROOT.
    @SuppressWarnings("exports") // for Caisson's own modules
    public Fd root() {
        return opened.getFirst();
    }

    /// Returns how the image wants to be run.
    public ImageConfig config() {
        return config;
    }

    @Override
    public void close() {
        opened.forEach(Fd::close);
    }
}
