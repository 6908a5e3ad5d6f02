package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.ManifestDocument.Index;
import dev.caisson.image.ManifestDocument.Manifest;
import dev.caisson.image.PackedImage.PackedLayer;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.StampedFiles;
import dev.caisson.text.Quoted;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// Reads an OCI image layout: a directory with `oci-layout`, `index.json` and `blobs/sha256/…`. Every document is
/// read whole, compared with its digest and size, and only then parsed.
final class OciLayoutReader implements AutoCloseable {
    private static final int LARGEST_DOCUMENT = 4 << 20;
    private static final int DEEPEST_INDEX = 4;
    private static final String REFERENCE = "org.opencontainers.image.ref.name";
    private static final String INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

    private static final String BLOBS = "blobs/sha256/";
    /// A larger document is read each time, so that images cannot fill the memory of a resident engine.
    private static final int MOST_KNOWN = 32 << 10;

    private static final StampedFiles<LayoutDocument> KNOWN = new StampedFiles<>(256);

    private final Path path;
    private final Fd layout;
    private final boolean remembers;

    OciLayoutReader(Path path) {
        this(path, false);
    }

    /// @param remembers whether a document that this process has compared with its digest is taken as it was,
    ///     for as long as its file has not changed; only where nobody else can write
    OciLayoutReader(Path path, boolean remembers) {
        this.remembers = remembers;
        this.path = path;
        try {
            this.layout = FileSystem.open(path.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY);
        } catch (ErrnoException e) {
            throw new ImageException(
                    e.is(Errno.ENOENT) ? Code.NOT_FOUND : Code.NOT_A_DIRECTORY,
                    path + " cannot be opened as an OCI layout (" + Errno.name(e.errno()) + "); name its directory",
                    e);
        }
    }

    PackedImage read(Optional<String> reference) throws IOException {
        checkVersion();
        byte[] index = document("index.json", "the index");
        var top = (Index) ManifestDocument.parse(INDEX_TYPE, index);
        Descriptor chosen = reference.isPresent()
                ? named(top, reference.orElseThrow())
                : only(top.manifests(), "the layout " + path);
        return manifest(chosen, 1);
    }

    /// Returns the one manifest of the layout.
    Descriptor only() throws IOException {
        checkVersion();
        var top = (Index) ManifestDocument.parse(INDEX_TYPE, document("index.json", "the index"));
        return only(top.manifests(), "the layout " + path);
    }

    /// Reads an index, a manifest or a statement as it lies there.
    byte[] document(Descriptor document) throws IOException {
        return blob(document, "the document").content();
    }

    /// Reads one image by its descriptor.
    PackedImage read(Descriptor image) throws IOException {
        return manifest(image, 1);
    }

    /// Returns the manifest for a platform with the index that names it; empty if `image` is no index.
    Optional<ForeignStatements> statements(Descriptor image, Platform wanted) throws IOException {
        Optional<ForeignStatements> found = Optional.empty();
        Descriptor chosen = image;
        for (int depth = 1; depth <= DEEPEST_INDEX; depth++) {
            if (!(blob(chosen, "the manifest").manifest(chosen.mediaType()) instanceof Index index)) {
                return found;
            }
            Descriptor origin = chosen;
            chosen = only(index.manifests(), "the index " + chosen.digest(), wanted);
            found = Optional.of(new ForeignStatements(chosen, origin, index));
        }
        throw new ImageException(Code.BAD_MANIFEST, "the image has indexes in indexes without end");
    }

    /// Opens a blob.
    FileSlice content(Descriptor blob) throws IOException {
        return open(blob);
    }

    /// Returns the digests of all that belongs to an image of one platform: manifest, configuration, layers.
    List<Digest> blobs(Descriptor image) throws IOException {
        Manifest manifest = manifestOf(image);
        var digests = new ArrayList<Digest>();
        digests.add(image.digest());
        digests.add(manifest.config().digest());
        manifest.layers().forEach(layer -> digests.add(layer.digest()));
        return digests;
    }

    /// Returns what an index names beside its image, and the index itself.
    StatementParts statements(ImageIndex index) throws IOException {
        var blobs = new ArrayList<Descriptor>();
        var manifests = new ArrayList<Descriptor>();
        if (blob(index.descriptor(), "the index").manifest(ImageIndex.MEDIA_TYPE) instanceof Index own) {
            for (Descriptor one : own.manifests()) {
                if (ForeignStatements.isOne(one)) {
                    Manifest manifest = manifestOf(one);
                    blobs.add(manifest.config());
                    blobs.addAll(manifest.layers());
                    manifests.add(one);
                }
            }
        }
        return new StatementParts(blobs, manifests, index.descriptor());
    }

    /// Reads the manifest of an image of one platform.
    Manifest manifestOf(Descriptor image) throws IOException {
        if (blob(image, "the manifest").manifest(image.mediaType()) instanceof Manifest manifest) {
            return manifest;
        }
        throw new ImageException(Code.BAD_MANIFEST, "the image " + image.digest() + " is an index");
    }

    /// Reads the configuration of an image of one platform.
    LayoutDocument configOf(Descriptor image) throws IOException {
        return blob(manifestOf(image).config(), "the configuration");
    }

    /// Describes one image of one platform; reads none of its layers.
    ImageDescription describe(Descriptor image) throws IOException {
        Manifest manifest = manifestOf(image);
        PackedConfig config = blob(manifest.config(), "the configuration").config();
        long bytes = image.size() + manifest.config().size();
        for (Descriptor layer : manifest.layers()) {
            bytes += layer.size();
        }
        return new ImageDescription(
                manifest.config().digest(),
                config.created(),
                bytes,
                manifest.layers().size(),
                config.config());
    }

    private void checkVersion() throws IOException {
        byte[] content = document("oci-layout", "the layout's version");
        String version = JsonObject.parse("the layout's version", content).required("imageLayoutVersion");
        if (!version.startsWith("1.")) {
            throw new ImageException(
                    Code.UNSUPPORTED_FORMAT,
                    "the layout " + path + " is of version " + Quoted.of(version) + "; 1.0.0 is read");
        }
    }

    private Descriptor named(Index index, String reference) {
        List<Descriptor> fitting = index.manifests().stream()
                .filter(manifest -> reference.equals(manifest.annotations().get(REFERENCE)))
                .toList();
        if (fitting.isEmpty()) {
            throw new ImageException(
                    Code.NOT_FOUND,
                    "the layout " + path + " has no image " + Quoted.of(reference) + "; it has "
                            + names(index.manifests()));
        }
        return only(fitting, Quoted.of(reference) + " in the layout " + path);
    }

    /// The one image among `manifests`, or the one of them that runs here.
    static Descriptor only(List<Descriptor> manifests, String where) {
        return only(manifests, where, Platform.running());
    }

    /// The one image among `manifests`, or the one of them for a platform.
    static Descriptor only(List<Descriptor> manifests, String where, Platform wanted) {
        var distinct = new LinkedHashMap<Digest, Descriptor>();
        manifests.forEach(manifest -> distinct.putIfAbsent(manifest.digest(), manifest));
        List<Descriptor> fitting = List.copyOf(distinct.values());
        if (fitting.size() > 1
                || fitting.stream().anyMatch(manifest -> manifest.platform().isPresent())) {
            fitting = fitting.stream()
                    .filter(manifest ->
                            manifest.platform().filter(one -> one.fits(wanted)).isPresent())
                    .toList();
            if (fitting.isEmpty()
                    && distinct.values().stream()
                            .anyMatch(manifest -> manifest.platform().isPresent())) {
                throw new ImageException(
                        Code.PLATFORM_MISSING,
                        where + " has no image for " + wanted + "; it has " + platforms(distinct.values()));
            }
        }
        if (fitting.size() == 1) {
            return fitting.getFirst();
        }
        if (distinct.isEmpty()) {
            throw new ImageException(Code.NOT_FOUND, where + " has no image; fetch or build one into it");
        }
        throw new ImageException(
                Code.AMBIGUOUS_REFERENCE, where + " has several images; name the one to take: " + names(manifests));
    }

    private static String platforms(Collection<Descriptor> manifests) {
        return manifests.stream()
                .flatMap(manifest -> manifest.platform().stream())
                .map(Platform::toString)
                .filter(platform -> !platform.startsWith("unknown/")) // a statement about an image
                .distinct()
                .limit(20)
                .map(Quoted::of)
                .collect(Collectors.collectingAndThen(
                        Collectors.joining(", "), list -> list.isEmpty() ? "none for a known one" : list));
    }

    private static String names(List<Descriptor> manifests) {
        List<String> names = manifests.stream()
                .map(manifest -> manifest.annotations().getOrDefault(REFERENCE, ""))
                .filter(name -> !name.isEmpty())
                .distinct()
                .limit(20)
                .map(Quoted::of)
                .toList();
        return names.isEmpty() ? "none with a name" : String.join(", ", names);
    }

    private PackedImage manifest(Descriptor descriptor, int depth) throws IOException {
        if (depth > DEEPEST_INDEX) {
            throw new ImageException(Code.BAD_MANIFEST, "the image has indexes in indexes without end");
        }
        return switch (blob(descriptor, "the manifest").manifest(descriptor.mediaType())) {
            case Index index -> manifest(only(index.manifests(), "the index " + descriptor.digest()), depth + 1);
            case Manifest manifest -> image(descriptor.digest(), manifest);
        };
    }

    private PackedImage image(Digest id, Manifest manifest) throws IOException {
        if (!MediaType.isConfig(manifest.config().mediaType())) {
            throw new ImageException(
                    Code.UNSUPPORTED_FORMAT,
                    id + " is " + Quoted.of(manifest.config().mediaType()) + ", not the image of a container");
        }
        PackedConfig config = blob(manifest.config(), "the configuration").config();
        List<Descriptor> layers = manifest.layers();
        config.requireLayers(layers.size());
        var packed = new ArrayList<PackedLayer>();
        for (int i = 0; i < layers.size(); i++) {
            Descriptor layer = layers.get(i);
            if (!MediaType.isLayer(layer.mediaType())) {
                throw new ImageException(
                        Code.UNSUPPORTED_FORMAT, "the image has a layer of type " + Quoted.of(layer.mediaType()));
            }
            packed.add(new PackedLayer(
                    config.diffIds().get(i),
                    Optional.of(layer.digest()),
                    layer.digest().hex(),
                    layer.size(),
                    () -> open(layer)));
        }
        return new PackedImage(id, config.config(), config.healthCheck(), packed);
    }

    private LayoutDocument blob(Descriptor descriptor, String what) throws IOException {
        if (!remembers) {
            return compared(descriptor, what);
        }
        Instant seen = Instant.now();
        Optional<FileStatus> status =
                FileSystem.findStatus(layout, BLOBS + descriptor.digest().hex());
        Optional<LayoutDocument> known = status.flatMap(KNOWN::find).filter(document -> document.isOf(descriptor));
        if (known.isPresent()) {
            return known.get();
        }
        LayoutDocument document = compared(descriptor, what);
        if (status.isPresent() && descriptor.size() <= MOST_KNOWN) {
            KNOWN.remember(status.get(), seen, document);
        }
        return document;
    }

    private LayoutDocument compared(Descriptor descriptor, String what) throws IOException {
        byte[] content;
        try (FileSlice slice = open(descriptor)) {
            content = slice.readDocument(what, LARGEST_DOCUMENT);
        }
        Digest found = Digest.of(content);
        if (!found.equals(descriptor.digest())) {
            throw new ImageException(
                    Code.DIGEST_MISMATCH,
                    what + " " + descriptor.digest() + " of the image is not what its digest says (" + found
                            + "); fetch the image again");
        }
        return new LayoutDocument(found, content);
    }

    private FileSlice open(Descriptor descriptor) throws IOException {
        FileSlice slice = open(BLOBS + descriptor.digest().hex());
        if (slice.size() != descriptor.size()) {
            slice.close();
            throw new ImageException(
                    Code.DIGEST_MISMATCH,
                    descriptor.digest() + " of the image has " + slice.size() + " bytes and should have "
                            + descriptor.size() + "; fetch the image again");
        }
        return slice;
    }

    private byte[] document(String name, String what) throws IOException {
        try (FileSlice slice = open(name)) {
            return slice.readDocument(what, LARGEST_DOCUMENT);
        }
    }

    private FileSlice open(String name) throws IOException {
        long within = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_MAGICLINKS;
        try (Fd found = FileSystem.openAt(layout, name, FileSystem.O_PATH, 0, within)) {
            FileStatus status = FileSystem.status(found);
            if (!status.isRegularFile()) {
                throw new ImageException(
                        Code.BAD_MANIFEST, path + "/" + name + " is no regular file; fetch the image again");
            }
            var channel = FileChannel.open(Path.of("/proc/self/fd/" + found.number()), StandardOpenOption.READ);
            return FileSlice.whole(channel, status.size());
        } catch (ErrnoException e) {
            throw new ImageException(
                    Code.NOT_FOUND,
                    path + "/" + name + " cannot be opened (" + Errno.name(e.errno()) + "); is " + path
                            + " an OCI layout, and complete?",
                    e);
        }
    }

    @Override
    public void close() {
        layout.close();
    }
}
