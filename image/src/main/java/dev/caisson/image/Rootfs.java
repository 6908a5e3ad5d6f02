package dev.caisson.image;

import dev.caisson.linux.Fd;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A root file system ready to be mounted below a writable layer, and how its image wants to be run.
///
/// @param layers topmost first; never empty
/// @param digest of the image's manifest, or of its configuration where its form has no manifest; none for `host` and
/// `dir:`
/// @param binds directories of the host to mount into it
public record Rootfs(List<Layer> layers, ImageConfig config, Optional<Digest> digest, List<HostBind> binds) {
    private static final int ACCOUNT_FILE_LIMIT = 1 << 20;

    public Rootfs {
        layers = List.copyOf(layers);
        binds = List.copyOf(binds);
        if (layers.isEmpty()) {
            throw new IllegalArgumentException("a root file system has a layer");
        }
    }

    /// The layers' directories, O_PATH, topmost first; the caller closes them.
    @SuppressWarnings("exports") // for Caisson's own modules
    public List<Fd> openLayers() {
        var opened = new ArrayList<Fd>();
        try {
            for (Layer layer : layers) {
                opened.add(layer.open());
            }
            return List.copyOf(opened);
        } catch (RuntimeException e) {
            opened.forEach(Fd::close);
            throw e;
        }
    }

    /// Opens the files of this image, to be read; the caller closes them.
    public ImageTree tree() {
        return ImageTree.of(this);
    }

    /// Returns the account of `user[:group]` in this image; the empty text is root. A number needs no line in
    /// /etc/passwd: without one its group is 0 and its home `/`, as with Docker.
    ///
    /// @throws ImageException BAD_USER, ID_OUT_OF_RANGE, UNKNOWN_USER, UNKNOWN_GROUP, AMBIGUOUS_USER,
    /// BAD_ACCOUNT_FILE
    public Account account(String userSpec) {
        return KnownAccounts.of(this, userSpec, () -> {
            try (ImageTree tree = ImageTree.of(this)) { // the kernel knows what layers hide of each other
                return account(tree.root(), userSpec);
            }
        });
    }

    /// Like [#account(String)], in the root of a container that runs.
    ///
    /// @param root its directory
    @SuppressWarnings("exports") // for Caisson's own modules
    public static Account account(Fd root, String userSpec) {
        return account(List.of(root), userSpec);
    }

    private static Account account(List<Fd> roots, String userSpec) {
        UserSpec spec = UserSpec.parse(userSpec.isEmpty() ? "0" : userSpec);
        byte[] passwd = InRoot.read(roots, "etc/passwd", ACCOUNT_FILE_LIMIT).orElse(new byte[0]);
        byte[] group = InRoot.read(roots, "etc/group", ACCOUNT_FILE_LIMIT).orElse(new byte[0]);
        return new AccountFiles(passwd, group).resolve(spec);
    }
}
