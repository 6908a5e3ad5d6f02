package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/// A directory that holds unpacked images, shared by all processes of the host that use it. May be used by several
/// threads.
public final class ImageStore implements AutoCloseable {
    /// A name of 64 such digits would be taken for an id.
    private static final Pattern ID = Pattern.compile("[0-9a-f]{64}");
    private static final Path HOST = Path.of("/");

    private final StoreDirectory skeletons;
    private final LayerTrees trees;
    private final ContentStore content;
    private final SnapshotStore snapshots;
    private final ImageRemoval removal;
    private final HostSkeleton host;

    private ImageStore(StoreDirectory skeletons, LayerTrees trees, ContentStore content, SnapshotStore snapshots) {
        this.snapshots = snapshots;
        this.skeletons = skeletons;
        this.trees = trees;
        this.content = content;
        this.removal = new ImageRemoval(content, trees, snapshots);
        this.host = new HostSkeleton(HOST, skeletons.hostSnapshot());
    }

    /// Opens the store at `root`, made with mode 0700 where it does not exist, and removes what a crash left.
    /// @throws ImageException STORE_REFUSED
    public static ImageStore open(Path root) {
        try {
            if (!Files.isDirectory(root)) {
                makePrivate(root.toAbsolutePath());
            }
            Path real = root.toRealPath();
            try (Fd directory = FileSystem.open(real.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
                SkeletonMedium.prepare(directory, "host");
                StoreDirectory skeletons = StoreDirectory.open(real, directory, "host", false);
                var trees = new LayerTrees(
                        StoreDirectory.open(real, directory, "layers", true),
                        StoreDirectory.open(real, directory, "rootfs", true));
                return new ImageStore(
                        skeletons, trees, ContentStore.open(real, directory), SnapshotStore.open(real, directory));
            }
        } catch (IOException | ErrnoException e) {
            if (e instanceof ErrnoException refused && (refused.is(Errno.EMFILE) || refused.is(Errno.ENFILE))) {
                throw refused; // which says what to raise
            }
            throw new ImageException(
                    Code.STORE_REFUSED,
                    "the image store " + root + " cannot be used (" + e.getMessage()
                            + "); use sudo, or a data directory of this user's own (CAISSON_DATA for the command)",
                    e);
        }
    }

    private static void makePrivate(Path root) throws IOException {
        Path above = root.getParent() == null ? HOST : root.getParent();
        Files.createDirectories(above);
        try (Fd here = FileSystem.open(above.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            FileSystem.makeDirectory(here, root.toString(), 0700);
        } catch (ErrnoException e) {
            if (!e.is(Errno.EEXIST)) {
                throw e;
            }
        }
    }

    /// Makes `image` ready to be mounted: reads its configuration, and finds or unpacks its layers. Root owns the
    /// store where an engine uses it; another user can only unpack images whose files all belong to that user.
    ///
    /// @throws ImageException in any of its codes
    public Rootfs resolve(Image image, ProgressListener listener) {
        return StoreFailures.guarded(image.toString(), () -> switch (image) {
            case Image.Host() -> host();
            case Image.Directory(Path path) -> RootDirectory.of(path);
            case Image.OciLayout(Path path, Optional<String> reference) -> {
                try (var reader = new OciLayoutReader(path)) {
                    yield unpacked(reader.read(reference), listener);
                }
            }
            case Image.DockerArchive(Path file, Optional<String> reference) -> {
                try (var reader = new DockerArchiveReader(file)) {
                    yield unpacked(reader.read(reference), listener);
                }
            }
            case Image.Named(ImageReference reference) -> named(reference, listener);
            case Image.Snapshot(SnapshotName name) -> snapshots().resolve(name);
        });
    }

    /// Another process may remove the image meanwhile, and give its name to another one.
    private Rootfs named(ImageReference reference, ProgressListener listener) throws IOException {
        while (true) {
            StoredImage image = stored(reference);
            try {
                return content.read(image, packed -> unpacked(packed, listener));
            } catch (ImageException e) {
                if (e.reason() != Code.NOT_FOUND || content.images().contains(image)) {
                    throw e;
                }
            }
        }
    }

    private StoredImage stored(ImageReference reference) {
        return content.find(reference)
                .orElseThrow(() -> new ImageException(
                        Code.NOT_FOUND,
                        "image " + reference + " is not in the store: fetch it with \"caisson pull " + reference
                                + "\""));
    }

    /// Returns the snapshots of containers.
    public StoredSnapshots snapshots() {
        return new StoredSnapshots(snapshots, trees, this::host, RootDirectory::of);
    }

    // ---- images that were pulled

    /// Returns the images that were pulled, in the order of their pulls.
    public List<StoredImage> images() {
        return StoreFailures.guarded("the list of images", content::images);
    }

    /// Finds an image that was pulled.
    public Optional<StoredImage> find(ImageReference reference) {
        return StoreFailures.guarded(reference.toString(), () -> content.find(reference));
    }

    /// Describes an image of the store, without unpacking it.
    public ImageDescription describe(StoredImage image) {
        return StoreFailures.guarded(image.repository(), () -> content.describe(image));
    }

    /// Returns the configuration of an image of the store as it lies there, JSON of the OCI image specification.
    public byte[] config(StoredImage image) {
        return StoreFailures.guarded(image.repository(), () -> content.config(image));
    }

    /// Returns the layers of an image of the store, lowest first.
    public List<ImageLayer> layers(StoredImage image) {
        return StoreFailures.guarded(image.repository(), () -> {
            List<Digest> diffIds = content.packedConfig(image).diffIds();
            List<Descriptor> blobs = content.manifest(image).layers();
            var layers = new ArrayList<ImageLayer>();
            for (int i = 0; i < Math.min(diffIds.size(), blobs.size()); i++) {
                layers.add(new ImageLayer(
                        diffIds.get(i), blobs.get(i).digest(), blobs.get(i).size()));
            }
            return List.copyOf(layers);
        });
    }

    /// Compares what the store has of an image with its digests: each blob, and each unpacked layer with what its
    /// archive unpacks to beside it. Needs room for the largest layer once more.
    public ImageCheck check(StoredImage image) {
        return StoreFailures.guarded(image.repository(), () -> {
            try (Fd _ = content.keepBlobs()) {
                return new BlobCheck(content, trees, image).run();
            }
        });
    }

    /// Gives the layers of an image of the store to `use`, without unpacking them to the disk.
    /// @throws ImageException in any of its codes
    public void readLayers(StoredImage image, LayerUse use) {
        StoreFailures.guarded(
                image.repository(),
                () -> content.read(image, packed -> {
                    packed.readLayers(use);
                    return image;
                }));
    }

    /// Gives an image's manifest to `use`, and what its index has beside it: statements, their manifests, and the index
    /// itself.
    public void readBeside(StoredImage image, BlobUse use) {
        StoreFailures.guarded(image.repository(), () -> {
            content.readBeside(image, use);
            return image;
        });
    }

    /// Opens an image's files, which are unpacked first if they were not.
    /// @throws ImageException in any of its codes; BAD_NAME for `host`, which has no tree of its own
    public ImageTree tree(Image image, ProgressListener listener) {
        if (image instanceof Image.Host) {
            throw new ImageException(Code.BAD_NAME, "host has no files of its own; name an image");
        }
        return StoreFailures.guarded(image.toString(), () -> ImageTree.of(resolve(image, listener)));
    }

    /// Returns the statements about an image that are in its index.
    public List<byte[]> statements(StoredImage image) {
        return StoreFailures.guarded(image.repository(), () -> content.statements(image));
    }

    /// Adds an image that was made here.
    ///
    /// @param base the image whose layers are below; empty for one of new layers only
    /// @param layers new ones, lowest first
    /// @param config gets the digests of the new layers' uncompressed archives, in order, and returns the whole
    ///     configuration, JSON of the OCI image specification
    /// @param name with a tag and no digest; an image that had it stays without a name
    /// @throws ImageException BAD_MANIFEST if the configuration does not fit the layers; in any other of its codes
    public StoredImage make(
            Optional<StoredImage> base,
            List<NewLayer> layers,
            Function<List<Digest>, byte[]> config,
            ImageReference name) {
        return make(base, layers, config, name, ImageNotes.none());
    }

    /// Like the other, with annotations and a statement about it.
    public StoredImage make(
            Optional<StoredImage> base,
            List<NewLayer> layers,
            Function<List<Digest>, byte[]> config,
            ImageReference name,
            ImageNotes notes) {
        requireTag(name);
        return StoreFailures.guarded(
                name.toString(),
                () -> new NewImage(content).make(base, layers, config, name.fullRepository(), name.tag(), notes));
    }

    /// Like [#make], without a name.
    public StoredImage makeUnnamed(
            Optional<StoredImage> base, List<NewLayer> layers, Function<List<Digest>, byte[]> config) {
        return StoreFailures.guarded(
                "the new image",
                () -> new NewImage(content)
                        .make(base, layers, config, "localhost/committed", Optional.empty(), ImageNotes.none()));
    }

    /// Adds an image of one layer: a tar archive of a root file system, which may be compressed with gzip, zstd, xz
    /// or bzip2.
    ///
    /// @param shown what messages call the archive
    /// @param layer gets the layer, and returns what is stored, as one that fails while it is written
    /// @param config as in [#make]
    /// @param name with a tag; empty for an image without a name
    public StoredImage importRoot(
            InputStream archive,
            String shown,
            UnaryOperator<NewLayer> layer,
            Function<List<Digest>, byte[]> config,
            Optional<ImageReference> name) {
        name.ifPresent(ImageStore::requireTag);
        var layers = List.of(layer.apply(new NewLayer(new RootImport(archive, shown), true)));
        return StoreFailures.guarded(shown, () -> {
            try {
                return new NewImage(content)
                        .make(
                                Optional.empty(),
                                layers,
                                config,
                                name.map(ImageReference::fullRepository).orElse("localhost/imported"),
                                name.flatMap(ImageReference::tag),
                                ImageNotes.none());
            } catch (IOException | RuntimeException e) {
                content.removeLeft();
                throw e;
            }
        });
    }

    /// Adds the images of an archive: one of `docker save`, or a packed OCI layout, which may be compressed with
    /// gzip, zstd, xz or bzip2. All of them, or none.
    ///
    /// @param shown what messages call the archive
    /// @param wanted platform of the image that is taken where the archive has those of several
    /// @param check fails for images that may not be there; they can be read, and are not on the store's list yet
    /// @return an entry for each name; one without a tag for an image that the archive has no name for
    public List<StoredImage> load(
            InputStream archive, String shown, Platform wanted, Consumer<List<StoredImage>> check) {
        return StoreFailures.guarded(shown, () -> ImageLoad.load(content, archive, shown, wanted, check));
    }

    /// Writes images as one archive. The same images under the same names make the same bytes.
    ///
    /// @param images with the names that they have in the archive; none for an image without a tag
    /// @throws IOException what the stream throws
    public void save(List<StoredImage> images, ArchiveForm form, OutputStream to) throws IOException {
        try (Fd _ = content.keepBlobs()) {
            ImageArchive.write(content, images, form, to);
        }
    }

    private static void requireTag(ImageReference name) {
        if (name.tag().isEmpty() || name.digest().isPresent()) {
            throw new ImageException(
                    Code.BAD_NAME, name + " cannot be given to an image: write REPOSITORY:TAG without a digest");
        }
        if (ID.matcher(name.shortRepository()).matches()) {
            throw new ImageException(
                    Code.BAD_NAME,
                    name + " cannot be given to an image: its 64 digits are an id's; write another name");
        }
    }

    /// Copies an image from its registry into the store: its manifest for this machine's platform, its
    /// configuration and its layers, each compared with its digest. Blobs that the store has are not fetched
    /// again; the manifest always is, because a tag may have moved.
    ///
    /// @throws ImageException in any of its codes
    /// @throws dev.caisson.error.CaissonException with a code that begins with REGISTRY if the registry does not
    ///     give it
    public StoredImage pull(ImageReference reference, RegistryLogins logins, PullListener listener) {
        return pull(reference, Platform.running(), logins, listener);
    }

    /// Like the other, for another platform, whether its programs run here or not.
    public StoredImage pull(ImageReference reference, Platform wanted, RegistryLogins logins, PullListener listener) {
        return StoreFailures.guarded(
                reference.toString(), () -> ImagePull.pull(content, reference, wanted, logins.credentials(), listener));
    }

    /// Returns what shares layers of builds with other machines.
    public LayerCaches caches() {
        return new LayerCaches(content);
    }

    /// Copies an image of the store to the registry of its name. What is there already is not sent again.
    ///
    /// @param image with a tag
    /// @throws ImageException in any of its codes
    /// @throws dev.caisson.error.CaissonException with a code that begins with REGISTRY if the registry does not
    ///     take it
    public void push(StoredImage image, RegistryLogins logins, PullListener listener) {
        StoreFailures.guarded(image.name(), () -> {
            ImagePush.push(content, image, logins.credentials(), listener);
            return image;
        });
    }

    /// Gives an image another name too; one that had it before stays without a name.
    /// @param name with a tag and no digest
    public StoredImage tag(StoredImage image, ImageReference name) {
        requireTag(name);
        StoredImage tagged = image.called(name.fullRepository(), name.tag());
        return StoreFailures.guarded(name.toString(), () -> {
            content.add(tagged);
            return tagged;
        });
    }

    /// Takes an image's name, and leaves the image without one.
    public void untag(StoredImage image) {
        StoreFailures.guarded(image.repository(), () -> {
            content.untag(image);
            return image;
        });
    }

    /// Takes images off the list, with the blobs and unpacked layers that no other image has. What a container has
    /// open stays.
    public void remove(Set<StoredImage> images) {
        StoreFailures.guarded("the list of images", () -> {
            removal.remove(images);
            return images;
        });
    }

    /// Removes blobs that no image has, which a killed process may have left, and unpacked layers that no image
    /// of the list has and nobody has open. Those of layouts and archives, which are on no list, are unpacked again
    /// when they are run.
    public void removeUnused() {
        StoreFailures.guarded("the unpacked layers", () -> {
            removal.removeUnused();
            return removal;
        });
    }

    /// Returns the bytes of each unpacked layer, by the digest of its layers up to there. Looks at every file.
    Map<String, Long> unpackedSizes() {
        return trees.sizes();
    }

    /// Returns the room that images take. Looks at every file.
    public ImageSizes sizes() {
        return StoreFailures.guarded("the image store", () -> ImageSizes.read(content, trees));
    }

    private Rootfs unpacked(PackedImage image, ProgressListener listener) {
        return new Rootfs(trees.obtain(image, listener), image.config(), Optional.of(image.id()), List.of());
    }

    private Rootfs host() {
        HostSkeleton.Snapshot snapshot = host.snapshot();
        Layer layer = skeletons.obtain(snapshot.version(), (tree, _) -> host.write(snapshot.version(), tree));
        return new Rootfs(List.of(layer), ImageConfig.plain(List.of("sh")), Optional.empty(), snapshot.binds());
    }

    @Override
    public void close() {
        skeletons.close();
        trees.close();
        content.close();
        snapshots.close();
    }
}
