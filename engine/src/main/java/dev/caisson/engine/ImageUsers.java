package dev.caisson.engine;

import dev.caisson.image.Digest;
import dev.caisson.image.ImageException;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageSizes;
import dev.caisson.image.ImageStore;
import dev.caisson.image.StoredImage;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Mount;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Finds what uses an image of a store, and what it takes.
record ImageUsers(EngineOptions options, ImageStore store) {
    /// Returns the names of containers that have an image, whether they run or are kept, and of snapshots
    /// above it.
    Set<String> of(StoredImage image) {
        var users = new TreeSet<String>();
        for (KeptContainer kept : KeptContainer.all(options)) {
            Optional<String> digest = kept.imageDigest();
            if (digest.isPresent()
                    ? digest.get().equals(image.manifest().toString())
                    : called(image, kept.image()) && kept.isRunning()) {
                users.add(kept.name().orElse(kept.id().shortForm()));
            }
        }
        for (ContainerStatus status : ContainerStatus.all(options)) {
            if (!status.kept() && called(image, status.image())) {
                users.add(status.name().orElse(status.id().shortForm()));
            }
        }
        KeptSpec.each(options, (entry, spec) -> {
            if (spec.mounts().stream().anyMatch(mount -> shows(mount, image))) {
                users.add(entry.name().orElse(entry.id().shortForm()));
            }
        });
        snapshots(image).forEach(name -> users.add("the snapshot " + name));
        return users;
    }

    private static boolean shows(Mount mount, StoredImage image) {
        return mount instanceof Mount.ImageFiles files
                && files.image().digest().filter(image.manifest()::equals).isPresent();
    }

    List<String> snapshots(StoredImage image) {
        return store.snapshots().above(image.manifest());
    }

    /// Returns true if the text is a name of the image.
    boolean called(StoredImage image, String text) {
        try {
            return store.find(ImageReference.parse(text))
                    .filter(found -> found.manifest().equals(image.manifest()))
                    .isPresent();
        } catch (ImageException e) {
            return false; // host, dir:, oci: and docker-archive: are not of the store
        }
    }

    /// Returns what each image takes, those with several names once.
    DiskUse.OfImages use() {
        ImageSizes sizes = store.sizes();
        List<StoredImage> all = List.copyOf(store.images().stream()
                .collect(Collectors.toMap(
                        StoredImage::manifest,
                        Function.identity(),
                        (one, other) -> other.tag().isPresent() ? other : one,
                        LinkedHashMap::new))
                .values());
        List<DiskUse.OfImage> images = all.stream()
                .map(image -> new DiskUse.OfImage(
                        image,
                        id(image),
                        Bytes.of(sizes.of(List.of(image))),
                        Bytes.of(sizes.alone(image, all)),
                        of(image).size()))
                .toList();
        long used = sizes.of(images.stream()
                .filter(image -> image.users() > 0)
                .map(DiskUse.OfImage::image)
                .toList());
        return new DiskUse.OfImages(images, Bytes.of(sizes.all()), Bytes.of(sizes.all() - used));
    }

    private Digest id(StoredImage image) {
        try {
            return store.describe(image).id();
        } catch (ImageException _) {
            return image.manifest(); // it is damaged
        }
    }
}
