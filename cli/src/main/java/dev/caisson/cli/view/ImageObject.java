package dev.caisson.cli.view;

import dev.caisson.cli.template.Template;
import dev.caisson.engine.Images;
import dev.caisson.image.ImageDescription;
import dev.caisson.image.ImageLayer;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import dev.caisson.text.Json;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// An image in the form of Docker's `image inspect`, as far as it has what Docker's has.
final class ImageObject {
    /// Maps whose keys are the image's.
    private static final Set<String> DICTIONARIES = Set.of("ExposedPorts", "Volumes", "Labels");

    private static final String NEVER = "0001-01-01T00:00:00Z";

    private ImageObject() {}

    static Map<String, @Nullable Object> of(Images images, StoredImage image) {
        Map<String, @Nullable Object> config = document(images, image);
        ImageDescription description = images.describe(image);
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put("Id", description.id().toString());
        var tags = new ArrayList<String>();
        var digests = new ArrayList<String>();
        for (StoredImage other : images.list()) {
            if (other.manifest().equals(image.manifest())) {
                String repository = ImageReference.parse(other.repository()).shortRepository();
                other.tag().ifPresent(tag -> tags.add(repository + ":" + tag));
                digests.add(repository + "@" + other.pulled());
            }
        }
        object.put("RepoTags", tags);
        object.put("RepoDigests", digests.stream().distinct().toList());
        object.put("Parent", "");
        object.put("Comment", comment(config));
        object.put("Created", text(config, "created", NEVER));
        object.put("DockerVersion", "");
        object.put("Author", text(config, "author", ""));
        object.put("Config", run(config));
        object.put("Architecture", description.config().platform().architecture());
        object.put("Variant", description.config().platform().variant());
        object.put("Os", description.config().platform().os());
        object.put("Size", description.bytes());
        var driver = new LinkedHashMap<String, @Nullable Object>();
        driver.put("Data", null);
        driver.put("Name", "overlay");
        object.put("GraphDriver", driver);
        List<String> layers = images.layers(image).stream()
                .map(ImageLayer::diffId)
                .map(Object::toString)
                .toList();
        var rootfs = new LinkedHashMap<String, Object>();
        rootfs.put("Type", "layers");
        rootfs.put("Layers", layers);
        object.put("RootFS", rootfs);
        object.put(
                "Metadata",
                Map.of("LastTagTime", Instant.ofEpochMilli(image.pulledMillis()).toString()));
        var descriptor = new LinkedHashMap<String, Object>();
        descriptor.put("mediaType", image.mediaType());
        descriptor.put("digest", image.manifest().toString());
        descriptor.put("size", image.manifestSize());
        object.put("Descriptor", descriptor);
        return object;
    }

    /// Returns an image's configuration, JSON of the OCI image specification.
    static Map<String, @Nullable Object> document(Images images, StoredImage image) {
        return members(Json.parse(images.config(image), Json.Limits.DEFAULT));
    }

    private static Map<String, @Nullable Object> members(@Nullable Object value) {
        return value instanceof Map<?, ?> map ? Json.members(map) : Map.of();
    }

    static String text(Map<String, @Nullable Object> object, String key, String otherwise) {
        return object.get(key) instanceof String text ? text : otherwise;
    }

    private static String comment(Map<String, @Nullable Object> config) {
        return config.get("history") instanceof List<?> history && !history.isEmpty()
                ? text(members(history.getLast()), "comment", "")
                : "";
    }

    /// A template may ask for what most images leave out.
    private static Map<String, @Nullable Object> run(Map<String, @Nullable Object> config) {
        var run = new LinkedHashMap<String, @Nullable Object>();
        run.put("User", "");
        run.put("ExposedPorts", null);
        run.put("Env", null);
        run.put("Entrypoint", null);
        run.put("Cmd", null);
        run.put("Healthcheck", null);
        run.put("Volumes", null);
        run.put("WorkingDir", "");
        run.put("Labels", null);
        run.put("OnBuild", null);
        run.put("StopSignal", "");
        run.put("Shell", null);
        members(config.get("config"))
                .forEach((key, value) -> run.put(
                        key,
                        DICTIONARIES.contains(key) && value instanceof Map<?, ?> map
                                ? new Template.Dictionary(Json.members(map))
                                : value));
        return run;
    }
}
