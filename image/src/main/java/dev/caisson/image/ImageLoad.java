package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.ManifestDocument.Index;
import dev.caisson.linux.Fd;
import dev.caisson.text.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads an archive of images into the store: that of `docker save`, or a packed OCI layout. It is read once,
/// forwards: each file becomes a blob under the digest of what it has, whatever it is called, and the documents
/// are read from the blobs. No image is on the store's list before all of them have been checked.
final class ImageLoad {
    /// The repository of images that the archive has no name for.
    static final String UNNAMED = "localhost/loaded";

    private static final int MOST_MEMBERS = 10_000;
    private static final int LARGEST_DOCUMENT = 4 << 20;
    private static final int MOST_IMAGES = 1000;
    private static final int MAGIC = 4;
    private static final String INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
    private static final Pattern BLOB = Pattern.compile("blobs/sha256/([0-9a-f]{64})");
    private static final Pattern CONFIG = Pattern.compile("(?:blobs/sha256/)?([0-9a-f]{64})(?:\\.json)?");
    private static final List<String> NAMES = List.of("io.containerd.image.name", "org.opencontainers.image.ref.name");

    private final ContentStore store;
    private final String shown;
    private final Platform wanted;
    private final ArchiveNames<Descriptor> members;

    private ImageLoad(ContentStore store, String shown, Platform wanted) {
        this.store = store;
        this.wanted = wanted;
        this.shown = shown;
        this.members = new ArchiveNames<>(shown, MOST_MEMBERS);
    }

    /// Reads an archive.
    /// @param shown what messages call the archive
    /// @param wanted platform of the image that is taken where there are several
    /// @param check fails for images that may not be there
    /// @return an entry for each name, in the archive's order
    static List<StoredImage> load(
            ContentStore store, InputStream archive, String shown, Platform wanted, Consumer<List<StoredImage>> check)
            throws IOException {
        try (Fd _ = store.keepBlobs()) {
            var load = new ImageLoad(store, shown, wanted);
            load.read(archive);
            List<StoredImage> images = load.images();
            check.accept(images);
            images.forEach(store::add);
            return images;
        } finally {
            store.removeLeft();
        }
    }

    private void read(InputStream archive) throws IOException {
        var bounded = new BoundedArchive(archive, shown);
        var reader = new TarReader(bounded, UnpackLimits.DEFAULT);
        for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
            TarEntry entry = next.orElseThrow();
            if (!members.accepts(entry)) {
                continue;
            }
            try (var blob = new BlobWriter(store.blobs())) {
                if (entry.kind() == TarEntry.Kind.FILE) {
                    reader.content((bytes, length, _) -> blob.write(bytes, 0, length));
                    members.add(entry, blob.finish(""));
                } else {
                    members.add(entry, new Descriptor("", Digest.of(new byte[0]), 0, Optional.empty(), Map.of()));
                }
            }
        }
    }

    private List<StoredImage> images() throws IOException {
        List<StoredImage> images;
        if (members.has("index.json")) {
            images = ofLayout();
        } else if (members.has("manifest.json")) {
            images = ofDocker();
        } else {
            throw new ImageException(
                    Code.BAD_MANIFEST,
                    shown + " has neither manifest.json nor index.json; give what docker save, podman save or skopeo"
                            + " wrote, and what docker export wrote to 'caisson import'");
        }
        if (images.isEmpty()) {
            throw members.bad("has no image");
        }
        for (StoredImage image : images) {
            Emulation.requireHere(store.describe(image).config().platform());
        }
        return images;
    }

    // ---- a packed OCI layout

    private List<StoredImage> ofLayout() throws IOException {
        String version = JsonObject.parse("the layout's version", document("oci-layout", "the layout's version"))
                .required("imageLayoutVersion");
        if (!version.startsWith("1.")) {
            throw members.bad("is an OCI layout of version " + Quoted.of(version));
        }
        var index = (Index) ManifestDocument.parse(INDEX_TYPE, document("index.json", "the index"));
        requireFew(index.manifests().size());
        var images = new ArrayList<StoredImage>();
        try (OciLayoutReader reader = store.reader()) {
            for (Descriptor entry : index.manifests()) {
                images.add(image(reader, entry));
            }
            if (members.has("manifest.json")) {
                requireSame(reader, images);
            }
        }
        return images;
    }

    private StoredImage image(OciLayoutReader reader, Descriptor entry) throws IOException {
        requirePresent(entry);
        Optional<ForeignStatements> statements = reader.statements(entry, wanted);
        Descriptor manifest = statements.map(ForeignStatements::image).orElse(entry);
        requirePresent(manifest);
        ManifestDocument.Manifest document = reader.manifestOf(manifest);
        requirePresent(document.config());
        document.layers().forEach(this::requirePresent);
        Optional<ImageReference> name = name(entry);
        var image = new StoredImage(
                name.map(ImageReference::fullRepository).orElse(UNNAMED),
                name.flatMap(ImageReference::tag),
                manifest.digest(),
                entry.digest(),
                manifest.mediaType(),
                manifest.size(),
                System.currentTimeMillis());
        return statements.isPresent() ? ForeignStatements.in(image, kept(reader, statements.get())) : image;
    }

    /// Stores the index of an image and the statements about it; empty if the archive lacks a part of them.
    private Optional<ImageIndex> kept(OciLayoutReader reader, ForeignStatements statements) throws IOException {
        var manifests = new ArrayList<ManifestDocument.Manifest>();
        for (Descriptor statement : statements.manifests()) {
            if (!has(statement)) {
                return Optional.empty();
            }
            manifests.add(ForeignStatements.manifest(statement, reader.document(statement)));
        }
        if (manifests.isEmpty() || !statements.blobs(manifests).stream().allMatch(this::has)) {
            return Optional.empty();
        }
        return Optional.of(statements.keep(new NewImage(store), reader.document(statements.origin())));
    }

    /// @throws ImageException if it is another than its name says
    private boolean has(Descriptor blob) {
        boolean isThere = members.has("blobs/sha256/" + blob.digest().hex());
        if (isThere) {
            requirePresent(blob);
        }
        return isThere;
    }

    /// What the store happens to have is not of the archive.
    private void requirePresent(Descriptor blob) {
        String name = "blobs/sha256/" + blob.digest().hex();
        if (!members.has(name)) {
            throw members.bad("has no " + name);
        }
        Descriptor found = members.get(name);
        if (!found.digest().equals(blob.digest()) || found.size() != blob.size()) {
            throw mismatch(name);
        }
    }

    private ImageException mismatch(String name) {
        return new ImageException(
                Code.DIGEST_MISMATCH, Quoted.of(name) + " in " + shown + " is not what its name says; save it again");
    }

    /// A reference without a repository, as a tag alone, is no name.
    private static Optional<ImageReference> name(Descriptor entry) {
        for (String key : NAMES) {
            String text = entry.annotations().getOrDefault(key, "");
            if (text.indexOf(':') > 0 || text.indexOf('/') > 0) {
                return Optional.of(ImageReference.parse(text))
                        .filter(name -> name.tag().isPresent());
            }
        }
        return Optional.empty();
    }

    /// An archive with the documents of both forms has the same images in both, or two readers would see two
    /// things.
    private void requireSame(OciLayoutReader reader, List<StoredImage> images) throws IOException {
        Set<Digest> configs = new HashSet<>();
        for (StoredImage image : images) {
            configs.add(
                    reader.manifestOf(ContentStore.descriptor(image)).config().digest());
        }
        Set<Digest> others = new HashSet<>();
        for (JsonObject image : dockerImages()) {
            others.add(members.get(ArchiveNames.normalized(image.required("Config")))
                    .digest());
        }
        if (!configs.equals(others)) {
            throw members.bad("has other images in manifest.json than in index.json");
        }
    }

    // ---- an archive of docker save

    private List<JsonObject> dockerImages() throws IOException {
        List<JsonObject> images = JsonObject.parseArray("the manifest", document("manifest.json", "the manifest"));
        requireFew(images.size());
        return images;
    }

    private void requireFew(int images) {
        if (images > MOST_IMAGES) {
            throw new ImageException(Code.TOO_LARGE, shown + " has more than " + MOST_IMAGES + " images");
        }
    }

    private List<StoredImage> ofDocker() throws IOException {
        var images = new ArrayList<StoredImage>();
        for (JsonObject image : dockerImages()) {
            String configName = ArchiveNames.normalized(image.required("Config"));
            Descriptor found = members.get(configName);
            Matcher named = CONFIG.matcher(configName);
            if (named.matches() && !named.group(1).equals(found.digest().hex())) {
                throw mismatch(configName);
            }
            PackedConfig config = PackedConfig.parse(content(found, "the configuration"));
            List<String> layers = image.strings("Layers");
            if (layers.size() != config.diffIds().size()) {
                throw members.bad("lists " + layers.size() + " layers, and its configuration "
                        + config.diffIds().size());
            }
            var blobs = new ArrayList<Descriptor>();
            for (int i = 0; i < layers.size(); i++) {
                blobs.add(layer(
                        ArchiveNames.normalized(layers.get(i)), config.diffIds().get(i)));
            }
            images.addAll(named(typed(NewImage.CONFIG, found), blobs, image.strings("RepoTags")));
        }
        return images;
    }

    private List<StoredImage> named(Descriptor config, List<Descriptor> layers, List<String> tags) throws IOException {
        StoredImage image = new NewImage(store).manifest(config, layers, UNNAMED, Optional.empty());
        if (tags.isEmpty()) {
            return List.of(image);
        }
        return tags.stream()
                .map(ImageReference::parse)
                .map(name -> image.called(name.fullRepository(), name.tag()))
                .toList();
    }

    /// An uncompressed layer is compared with the configuration here; a compressed one when it is unpacked.
    private Descriptor layer(String name, Digest diffId) throws IOException {
        Descriptor blob = members.get(name);
        Matcher named = BLOB.matcher(name);
        if (named.matches() && !named.group(1).equals(blob.digest().hex())) {
            throw mismatch(name);
        }
        byte[] magic;
        try (OciLayoutReader reader = store.reader();
                FileSlice slice = reader.content(blob)) {
            magic = slice.readNBytes(MAGIC);
        }
        boolean isGzip = magic.length >= 2 && (magic[0] & 0xff) == 0x1f && (magic[1] & 0xff) == 0x8b;
        boolean isZstd = magic.length == MAGIC && magic[0] == 0x28 && (magic[1] & 0xff) == 0xb5;
        if (!isGzip && !isZstd && !blob.digest().equals(diffId)) {
            throw mismatch(name);
        }
        return typed(NewImage.TAR + (isGzip ? "+gzip" : isZstd ? "+zstd" : ""), blob);
    }

    private static Descriptor typed(String mediaType, Descriptor blob) {
        return new Descriptor(mediaType, blob.digest(), blob.size(), Optional.empty(), Map.of());
    }

    private byte[] document(String name, String what) throws IOException {
        return content(members.get(name), what);
    }

    private byte[] content(Descriptor blob, String what) throws IOException {
        try (OciLayoutReader reader = store.reader();
                FileSlice slice = reader.content(blob)) {
            return slice.readDocument(what, LARGEST_DOCUMENT);
        }
    }
}
