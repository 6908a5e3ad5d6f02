package dev.caisson.cli.image;

import dev.caisson.engine.Images;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import java.util.List;

/// A name of an image as it was given, with or without a tag.
record GivenName(ImageReference reference, boolean hasTag) {
    /// @throws dev.caisson.image.ImageException BAD_NAME
    static GivenName parse(String text) {
        String name = text.indexOf('@') < 0 ? text : text.substring(0, text.indexOf('@'));
        return new GivenName(ImageReference.parse(text), name.lastIndexOf(':') > name.lastIndexOf('/'));
    }

    /// Returns true if neither a tag nor a digest was given: it stands for a whole repository.
    boolean isRepository() {
        return !hasTag && reference.digest().isEmpty();
    }

    /// Returns true if the image is of this repository, and has this tag if one was given.
    boolean accepts(StoredImage image) {
        return image.repository().equals(reference.fullRepository())
                && (!hasTag || image.tag().equals(reference.tag()));
    }

    /// Returns the images of the repository that have a tag.
    List<StoredImage> tagged(Images images) {
        return images.list().stream()
                .filter(image -> image.tag().isPresent() && image.repository().equals(reference.fullRepository()))
                .toList();
    }
}
