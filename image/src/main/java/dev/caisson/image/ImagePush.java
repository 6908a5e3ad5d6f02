package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.ManifestDocument.Manifest;
import dev.caisson.image.registry.Credentials;
import dev.caisson.image.registry.RegistryClient;
import dev.caisson.image.registry.RegistryUpload;
import dev.caisson.linux.Fd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Copies one image of the store to its registry: the layers that the repository lacks, the configuration, and when
/// all of that is there the manifest under the image's tag. Where statements about it are in the store, they follow,
/// and the tag is that of the index of both. A layer that another repository of the registry is known to have is
/// mounted from there.
final class ImagePush {
    private static final int AT_ONCE = 3;

    private final ContentStore store;
    private final OciLayoutReader reader;
    private final RegistryUpload upload;
    private final Map<Digest, String> elsewhere;
    private final PullListener listener;

    private ImagePush(
            ContentStore store,
            OciLayoutReader reader,
            RegistryUpload upload,
            Map<Digest, String> elsewhere,
            PullListener listener) {
        this.store = store;
        this.reader = reader;
        this.upload = upload;
        this.elsewhere = elsewhere;
        this.listener = listener;
    }

    static void push(ContentStore store, StoredImage image, Credentials credentials, PullListener listener)
            throws IOException {
        String tag = image.tag()
                .orElseThrow(() -> new ImageException(
                        Code.BAD_NAME,
                        image.name() + " has no tag: give it one with 'caisson tag', and push that name"));
        ImageReference name = ImageReference.parse(image.repository() + ":" + tag);
        try (Fd _ = store.keepBlobs();
                OciLayoutReader reader = store.reader();
                var registry = new RegistryClient(name.registry(), credentials)) {
            RegistryUpload upload = registry.upload(name.repository());
            new ImagePush(store, reader, upload, elsewhere(store, name), listener).run(image, tag, registry);
        }
    }

    /// Returns the repositories of the registry that have the blobs of the store's other images.
    private static Map<Digest, String> elsewhere(ContentStore store, ImageReference name) throws IOException {
        var repositories = new HashMap<Digest, String>();
        for (StoredImage other : store.images()) {
            ImageReference reference = ImageReference.parse(other.repository());
            if (reference.registry().equals(name.registry())
                    && !reference.repository().equals(name.repository())) {
                store.manifest(other)
                        .layers()
                        .forEach(layer -> repositories.putIfAbsent(layer.digest(), reference.repository()));
            }
        }
        return repositories;
    }

    private void run(StoredImage image, String tag, RegistryClient registry) throws IOException {
        Descriptor own = ContentStore.descriptor(image);
        Manifest manifest = reader.manifestOf(own);
        List<Descriptor> layers = manifest.layers();
        long bytes = manifest.config().size()
                + layers.stream().mapToLong(Descriptor::size).sum();
        listener.started(layers.size(), bytes);
        layers(layers, registry);
        blob(manifest.config(), -1);
        if (image.index().isEmpty()) {
            manifest(own, tag);
            return;
        }
        manifest(own, own.digest().toString());
        StatementParts statements = reader.statements(image.index().get());
        for (Descriptor blob : statements.blobs()) {
            blob(blob, -1);
        }
        for (Descriptor statement : statements.manifests()) {
            manifest(statement, statement.digest().toString());
        }
        manifest(statements.index(), tag);
    }

    /// @param reference tag or digest
    private void manifest(Descriptor manifest, String reference) throws IOException {
        try (FileSlice content = reader.content(manifest)) {
            upload.manifest(reference, manifest.mediaType(), content.readNBytes((int) manifest.size()));
        }
    }

    private void layers(List<Descriptor> layers, RegistryClient registry) throws IOException {
        try (ExecutorService threads =
                Executors.newFixedThreadPool(AT_ONCE, Thread.ofVirtual().factory())) {
            var futures = new ArrayList<Future<?>>();
            for (int i = 0; i < layers.size(); i++) {
                int number = i;
                futures.add(threads.submit(() -> {
                    blob(layers.get(number), number);
                    return null;
                }));
            }
            boolean isDone = false;
            try {
                for (Future<?> future : futures) {
                    future.get();
                }
                isDone = true;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw StoreFailures.interrupted("an image that was pushed", e);
            } catch (ExecutionException e) {
                throw ImagePull.failure(e.getCause());
            } finally {
                if (!isDone) {
                    registry.close(); // ends uploads that go on
                    threads.shutdownNow();
                }
            }
        }
    }

    /// @param number of the layer; negative for the configuration
    private void blob(Descriptor blob, int number) throws IOException {
        String digest = blob.digest().toString();
        Optional<String> from = Optional.ofNullable(elsewhere.get(blob.digest()));
        boolean isPresent =
                upload.has(digest) || (from.isPresent() && number >= 0 && upload.mount(digest, from.orElseThrow()));
        if (isPresent) {
            tell(blob, number, blob.size(), true);
            return;
        }
        try (FileChannel channel = store.open(blob)) {
            upload.blob(
                    digest,
                    blob.size(),
                    (start, count) -> FileSlice.part(channel, start, count),
                    done -> tell(blob, number, done, false));
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private void tell(Descriptor blob, int number, long done, boolean isPresent) {
        if (number >= 0) {
            listener.layer(number, blob.digest(), done, blob.size(), isPresent);
        }
    }
}
