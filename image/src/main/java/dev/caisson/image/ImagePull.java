package dev.caisson.image;

import dev.caisson.error.CaissonException;
import dev.caisson.image.ImageException.Code;
import dev.caisson.image.ManifestDocument.Index;
import dev.caisson.image.ManifestDocument.Manifest;
import dev.caisson.image.registry.Credentials;
import dev.caisson.image.registry.RegistryClient;
import dev.caisson.image.registry.RegistryClient.Document;
import dev.caisson.image.registry.RegistryException;
import dev.caisson.image.registry.RegistrySettings;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.text.Quoted;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/// Copies one image for one platform from its registry into the store. What is in the store already is
/// not fetched. The image is on the store's list only when all of it is there; what a failure leaves is gone on
/// with by the next pull.
final class ImagePull {
    private static final List<String> ACCEPTED = List.of(
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v2+json");
    private static final int DEEPEST_INDEX = 4;
    private static final int AT_ONCE = 3;
    private static final long LARGEST_CONFIG = 4 << 20;
    /// Of a whole image, compressed; real ones have 30 GiB at most.
    private static final long LARGEST_IMAGE = 256L << 30;

    private final ContentStore store;
    private final ImageReference reference;
    private final Platform wanted;
    private final String source;
    private final RegistryClient registry;
    private final PullListener listener;

    /// @param source the image's registry or a mirror of it
    private ImagePull(
            ContentStore store,
            ImageReference reference,
            Platform wanted,
            String source,
            RegistryClient registry,
            PullListener listener) {
        this.store = store;
        this.reference = reference;
        this.wanted = wanted;
        this.source = source;
        this.registry = registry;
        this.listener = listener;
    }

    static StoredImage pull(
            ContentStore store,
            ImageReference reference,
            Platform wanted,
            Credentials credentials,
            PullListener listener)
            throws IOException {
        return pull(store, reference, wanted, credentials, listener, RegistrySettings.ofHost());
    }

    /// Asks the mirrors of the image's registry first, in their order, and then the registry itself. A login for the
    /// registry goes to no mirror.
    static StoredImage pull(
            ContentStore store,
            ImageReference reference,
            Platform wanted,
            Credentials credentials,
            PullListener listener,
            RegistrySettings settings)
            throws IOException {
        var failures = new ArrayList<CaissonException>();
        for (String mirror : settings.mirrorsOf(reference.registry())) {
            try {
                return pull(store, reference, wanted, credentials, listener, settings, mirror);
            } catch (RegistryException | ImageException e) {
                if (Thread.currentThread().isInterrupted() || isOfStore(e)) {
                    throw e;
                }
                listener.passedOver(mirror, e.sentence());
                failures.add(e);
            }
        }
        try {
            return pull(store, reference, wanted, credentials, listener, settings, reference.registry());
        } catch (CaissonException e) {
            failures.forEach(e::addSuppressed);
            throw e;
        }
    }

    private static boolean isOfStore(CaissonException failure) {
        return failure instanceof ImageException of
                && (of.reason() == Code.STORE_REFUSED || of.reason() == Code.STORE_FULL);
    }

    private static StoredImage pull(
            ContentStore store,
            ImageReference reference,
            Platform wanted,
            Credentials credentials,
            PullListener listener,
            RegistrySettings settings,
            String source)
            throws IOException {
        try (var registry = new RegistryClient(source, credentials, settings);
                Fd _ = store.keepBlobs()) {
            return new ImagePull(store, reference, wanted, source, registry, listener).run();
        } catch (ErrnoException e) {
            if (StoreFailures.isFull(e)) {
                store.removeLeft(); // else the parts that it has would keep the disk full
            }
            throw e;
        }
    }

    private StoredImage run() throws IOException {
        String version = reference
                .digest()
                .map(Digest::toString)
                .orElseGet(() -> reference.tag().orElseThrow());
        Document top = registry.manifest(reference.repository(), version, ACCEPTED);
        Digest pulled = Digest.of(top.content());
        reference.digest().ifPresent(digest -> require(digest, pulled));
        var chosen = new Descriptor(top.mediaType(), pulled, top.content().length, Optional.empty(), Map.of());
        byte[] content = top.content();
        ManifestDocument document = ManifestDocument.parse(chosen.mediaType(), content);
        Optional<ForeignStatements> statements = Optional.empty();
        byte[] origin = content;
        for (int depth = 1; document instanceof Index index; depth++) {
            if (depth > DEEPEST_INDEX) {
                throw new ImageException(Code.BAD_MANIFEST, "the image has indexes in indexes without end");
            }
            Descriptor from = chosen;
            origin = content;
            chosen = OciLayoutReader.only(index.manifests(), reference.toString(), wanted);
            statements = Optional.of(new ForeignStatements(chosen, from, index));
            content = fetched(chosen);
            document = ManifestDocument.parse(chosen.mediaType(), content);
        }
        Manifest manifest = (Manifest) document;
        fetchConfig(manifest);
        byte[] stored = content;
        new BlobDownload(store, chosen, _ -> of(stored), _ -> {}).run();
        var image = new StoredImage(
                reference.fullRepository(),
                reference.tag(),
                chosen.digest(),
                pulled,
                chosen.mediaType(),
                chosen.size(),
                System.currentTimeMillis());
        PackedConfig config = store.packedConfig(image);
        require(config.config().platform());
        config.requireLayers(manifest.layers().size());
        layers(manifest.layers());
        if (statements.isPresent()) {
            image = ForeignStatements.in(image, kept(statements.get(), origin));
        }
        store.add(image);
        return image;
    }

    /// An image without an index says only in its configuration what it is for.
    private void require(Platform found) {
        if (!found.fits(wanted)) {
            throw new ImageException(
                    Code.PLATFORM_MISSING,
                    reference + " is for " + Quoted.of(found.toString()) + ", not for " + wanted + ": "
                            + (wanted.runsHere() ? "this host is " + wanted : "name its platform"));
        }
    }

    /// Fetches the statements about the image, and stores an index of both. Empty without statements, and if the
    /// registry lacks a part of them, as one to which a copy of the image alone was pushed.
    private Optional<ImageIndex> kept(ForeignStatements statements, byte[] origin) throws IOException {
        List<Descriptor> entries = statements.manifests();
        if (entries.isEmpty()) {
            return Optional.empty();
        }
        try {
            var manifests = new ArrayList<Manifest>();
            var contents = new ArrayList<byte[]>();
            for (Descriptor entry : entries) {
                byte[] content = fetched(entry);
                contents.add(content);
                manifests.add(ForeignStatements.manifest(entry, content));
            }
            for (Descriptor blob : statements.blobs(manifests)) {
                blob(blob, -1);
            }
            for (int i = 0; i < entries.size(); i++) {
                byte[] content = contents.get(i);
                new BlobDownload(store, entries.get(i), _ -> of(content), _ -> {}).run();
            }
        } catch (RegistryException e) {
            if (e.reason() == RegistryException.Code.REGISTRY_NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
        return Optional.of(statements.keep(new NewImage(store), origin));
    }

    private static RegistryClient.Blob of(byte[] content) {
        return new RegistryClient.Blob(new ByteArrayInputStream(content), 0);
    }

    private byte[] fetched(Descriptor chosen) {
        byte[] content = registry.manifest(
                        reference.repository(), chosen.digest().toString(), ACCEPTED)
                .content();
        require(chosen.digest(), Digest.of(content));
        if (content.length != chosen.size()) {
            throw mismatch(chosen.digest(), "has another size than its index says");
        }
        return content;
    }

    private void require(Digest wanted, Digest found) {
        if (!wanted.equals(found)) {
            throw mismatch(wanted, "is " + found);
        }
    }

    private ImageException mismatch(Digest wanted, String fault) {
        return new ImageException(
                Code.DIGEST_MISMATCH,
                "what " + Quoted.of(source) + " gives for " + wanted + " " + fault
                        + "; try again, or another registry");
    }

    /// Fetches what says whether the layers are of use.
    private void fetchConfig(Manifest manifest) throws IOException {
        if (manifest.config().size() > LARGEST_CONFIG) {
            throw new ImageException(Code.TOO_LARGE, reference + " has a configuration of more than 4 MiB");
        }
        long bytes = manifest.config().size();
        for (Descriptor layer : manifest.layers()) {
            if (layer.size() > LARGEST_IMAGE || bytes + layer.size() > LARGEST_IMAGE) {
                throw new ImageException(Code.TOO_LARGE, reference + " has more than 256 GiB");
            }
            bytes += layer.size();
            if (!MediaType.isLayer(layer.mediaType())) {
                throw new ImageException(
                        Code.UNSUPPORTED_FORMAT, "the image has a layer of type " + Quoted.of(layer.mediaType()));
            }
        }
        if (!MediaType.isConfig(manifest.config().mediaType())) {
            throw new ImageException(
                    Code.UNSUPPORTED_FORMAT,
                    reference + " is " + Quoted.of(manifest.config().mediaType()) + ", not the image of a container");
        }
        listener.started(manifest.layers().size(), bytes);
        blob(manifest.config(), -1);
    }

    private void layers(List<Descriptor> layers) throws IOException {
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
                throw StoreFailures.interrupted(reference.toString(), e);
            } catch (ExecutionException e) {
                throw failure(e.getCause());
            } finally {
                if (!isDone) {
                    registry.close(); // ends downloads that go on
                    threads.shutdownNow();
                }
            }
        }
    }

    /// Throws what a thread ended with, or returns it.
    static IOException failure(@Nullable Throwable cause) {
        return switch (cause) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case IOException e -> e;
            case null, default -> new IOException("a download failed", cause);
        };
    }

    private void blob(Descriptor blob, int number) throws IOException {
        boolean isPresent = store.has(blob);
        var download = new BlobDownload(
                store,
                blob,
                from -> registry.blob(reference.repository(), blob.digest().toString(), from),
                done -> {
                    if (number >= 0) {
                        listener.layer(number, blob.digest(), done, blob.size(), isPresent);
                    }
                });
        download.run();
    }
}
