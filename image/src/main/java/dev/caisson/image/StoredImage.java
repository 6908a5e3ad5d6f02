package dev.caisson.image;

import java.util.Optional;

/// An image in the store, as it was pulled.
///
/// @param repository with its registry: `docker.io/library/debian`
/// @param tag empty if it was pulled by digest, or if the tag has come to name another image since
/// @param manifest of the one platform that is kept
/// @param pulled what the registry answered with: the index or the manifest. `name@sha256:…` has this one
/// @param mediaType of the manifest
/// @param pulledMillis when it was stored, since the epoch
/// @param manifestSize bytes of the manifest
/// @param index that names it beside statements about it
public record StoredImage(
        String repository,
        Optional<String> tag,
        Digest manifest,
        Digest pulled,
        String mediaType,
        long manifestSize,
        long pulledMillis,
        Optional<ImageIndex> index) {
    StoredImage(
            String repository,
            Optional<String> tag,
            Digest manifest,
            Digest pulled,
            String mediaType,
            long manifestSize,
            long pulledMillis) {
        this(repository, tag, manifest, pulled, mediaType, manifestSize, pulledMillis, Optional.empty());
    }

    /// Returns the same image under another name.
    StoredImage called(String otherRepository, Optional<String> otherTag) {
        return new StoredImage(
                otherRepository, otherTag, manifest, pulled, mediaType, manifestSize, pulledMillis, index);
    }

    /// Returns true if both are the same image under the same name.
    boolean isSameButForTime(StoredImage other) {
        return manifest.equals(other.manifest)
                && repository.equals(other.repository)
                && tag.equals(other.tag)
                && pulled.equals(other.pulled)
                && mediaType.equals(other.mediaType)
                && manifestSize == other.manifestSize
                && index.equals(other.index);
    }

    /// Returns the same image with an index that names it.
    StoredImage in(ImageIndex other) {
        return new StoredImage(
                repository, tag, manifest, other.digest(), mediaType, manifestSize, pulledMillis, Optional.of(other));
    }

    /// Returns its name as people write it: with its tag, else with the digest that it was pulled by.
    public String name() {
        String shown = ImageReference.parse(repository).shortRepository();
        return tag.map(text -> shown + ":" + text).orElse(shown + "@" + pulled);
    }

    /// Returns its name with the digest of its manifest: that of this image, whatever its tag comes to name.
    public ImageReference pinned() {
        ImageReference name = ImageReference.parse(repository);
        return new ImageReference(name.registry(), name.repository(), tag, Optional.of(manifest));
    }

    /// Returns true if the reference names this image.
    boolean isNamed(ImageReference reference) {
        boolean isSame = reference.digest().isEmpty()
                ? tag.equals(reference.tag())
                : reference.digest().get().equals(pulled)
                        || reference.digest().get().equals(manifest);
        return isSame && repository.equals(reference.fullRepository());
    }

    /// Returns the same image without its name.
    public StoredImage withoutTag() {
        return called(repository, Optional.empty());
    }
}
