package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.Digest;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageStore;
import dev.caisson.image.NewLayer;
import dev.caisson.image.StoredImage;
import dev.caisson.text.Json;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Makes an image of a container: its image's layers, and what it has changed as one more.
final class Commit {
    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder().serializeEmpty(true).build())
            .build();

    private static final String FOREGROUND = " lives as long as the command that runs it, which alone has its files";

    private final ImageStore store;
    private final ImageTaint taint;
    private final KeptContainer kept;
    private final DetachedContainer container;
    private final DetachedPlace place;
    private final CommitOptions options;

    private Commit(ImageStore store, ImageTaint taint, KeptContainer kept, CommitOptions options) {
        this.place = kept.place();
        this.store = store;
        this.taint = taint;
        this.kept = kept;
        this.options = options;
        this.container = kept.detached()
                .orElseThrow(() -> refused(
                        kept.id().shortForm(),
                        kept.isRunning() ? FOREGROUND : " ended with its command, so nothing of its files is left"));
    }

    /// @param container its name, or the beginning of its id
    /// @param name empty for an image without one
    static StoredImage of(
            String container,
            Optional<ImageReference> name,
            CommitOptions how,
            ImageStore store,
            ImageTaint taint,
            EngineOptions directories)
            throws InterruptedException {
        present(container, "container");
        present(how, "how");
        try {
            return new Commit(store, taint, subject(container, directories), how).as(name);
        } catch (RuntimeException e) {
            throw Failures.coded(e);
        }
    }

    /// Finds the container, which may be one of which nothing is kept: that is not why it cannot be committed.
    private static KeptContainer subject(String container, EngineOptions of) {
        try {
            return KeptContainer.find(container, of);
        } catch (EngineException e) {
            throw e.code().equals("CONTAINER_NOT_KEPT") ? refused(container, FOREGROUND) : e;
        }
    }

    private static EngineException refused(String container, String why) {
        return new EngineException(
                "COMMIT_REFUSED", "the container " + container + why + ": create it, or run it with -d");
    }

    private StoredImage as(Optional<ImageReference> name) throws InterruptedException {
        StoredImage base = base();
        byte[] before = store.config(base);
        try (DetachedChanges changes = DetachedChanges.open(place)) {
            if (!options.pause()) {
                return make(base, before, name, tar -> changes.write(tar, Optional.empty()));
            }
            try (StillFiles still = StillFiles.of(place, changes)) {
                return make(base, before, name, tar -> write(changes, still, tar));
            }
        }
    }

    private StoredImage make(StoredImage base, byte[] before, Optional<ImageReference> name, NewLayer.Content layer) {
        List<NewLayer> layers = taint.checked(List.of(new NewLayer(layer, true)));
        Function<List<Digest>, byte[]> config = taint.checked(added -> config(before, added));
        return name.isPresent()
                ? store.make(Optional.of(base), layers, config, name.get())
                : store.makeUnnamed(Optional.of(base), layers, config);
    }

    private static void write(DetachedChanges changes, StillFiles still, OutputStream tar) throws IOException {
        changes.write(tar, Optional.empty());
        try {
            still.requireSame();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while the container's files were read");
        }
    }

    private StoredImage base() {
        Optional<String> digest = kept.imageDigest();
        return store.images().stream()
                .filter(image ->
                        digest.filter(image.manifest().toString()::equals).isPresent())
                .findFirst()
                .orElseThrow(() -> new EngineException(
                        "COMMIT_REFUSED",
                        "the image " + kept.image() + " of container " + container.name()
                                + " is not in the store, so no image can build on it: create the container from an image of"
                                + " 'caisson images'"));
    }

    private byte[] config(byte[] before, List<Digest> added) {
        Map<String, @Nullable Object> config = object(Json.parse(before, Json.Limits.DEFAULT));
        String now = Instant.now().truncatedTo(ChronoUnit.MICROS).toString();
        config.put("created", now);
        options.author().ifPresent(author -> config.put("author", author));
        Map<String, @Nullable Object> run = object(config.get("config"));
        var changes = new ConfigChanges(run);
        options.changes().forEach(changes::apply);
        config.put("config", run);
        Map<String, @Nullable Object> rootfs = object(config.get("rootfs"));
        rootfs.put(
                "diff_ids",
                with(
                        rootfs.get("diff_ids"),
                        added.stream().map(Digest::toString).toList()));
        config.put("rootfs", rootfs);
        var step = new LinkedHashMap<String, Object>();
        step.put("created", now);
        options.author().ifPresent(author -> step.put("author", author));
        step.put("created_by", String.join(" ", kept.command()));
        options.message().ifPresent(message -> step.put("comment", message));
        config.put("history", with(config.get("history"), List.of(step)));
        return JSON.toJson(config).getBytes(StandardCharsets.UTF_8);
    }

    private static Map<String, @Nullable Object> object(@Nullable Object value) {
        return value instanceof Map<?, ?> map ? new LinkedHashMap<>(Json.members(map)) : new LinkedHashMap<>();
    }

    private static List<Object> with(@Nullable Object before, List<?> added) {
        var all = new ArrayList<Object>();
        if (before instanceof List<?> list) {
            all.addAll(list);
        }
        all.addAll(added);
        return all;
    }
}
