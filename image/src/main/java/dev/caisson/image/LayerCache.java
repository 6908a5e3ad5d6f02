package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.ManifestDocument.Index;
import dev.caisson.image.ManifestDocument.Manifest;
import dev.caisson.image.registry.RegistryClient;
import dev.caisson.image.registry.RegistryClient.Blob;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The manifest of a place outside the store, its configuration, and the layers that it names. Documents are bounded,
/// and whatever is fetched is compared with its digest. May be used by several threads.
public final class LayerCache implements AutoCloseable {
    private static final int LARGEST_DOCUMENT = 4 << 20;
    private static final int DEEPEST_INDEX = 4;
    private static final List<String> ACCEPTED = List.of(
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.docker.distribution.manifest.list.v2+json");

    /// Where blobs come from.
    private sealed interface Blobs extends AutoCloseable {
        Blob open(Descriptor blob, long from);

        @Override
        void close();
    }

    private record Remote(RegistryClient client, String repository) implements Blobs {
        @Override
        public Blob open(Descriptor blob, long from) {
            return client.blob(repository, blob.digest().toString(), from);
        }

        @Override
        public void close() {
            client.close();
        }
    }

    private record Local(OciLayoutReader reader) implements Blobs {
        @Override
        public Blob open(Descriptor blob, long from) {
            try {
                return new Blob(reader.content(blob), 0);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            reader.close();
        }
    }

    private final Blobs blobs;
    private final Descriptor description;
    private final byte[] config;
    private final Map<Digest, Descriptor> layers = new LinkedHashMap<>();

    private LayerCache(Blobs blobs, Manifest manifest) throws IOException {
        this.blobs = blobs;
        this.description = manifest.config();
        this.config = document(description);
        for (Descriptor layer : manifest.layers()) {
            if (MediaType.isLayer(layer.mediaType())) {
                layers.put(layer.digest(), layer);
            }
        }
    }

    static LayerCache open(CachePlace place) throws IOException {
        return switch (place) {
            case CachePlace.InRegistry remote -> open(remote);
            case CachePlace.InDirectory local -> open(local);
        };
    }

    private static LayerCache open(CachePlace.InRegistry place) throws IOException {
        ImageReference reference = place.reference();
        var client = new RegistryClient(reference.registry(), place.logins().credentials());
        try {
            String repository = reference.repository();
            Optional<Digest> wanted = reference.digest();
            String version =
                    wanted.map(Digest::toString).orElseGet(() -> reference.tag().orElseThrow());
            for (int depth = 0; depth <= DEEPEST_INDEX; depth++) {
                RegistryClient.Document document = client.manifest(repository, version, ACCEPTED);
                byte[] content = document.content();
                wanted.ifPresent(digest -> require(digest, content));
                if (!(ManifestDocument.parse(document.mediaType(), content) instanceof Index index)) {
                    var manifest = (Manifest) ManifestDocument.parse(document.mediaType(), content);
                    return new LayerCache(new Remote(client, repository), manifest);
                }
                Digest next = OciLayoutReader.only(index.manifests(), reference.toString())
                        .digest();
                wanted = Optional.of(next);
                version = next.toString();
            }
            throw new ImageException(Code.BAD_MANIFEST, reference + " has indexes in indexes without end");
        } catch (IOException | RuntimeException e) {
            client.close();
            throw e;
        }
    }

    private static LayerCache open(CachePlace.InDirectory place) throws IOException {
        var reader = new OciLayoutReader(place.path());
        try {
            return new LayerCache(new Local(reader), reader.manifestOf(reader.only()));
        } catch (IOException | RuntimeException e) {
            reader.close();
            throw e;
        }
    }

    private static void require(Digest wanted, byte[] content) {
        if (!Digest.of(content).equals(wanted)) {
            throw new ImageException(
                    Code.DIGEST_MISMATCH, "what is given for " + wanted + " is not what its digest says; try again");
        }
    }

    private byte[] document(Descriptor wanted) throws IOException {
        if (wanted.size() > LARGEST_DOCUMENT) {
            throw new ImageException(
                    Code.TOO_LARGE, "the configuration has " + wanted.size() + " bytes; at most 4 MiB are read");
        }
        byte[] content;
        try (Blob blob = blobs.open(wanted, 0)) {
            content = blob.content().readNBytes((int) wanted.size());
        }
        require(wanted.digest(), content);
        return content;
    }

    /// Returns the media type of the configuration.
    public String configType() {
        return description.mediaType();
    }

    public byte[] config() {
        return config.clone();
    }

    /// Returns the digests of the layers, lowest first.
    public List<Digest> layers() {
        return List.copyOf(layers.keySet());
    }

    /// Fetches a layer into the store, unless it is there.
    /// @throws ImageException NOT_FOUND if the manifest does not name it, DIGEST_MISMATCH
    Descriptor fetch(Digest layer, ContentStore store) throws IOException {
        Descriptor blob = layers.get(layer);
        if (blob == null) {
            throw new ImageException(Code.NOT_FOUND, "the manifest of the cache names no layer " + layer);
        }
        try {
            new BlobDownload(store, blob, from -> blobs.open(blob, from), _ -> {}).run();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return blob;
    }

    @Override
    public void close() {
        blobs.close();
    }
}
