package dev.caisson.image;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.PackedImage.PackedLayer;
import dev.caisson.image.registry.RegistryClient;
import dev.caisson.image.registry.RegistryUpload;
import dev.caisson.linux.Fd;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Shares layers of builds with other machines: writes them to a place outside the store, and takes them from there.
public final class LayerCaches {
    private static final String TAG = "latest";

    private final ContentStore content;

    LayerCaches(ContentStore content) {
        this.content = content;
    }

    /// Reads what a place has. Its layers are fetched when they are taken.
    /// @throws ImageException in any of its codes, and exceptions with a code that begins with REGISTRY
    public LayerCache open(CachePlace place) {
        present(place, "place");
        return StoreFailures.guarded(place.toString(), () -> LayerCache.open(place));
    }

    /// Adds an image of one more layer, which is fetched and compared with both of its digests.
    ///
    /// @param base empty for an image of this layer alone
    /// @param config the whole configuration
    /// @param check fails for images that may not be there
    /// @throws ImageException DIGEST_MISMATCH, and any other of its codes
    public StoredImage take(
            Optional<StoredImage> base,
            LayerCache from,
            Digest layer,
            byte[] config,
            ImageReference name,
            Consumer<List<StoredImage>> check) {
        return StoreFailures.guarded(name.toString(), () -> {
            try (Fd _ = content.keepBlobs()) {
                var made = new NewImage(content);
                var layers = new ArrayList<Descriptor>();
                if (base.isPresent()) {
                    layers.addAll(content.manifest(base.orElseThrow()).layers());
                }
                layers.add(from.fetch(layer, content));
                StoredImage image = made.unlisted(config, layers, name.fullRepository(), name.tag());
                content.read(image, LayerCaches::verifyLast);
                check.accept(List.of(image));
                content.add(image);
                return image;
            } catch (IOException | RuntimeException e) {
                content.removeLeft();
                throw e;
            }
        });
    }

    private static boolean verifyLast(PackedImage packed) {
        PackedLayer last = packed.layers().getLast();
        try (FileSlice slice = last.opening().open();
                var stream = new LayerStream(slice, UnpackBudget.of(packed))) {
            stream.verify(last);
            return true;
        } catch (IOException e) {
            throw new ImageException(
                    Code.BAD_ARCHIVE, "the layer " + last.diffId() + " cannot be read (" + e.getMessage() + ")", e);
        }
    }

    /// Writes a manifest of the last layer of each of these images, and the layers that the place lacks.
    ///
    /// @param configType media type of the configuration
    /// @throws ImageException TOO_LARGE for more layers than a manifest may have, or any other of its codes
    public void write(CachePlace place, String configType, byte[] config, List<StoredImage> images) {
        StoreFailures.guarded(place.toString(), () -> {
            try (Fd _ = content.keepBlobs()) {
                var layers = new LinkedHashMap<Digest, Descriptor>();
                for (StoredImage image : images) {
                    Descriptor layer = content.manifest(image).layers().getLast();
                    layers.put(layer.digest(), layer);
                }
                if (layers.size() > ManifestDocument.MOST_LAYERS) {
                    throw new ImageException(
                            Code.TOO_LARGE,
                            "the cache would have " + layers.size() + " layers; a manifest has at most "
                                    + ManifestDocument.MOST_LAYERS + ", so write that of the target alone");
                }
                var own = new Descriptor(configType, Digest.of(config), config.length, Optional.empty(), Map.of());
                byte[] manifest = NewImage.document(own, layers.values()).getBytes(StandardCharsets.UTF_8);
                switch (place) {
                    case CachePlace.InRegistry remote -> push(remote, own, config, layers.values(), manifest);
                    case CachePlace.InDirectory local -> save(local.path(), own, config, layers.values(), manifest);
                }
                return place;
            }
        });
    }

    private void push(
            CachePlace.InRegistry place, Descriptor own, byte[] config, Collection<Descriptor> layers, byte[] manifest)
            throws IOException {
        ImageReference reference = place.reference();
        try (var client =
                new RegistryClient(reference.registry(), place.logins().credentials())) {
            RegistryUpload upload = client.upload(reference.repository());
            for (Descriptor layer : layers) {
                if (!upload.has(layer.digest().toString())) {
                    push(layer, upload);
                }
            }
            if (!upload.has(own.digest().toString())) {
                upload.blob(
                        own.digest().toString(),
                        own.size(),
                        (from, count) -> new ByteArrayInputStream(config, (int) from, (int) count),
                        _ -> {});
            }
            upload.manifest(reference.tag().orElse(TAG), NewImage.MANIFEST, manifest);
        }
    }

    private void push(Descriptor layer, RegistryUpload upload) throws IOException {
        try (FileChannel channel = content.open(layer)) {
            upload.blob(
                    layer.digest().toString(),
                    layer.size(),
                    (from, count) -> FileSlice.part(channel, from, count),
                    _ -> {});
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /// The list of the layout is replaced last, by a rename: a write that breaks off leaves the cache of before.
    private void save(Path path, Descriptor own, byte[] config, Collection<Descriptor> layers, byte[] manifest)
            throws IOException {
        Path blobs = Files.createDirectories(path.resolve("blobs/sha256"));
        for (Descriptor layer : layers) {
            try (FileChannel channel = content.open(layer);
                    InputStream stored = FileSlice.part(channel, 0, layer.size())) {
                write(blobs, layer.digest(), layer.size(), stored);
            }
        }
        write(blobs, own.digest(), own.size(), new ByteArrayInputStream(config));
        Digest digest = Digest.of(manifest);
        write(blobs, digest, manifest.length, new ByteArrayInputStream(manifest));
        replace(path.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        replace(
                path.resolve("index.json"),
                String.format(
                        Locale.ROOT,
                        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[{"
                                + "\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d,\"annotations\":{"
                                + "\"org.opencontainers.image.ref.name\":\"%s\"}}]}",
                        NewImage.MANIFEST,
                        digest,
                        manifest.length,
                        TAG));
    }

    private static void write(Path blobs, Digest digest, long size, InputStream from) throws IOException {
        Path file = blobs.resolve(digest.hex());
        if (Files.exists(file) && Files.size(file) == size) {
            return;
        }
        Path partial = blobs.resolve(digest.hex() + ".partial");
        Files.copy(from, partial, StandardCopyOption.REPLACE_EXISTING);
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void replace(Path file, String text) throws IOException {
        Path partial = file.resolveSibling(file.getFileName() + ".partial");
        Files.writeString(partial, text);
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
