package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.registry.RegistryClient.Blob;
import dev.caisson.linux.Fd;
import dev.caisson.text.JsonOutput;
import java.io.ByteArrayInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/// Adds an image to the store: the layers of another one, new ones above, and a configuration. It is on the store's
/// list only when all of it is there; what a failure leaves goes with the next removal.
final class NewImage {
    static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    static final String CONFIG = "application/vnd.oci.image.config.v1+json";
    static final String TAR = "application/vnd.oci.image.layer.v1.tar";
    private static final int BUFFER = 128 << 10;

    private record Added(Descriptor blob, Digest diffId) {}

    private final ContentStore store;

    NewImage(ContentStore store) {
        this.store = store;
    }

    /// @param config gets the digests of the new layers' archives, and returns the whole configuration
    StoredImage make(
            Optional<StoredImage> base,
            List<NewLayer> layers,
            Function<List<Digest>, byte[]> config,
            String repository,
            Optional<String> tag,
            ImageNotes notes)
            throws IOException {
        try (Fd _ = store.keepBlobs()) {
            var blobs = new ArrayList<Descriptor>();
            var diffIds = new ArrayList<Digest>();
            if (base.isPresent()) {
                store.manifest(base.orElseThrow()).layers().forEach(layer -> blobs.add(oci(layer)));
                diffIds.addAll(store.packedConfig(base.orElseThrow()).diffIds());
            }
            var added = new ArrayList<Digest>();
            for (NewLayer layer : layers) {
                Added blob = add(layer);
                blobs.add(blob.blob());
                added.add(blob.diffId());
            }
            diffIds.addAll(added);
            byte[] json = config.apply(List.copyOf(added));
            PackedConfig packed = PackedConfig.parse(json);
            if (!packed.diffIds().equals(diffIds)) {
                throw new ImageException(
                        Code.BAD_MANIFEST,
                        "the configuration names other layers than the image has; build the image again");
            }
            StoredImage image = manifest(blob(CONFIG, json), blobs, repository, tag, notes.manifest());
            if (notes.statement().isPresent()) {
                image = image.in(new StatementWriter(this)
                        .write(
                                ContentStore.descriptor(image),
                                packed.config().platform(),
                                notes.statement().get(),
                                notes.index()));
            }
            return list(image);
        }
    }

    /// Adds an image whose blobs are all there.
    /// @param tag empty for an image without a name
    StoredImage list(Descriptor config, List<Descriptor> layers, String repository, Optional<String> tag)
            throws IOException {
        return list(manifest(config, layers, repository, tag));
    }

    private StoredImage list(StoredImage image) throws IOException {
        store.describe(image); // refuses what cannot be read
        store.add(image);
        return image;
    }

    /// Writes the manifest of an image that is not listed yet.
    StoredImage manifest(Descriptor config, List<Descriptor> layers, String repository, Optional<String> tag)
            throws IOException {
        return manifest(config, layers, repository, tag, Map.of());
    }

    private StoredImage manifest(
            Descriptor config,
            List<Descriptor> layers,
            String repository,
            Optional<String> tag,
            Map<String, String> annotations)
            throws IOException {
        String document = document(config, layers);
        if (!annotations.isEmpty()) {
            String notes = JsonOutput.of(new TreeMap<>(annotations)).strip();
            document = document.substring(0, document.length() - 1) + ",\"annotations\":" + notes + "}";
        }
        Descriptor manifest = blob(MANIFEST, document.getBytes(StandardCharsets.UTF_8));
        return new StoredImage(
                repository,
                tag,
                manifest.digest(),
                manifest.digest(),
                MANIFEST,
                manifest.size(),
                System.currentTimeMillis());
    }

    /// Writes an image that is not listed yet, whose layers are there.
    StoredImage unlisted(byte[] config, List<Descriptor> layers, String repository, Optional<String> tag)
            throws IOException {
        StoredImage image = manifest(
                blob(CONFIG, config), layers.stream().map(NewImage::oci).toList(), repository, tag);
        store.describe(image); // refuses what cannot be read
        return image;
    }

    static String document(Descriptor config, Collection<Descriptor> layers) {
        return layers.stream()
                .map(NewImage::json)
                .collect(Collectors.joining(
                        ",",
                        "{\"schemaVersion\":2,\"mediaType\":\"" + MANIFEST + "\",\"config\":" + json(config)
                                + ",\"layers\":[",
                        "]}"));
    }

    /// Media types and digests have no character that JSON would have to escape.
    private static String json(Descriptor blob) {
        return String.format(
                Locale.ROOT,
                "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d}",
                blob.mediaType(),
                blob.digest(),
                blob.size());
    }

    private static Descriptor oci(Descriptor layer) {
        return new Descriptor(
                MediaType.ociLayer(layer.mediaType()), layer.digest(), layer.size(), Optional.empty(), Map.of());
    }

    Descriptor blob(String mediaType, byte[] content) throws IOException {
        var blob = new Descriptor(mediaType, Digest.of(content), content.length, Optional.empty(), Map.of());
        new BlobDownload(store, blob, _ -> new Blob(new ByteArrayInputStream(content), 0), _ -> {}).run();
        return blob;
    }

    private Added add(NewLayer layer) throws IOException {
        MessageDigest hash = Digest.algorithm();
        try (var file = new BlobWriter(store.blobs())) {
            OutputStream packed = layer.compress() ? new FastGzip(file) : new Open(file);
            try (var tar = new DigestOutputStream(packed, hash)) {
                layer.content().writeTo(tar);
            }
            Descriptor blob = file.finish(layer.compress() ? TAR + "+gzip" : TAR);
            return new Added(blob, Digest.finish(hash.digest()));
        }
    }

    /// Passes everything on but its end.
    private static final class Open extends FilterOutputStream {
        Open(OutputStream to) {
            super(to);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
        }

        @Override
        public void close() throws IOException {
            out.flush();
        }
    }

    /// Writes no time into its header, so that the same layer makes the same blob.
    private static final class FastGzip extends GZIPOutputStream {
        FastGzip(OutputStream to) throws IOException {
            super(new Open(to), BUFFER);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }
}
