package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.ManifestDocument.Index;
import dev.caisson.image.ManifestDocument.Manifest;
import dev.caisson.text.Quoted;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Statements of others about an image, which stand beside it in the index that it comes from (BuildKit's
/// attestation-storage.md). They are kept as they are, for whoever the image is passed on to; nothing here believes
/// what they say.
///
/// @param image the manifest of the one platform that is kept
/// @param origin the index that names it
/// @param index what `origin` holds
record ForeignStatements(Descriptor image, Descriptor origin, Index index) {
    private static final String TYPE = "vnd.docker.reference.type";
    private static final String OF = "vnd.docker.reference.digest";
    private static final String STATEMENT = "attestation-manifest";
    /// The most that one image has beside it.
    private static final int MOST = 64;
    /// Bytes of all manifests of statements together, which are in memory at once; one has some 1000.
    private static final long LARGEST_MANIFESTS = 4L << 20;
    /// The most blobs of all of them together.
    private static final int MOST_BLOBS = 1024;
    /// Bytes of all blobs together; lists of all files of an image have tens of MiB.
    private static final long LARGEST = 256L << 20;

    /// Returns true if an index's entry is a manifest of statements.
    static boolean isOne(Descriptor entry) {
        return STATEMENT.equals(entry.annotations().get(TYPE));
    }

    /// Returns the manifests of statements about the image.
    /// @throws ImageException TOO_LARGE
    List<Descriptor> manifests() {
        List<Descriptor> all = index.manifests().stream()
                .filter(ForeignStatements::isOne)
                .filter(entry ->
                        image.digest().toString().equals(entry.annotations().get(OF)))
                .toList();
        if (all.size() > MOST) {
            throw tooLarge("more than " + MOST + " manifests of statements beside it");
        }
        if (isLarger(all, LARGEST_MANIFESTS)) {
            throw tooLarge("more than " + (LARGEST_MANIFESTS >> 20) + " MiB of manifests of statements beside it");
        }
        return all;
    }

    /// Returns the blobs that manifests of statements name.
    /// @throws ImageException TOO_LARGE, BAD_MANIFEST
    List<Descriptor> blobs(List<Manifest> manifests) {
        var blobs = new ArrayList<Descriptor>();
        for (Manifest manifest : manifests) {
            blobs.add(manifest.config());
            blobs.addAll(manifest.layers());
        }
        if (blobs.size() > MOST_BLOBS) {
            throw tooLarge("more than " + MOST_BLOBS + " statements beside it");
        }
        if (isLarger(blobs, LARGEST)) {
            throw tooLarge("more than " + (LARGEST >> 20) + " MiB of statements beside it");
        }
        return blobs;
    }

    private static boolean isLarger(List<Descriptor> all, long bytes) {
        long left = bytes;
        for (Descriptor one : all) {
            if (one.size() > left) {
                return true;
            }
            left -= one.size();
        }
        return false;
    }

    private ImageException tooLarge(String what) {
        return new ImageException(
                Code.TOO_LARGE,
                "the image " + image.digest() + " has " + what + "; name its manifest by its digest to leave them out");
    }

    /// Stores an index of the image and the statements alone. It is the one that they came in if that names nothing
    /// else, so that its digest stays.
    ///
    /// @param content of the index that they came in
    ImageIndex keep(NewImage blobs, byte[] content) throws IOException {
        List<Descriptor> statements = manifests();
        boolean isWhole = origin.mediaType().equals(ImageIndex.MEDIA_TYPE)
                && index.manifests().size() == statements.size() + 1;
        byte[] kept = isWhole ? content : StatementWriter.index(image, statements);
        Descriptor stored = blobs.blob(ImageIndex.MEDIA_TYPE, kept);
        return new ImageIndex(stored.digest(), stored.size());
    }

    /// Returns the manifest that a document must be.
    static Manifest manifest(Descriptor entry, byte[] content) {
        if (ManifestDocument.parse(entry.mediaType(), content) instanceof Manifest manifest) {
            return manifest;
        }
        throw new ImageException(
                Code.BAD_MANIFEST, "the statement " + Quoted.of(entry.digest().toString()) + " is an index");
    }

    /// Returns the image in the index that was kept; as it is without one.
    static StoredImage in(StoredImage image, Optional<ImageIndex> index) {
        return new StoredImage(
                image.repository(),
                image.tag(),
                image.manifest(),
                image.pulled(),
                image.mediaType(),
                image.manifestSize(),
                image.pulledMillis(),
                index);
    }
}
