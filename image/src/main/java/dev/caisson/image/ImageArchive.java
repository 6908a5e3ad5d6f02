package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Writes images of the store as one archive. The same images under the same names make the same bytes: members
/// stand in the order of their names, belong to root, and have no time. Every blob is compared with its digest
/// while it is written.
final class ImageArchive {
    private static final TarWriter.Attributes FILE = new TarWriter.Attributes(0644, 0, 0, Instant.EPOCH);
    private static final TarWriter.Attributes DIRECTORY = new TarWriter.Attributes(0755, 0, 0, Instant.EPOCH);
    private static final String BLOBS = "blobs/sha256";
    private static final int BUFFER = 128 << 10;

    private final OciLayoutReader reader;
    private final TarWriter tar;
    /// The names of each image, by its manifest.
    private final Map<Digest, List<ImageReference>> names = new LinkedHashMap<>();

    private final Map<Digest, StoredImage> images = new LinkedHashMap<>();

    private ImageArchive(OciLayoutReader reader, OutputStream to) {
        this.reader = reader;
        this.tar = new TarWriter(to);
    }

    /// @param images with the names that they have in the archive; none for an image without a tag
    static void write(ContentStore store, List<StoredImage> images, ArchiveForm form, OutputStream to)
            throws IOException {
        try (var reader = store.reader()) {
            var archive = new ImageArchive(reader, to);
            images.forEach(archive::add);
            archive.write(form);
        }
    }

    private void add(StoredImage image) {
        images.putIfAbsent(image.manifest(), image);
        List<ImageReference> names = this.names.computeIfAbsent(image.manifest(), _ -> new ArrayList<>());
        image.tag()
                .map(tag -> ImageReference.parse(image.repository() + ":" + tag))
                .ifPresent(name -> {
                    if (!names.contains(name)) {
                        names.add(name);
                    }
                });
    }

    private void write(ArchiveForm form) throws IOException {
        var blobs = new TreeMap<Digest, Descriptor>();
        var manifests = new LinkedHashMap<StoredImage, ManifestDocument.Manifest>();
        for (StoredImage image : images.values()) {
            Descriptor own = ContentStore.descriptor(image);
            ManifestDocument.Manifest manifest = read(() -> reader.manifestOf(own));
            manifests.put(image, manifest);
            blobs.put(own.digest(), own);
            blobs.put(manifest.config().digest(), manifest.config());
            manifest.layers().forEach(layer -> blobs.put(layer.digest(), layer));
            if (form == ArchiveForm.OCI && image.index().isPresent()) {
                read(() -> reader.statements(image.index().get()))
                        .all()
                        .forEach(part -> blobs.put(part.digest(), part));
            }
        }
        tar.directory("blobs", DIRECTORY);
        tar.directory(BLOBS, DIRECTORY);
        for (Descriptor blob : blobs.values()) {
            blob(blob);
        }
        document("index.json", index(form));
        if (form == ArchiveForm.DOCKER) {
            document("manifest.json", dockerManifest(manifests));
        }
        document("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
        tar.finish();
    }

    /// Reads what lies in the store, whose failures are no failures of the archive.
    private interface Reading<T> {
        T read() throws IOException;
    }

    private static <T> T read(Reading<T> reading) {
        try {
            return reading.read();
        } catch (IOException e) {
            if (StoreFailures.isInterrupt(e)) {
                throw StoreFailures.interrupted("the image", e);
            }
            throw new ImageException(
                    Code.BAD_ARCHIVE, "a blob of the store cannot be read (" + e.getMessage() + "); pull it again", e);
        }
    }

    private void blob(Descriptor blob) throws IOException {
        MessageDigest hash = Digest.algorithm();
        try (FileSlice content = read(() -> reader.content(blob))) {
            tar.file(BLOBS + "/" + blob.digest().hex(), blob.size(), FILE);
            var buffer = new byte[BUFFER];
            while (true) {
                int count = read(() -> content.read(buffer, 0, buffer.length));
                if (count < 0) {
                    break;
                }
                hash.update(buffer, 0, count);
                tar.content(buffer, count);
            }
        }
        if (!Digest.finish(hash.digest()).equals(blob.digest())) {
            throw new ImageException(
                    Code.DIGEST_MISMATCH,
                    blob.digest() + " of the store is not what its digest says: see 'caisson image verify', and fetch"
                            + " the image again");
        }
    }

    private void document(String name, String text) throws IOException {
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        tar.file(name, content.length, FILE);
        tar.content(content, content.length);
    }

    /// Repositories, tags, media types and digests have no character that JSON would have to escape.
    private String index(ArchiveForm form) {
        var entries = new ArrayList<String>();
        for (StoredImage image : images.values()) {
            List<ImageReference> own = names.getOrDefault(image.manifest(), List.of());
            if (own.isEmpty()) {
                entries.add(entry(named(image, form), Optional.empty()));
            }
            own.forEach(name -> entries.add(entry(named(image, form), Optional.of(name))));
        }
        return entries.stream()
                .collect(Collectors.joining(
                        ",",
                        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[",
                        "]}"));
    }

    /// Returns the manifest that the archive's index names, or the index of the image and of statements about it.
    private static Descriptor named(StoredImage image, ArchiveForm form) {
        return image.index()
                .filter(_ -> form == ArchiveForm.OCI)
                .map(ImageIndex::descriptor)
                .orElseGet(() -> ContentStore.descriptor(image));
    }

    private static String entry(Descriptor image, Optional<ImageReference> name) {
        String full = name.map(it -> it.fullRepository() + ":" + it.tag().orElseThrow())
                .orElse("");
        String notes = full.isEmpty()
                ? ""
                : ",\"annotations\":{\"io.containerd.image.name\":\"" + full
                        + "\",\"org.opencontainers.image.ref.name\":\"" + full + "\"}";
        return String.format(
                Locale.ROOT,
                "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d%s}",
                image.mediaType(),
                image.digest(),
                image.size(),
                notes);
    }

    private String dockerManifest(Map<StoredImage, ManifestDocument.Manifest> manifests) {
        var entries = new ArrayList<String>();
        manifests.forEach((image, manifest) -> {
            String tags = names.getOrDefault(image.manifest(), List.of()).stream()
                    .map(name -> "\"" + name + "\"")
                    .collect(Collectors.joining(",", "[", "]"));
            String layers = manifest.layers().stream()
                    .map(layer -> "\"" + BLOBS + "/" + layer.digest().hex() + "\"")
                    .collect(Collectors.joining(",", "[", "]"));
            entries.add(
                    "{\"Config\":\"" + BLOBS + "/" + manifest.config().digest().hex() + "\",\"RepoTags\":"
                            + (tags.equals("[]") ? "null" : tags) + ",\"Layers\":" + layers + "}");
        });
        return "[" + String.join(",", entries) + "]";
    }
}
