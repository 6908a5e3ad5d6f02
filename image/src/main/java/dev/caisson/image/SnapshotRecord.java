package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.text.JsonOutput;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// The description of a snapshot, kept in a file beside its tree.
///
/// @param digest of the container's image; empty for `host` and `dir:`
/// @param trees below it, topmost first, as `layers/HEX`, `rootfs/HEX` or `snapshots/NAME`; those of `host`
///     and `dir:` are found again at each start
/// @param salt makes the digest of each its own
record SnapshotRecord(
        Instant created,
        String container,
        String image,
        String digest,
        List<String> trees,
        ImageConfig config,
        long bytes,
        String salt) {
    static final String OF_SNAPSHOT = "snapshots/";
    static final String OF_LAYER = "layers/";
    static final String OF_MERGED = "rootfs/";
    private static final Pattern TREE =
            Pattern.compile("(?:layers|rootfs)/[0-9a-f]{64}|snapshots/[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");
    private static final String WHAT = "the record of the snapshot";
    /// The reader of configurations wants a layer.
    private static final String NO_LAYER = "sha256:" + "0".repeat(64);

    SnapshotRecord {
        trees = List.copyOf(trees);
    }

    byte[] json() {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("createdMillis", created.toEpochMilli());
        fields.put("container", container);
        fields.put("image", image);
        fields.put("digest", digest);
        fields.put("trees", trees);
        fields.put("bytes", bytes);
        fields.put("salt", salt);
        fields.put("configuration", JsonOutput.of(document(config)));
        return JsonOutput.of(fields).getBytes(StandardCharsets.UTF_8);
    }

    /// @throws ImageException BAD_MANIFEST
    static SnapshotRecord parse(byte[] json) {
        JsonObject fields = JsonObject.parse(WHAT, json);
        List<String> trees = fields.strings("trees");
        if (!trees.stream().allMatch(tree -> TREE.matcher(tree).matches())) {
            throw new ImageException(Code.BAD_MANIFEST, WHAT + " names a tree that cannot be one of the store");
        }
        return new SnapshotRecord(
                Instant.ofEpochMilli(fields.number("createdMillis").orElse(0L)),
                fields.required("container"),
                fields.required("image"),
                fields.required("digest"),
                trees,
                PackedConfig.parse(fields.required("configuration").getBytes(StandardCharsets.UTF_8))
                        .config(),
                fields.number("bytes").orElse(0L),
                fields.required("salt"));
    }

    Snapshot snapshot(SnapshotName name, Digest id) {
        Optional<SnapshotName> parent = trees.stream()
                .findFirst()
                .filter(tree -> tree.startsWith(OF_SNAPSHOT))
                .map(tree -> new SnapshotName(tree.substring(OF_SNAPSHOT.length())));
        return new Snapshot(name, id, created, container, image, parent, bytes);
    }

    /// Returns a configuration as the OCI image specification writes it, so that one reader is enough.
    private static Map<String, Object> document(ImageConfig config) {
        var run = new LinkedHashMap<String, Object>();
        run.put("Entrypoint", config.entrypoint());
        run.put("Cmd", config.cmd());
        var environment = new ArrayList<String>();
        config.env().forEach((name, value) -> environment.add(name + "=" + value));
        run.put("Env", environment);
        run.put("User", config.user());
        run.put("WorkingDir", config.workingDir());
        run.put("ExposedPorts", keys(config.exposedPorts()));
        run.put("Volumes", keys(config.volumes()));
        run.put("Labels", config.labels());
        config.stopSignal().ifPresent(signal -> run.put("StopSignal", signal));
        config.health().ifPresent(health -> run.put("Healthcheck", document(health)));
        var document = new LinkedHashMap<String, Object>();
        document.put("os", config.platform().os());
        document.put("architecture", config.platform().architecture());
        document.put("variant", config.platform().variant());
        document.put("config", run);
        document.put("rootfs", Map.of("diff_ids", List.of(NO_LAYER)));
        return document;
    }

    private static Map<String, Object> document(ImageHealth health) {
        var check = new LinkedHashMap<String, Object>();
        check.put("Test", health.test());
        check.put("Interval", nanos(health.interval()));
        check.put("Timeout", nanos(health.timeout()));
        check.put("StartPeriod", nanos(health.startPeriod()));
        check.put("StartInterval", nanos(health.startInterval()));
        check.put("Retries", (long) health.retries());
        return check;
    }

    private static long nanos(Duration duration) {
        return duration.toNanos();
    }

    private static Map<String, Object> keys(List<String> names) {
        var keys = new LinkedHashMap<String, Object>();
        names.forEach(name -> keys.put(name, Map.of()));
        return keys;
    }
}
