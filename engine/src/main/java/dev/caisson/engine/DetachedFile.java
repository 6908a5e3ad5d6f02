package dev.caisson.engine;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelText;
import dev.caisson.spec.Bytes;
import dev.caisson.state.KeptFile;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What stands in the directory of a kept container that outlives its command: where its monitor is found, and what was
/// asked of it.
///
/// @param place directory of the state that the monitor holds
/// @param boot id of the kernel's boot in which it was created
/// @param image digest of the image that it was created from; empty for `host` and `dir:`
/// @param stopSignal that asks it to end
/// @param input whether something may be written to its standard input
record DetachedFile(
        String place,
        String boot,
        String image,
        DetachedOptions options,
        int stopSignal,
        Duration stopTimeout,
        Optional<Duration> deadline,
        boolean terminal,
        boolean input) {
    private static final String BOOT_ID = "/proc/sys/kernel/random/boot_id";
    static final String NAME = "detached.json";
    private static final String WANTED = "wanted.json";
    private static final long VERSION = 1;

    void write(Fd directory) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("version", VERSION);
        fields.put("place", place);
        fields.put("boot", boot);
        fields.put("image", image);
        fields.put("restart", options.restart().toString());
        fields.put("removedAtEnd", options.removedAtEnd());
        fields.put("imageVolumes", options.imageVolumes());
        options.lease().ifPresent(lease -> fields.put("leaseMillis", lease.toMillis()));
        fields.put("stopSignal", stopSignal);
        fields.put("stopMillis", stopTimeout.toMillis());
        deadline.ifPresent(time -> fields.put("deadlineMillis", time.toMillis()));
        if (options.health().command().isPresent()) {
            fields.put("health", fields(options.health()));
        }
        if (!options.log().equals(LogFiles.STANDARD)) {
            fields.put("log", fields(options.log()));
        }
        fields.put("terminal", terminal);
        fields.put("input", input);
        KeptFile.write(directory, NAME, fields);
    }

    /// Empty where the container ended with its command, or the file is not whole.
    static Optional<DetachedFile> read(Fd directory) {
        return KeptFile.read(directory, NAME, DetachedFile::of);
    }

    private static DetachedFile of(Map<?, ?> fields) {
        return new DetachedFile(
                KeptFile.text(fields, "place"),
                KeptFile.text(fields, "boot"),
                fields.get("image") instanceof String digest ? digest : "", // an earlier version did not write it
                new DetachedOptions(
                        RestartPolicy.parse(KeptFile.text(fields, "restart")),
                        Boolean.TRUE.equals(fields.get("removedAtEnd")),
                        fields.get("health") instanceof Map<?, ?> health ? health(health) : HealthCheck.NONE,
                        millis(fields, "leaseMillis"),
                        fields.get("log") instanceof Map<?, ?> log ? log(log) : LogFiles.STANDARD,
                        Boolean.TRUE.equals(fields.get("imageVolumes"))),
                (int) KeptFile.number(fields, "stopSignal"),
                Duration.ofMillis(KeptFile.number(fields, "stopMillis")),
                millis(fields, "deadlineMillis"),
                Boolean.TRUE.equals(fields.get("terminal")),
                Boolean.TRUE.equals(fields.get("input")));
    }

    private static Map<String, Object> fields(HealthCheck health) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("test", health.test());
        fields.put("intervalMillis", health.interval().toMillis());
        fields.put("timeoutMillis", health.timeout().toMillis());
        fields.put("startPeriodMillis", health.startPeriod().toMillis());
        fields.put("startIntervalMillis", health.startInterval().toMillis());
        fields.put("retries", (long) health.retries());
        fields.put("onFailure", health.onFailure().name());
        return fields;
    }

    private static HealthCheck health(Map<?, ?> fields) {
        return new HealthCheck(
                KeptFile.texts(fields, "test"),
                millis(fields, "intervalMillis").orElse(Duration.ZERO),
                millis(fields, "timeoutMillis").orElse(Duration.ZERO),
                millis(fields, "startPeriodMillis").orElse(Duration.ZERO),
                millis(fields, "startIntervalMillis").orElse(Duration.ZERO),
                (int) KeptFile.number(fields, "retries"),
                HealthCheck.OnFailure.valueOf(KeptFile.text(fields, "onFailure")));
    }

    private static Map<String, Object> fields(LogFiles log) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("place", log.place().name());
        fields.put("most", log.most().count());
        fields.put("count", (long) log.count());
        return fields;
    }

    private static LogFiles log(Map<?, ?> fields) {
        return new LogFiles(
                LogFiles.Place.valueOf(KeptFile.text(fields, "place")), Bytes.of(KeptFile.number(fields, "most")), (int)
                        KeptFile.number(fields, "count"));
    }

    private static Optional<Duration> millis(Map<?, ?> fields, String name) {
        return fields.get(name) instanceof Number number
                ? Optional.of(Duration.ofMillis(number.longValue()))
                : Optional.empty();
    }

    DetachedFile with(DetachedOptions changed) {
        return new DetachedFile(place, boot, image, changed, stopSignal, stopTimeout, deadline, terminal, input);
    }

    /// Returns the id of the kernel's boot that this process runs in.
    static String thisBoot() {
        try (Fd file = FileSystem.open(BOOT_ID, FileSystem.O_RDONLY)) {
            return KernelText.read(file);
        }
    }

    boolean isOfThisBoot() {
        return boot.equals(thisBoot());
    }

    /// Records, before the act, whether the container is meant to run.
    static void wants(Fd directory, boolean up) {
        KeptFile.write(directory, WANTED, Map.of("up", up));
    }

    /// Takes back the first one, of a container that could not be started.
    static void wantsNothing(Fd directory) {
        FileSystem.removeFile(directory, WANTED);
    }

    /// Returns whether it is meant to run; empty if nobody ever started it.
    static Optional<Boolean> isWanted(Fd directory) {
        return KeptFile.read(directory, WANTED, fields -> Boolean.TRUE.equals(fields.get("up")));
    }
}
