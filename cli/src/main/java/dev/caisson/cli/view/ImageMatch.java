package dev.caisson.cli.view;

import dev.caisson.image.ImageException;
import dev.caisson.image.ImageReference;
import java.util.Optional;
import java.util.function.Predicate;

/// An image that a filter names: `busybox`, `busybox:latest` and `docker.io/library/busybox` are the same.
final class ImageMatch {
    private ImageMatch() {}

    /// Returns a condition for names of the image.
    static Predicate<String> of(String wanted) {
        Optional<ImageReference> reference = reference(wanted);
        return image -> image.equals(wanted)
                || (reference.isPresent() && reference(image).equals(reference));
    }

    private static Optional<ImageReference> reference(String text) {
        try {
            return Optional.of(ImageReference.parse(text));
        } catch (ImageException e) {
            return Optional.empty(); // a directory, or host
        }
    }
}
