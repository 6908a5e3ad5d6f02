package dev.caisson.engine;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// The files of JSON in the directory of a container that is kept: what it is, how it ended, what it was denied. One
/// that is not there or was not written whole tells nothing.
final class KeptFile {
    /// What a container is, as it was asked for.
    ///
    /// @param command the first of its arguments
    record Origin(String image, List<String> command, Map<String, String> labels, Instant created) {}

    /// How a container ended.
    ///
    /// @param logFailure why its log ends early; empty where it does not
    record Ending(RunResult result, Instant time, String logFailure) {}

    static final String ORIGIN = "container.json";
    private static final String ENDING = "end.json";
    private static final String DENIALS = "denials.json";

    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder().serializeEmpty(true).build())
            .build();
    private static final long BENEATH = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
    private static final int MOST = 4 << 20;
    private static final int LONGEST_ARGUMENT = 256;
    private static final int MOST_ARGUMENTS = 16;

    private KeptFile() {}

    static void write(Fd directory, Origin origin) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("image", origin.image());
        fields.put("command", shortened(origin.command()));
        fields.put("labels", origin.labels());
        fields.put("createdMillis", origin.created().toEpochMilli());
        write(directory, ORIGIN, fields);
    }

    /// The beginning of a command, for people.
    static List<String> shortened(List<String> command) {
        return command.stream().limit(MOST_ARGUMENTS).map(KeptFile::shortened).toList();
    }

    /// JSON has no bytes that are not UTF-8.
    private static String shortened(String given) {
        String argument = ByteText.shown(given);
        if (argument.length() <= LONGEST_ARGUMENT) {
            return argument;
        }
        int end = LONGEST_ARGUMENT - (Character.isHighSurrogate(argument.charAt(LONGEST_ARGUMENT - 1)) ? 1 : 0);
        return argument.substring(0, end) + "…";
    }

    static Optional<Origin> origin(Fd directory) {
        return read(
                directory,
                ORIGIN,
                fields -> new Origin(
                        text(fields, "image"),
                        texts(fields, "command"),
                        labels(fields),
                        Instant.ofEpochMilli(number(fields, "createdMillis"))));
    }

    private static Map<String, String> labels(Map<?, ?> fields) {
        var labels = new LinkedHashMap<String, String>();
        if (fields.get("labels") instanceof Map<?, ?> found) { // an earlier version did not write them
            found.forEach((key, value) -> labels.put((String) key, (String) value));
        }
        return labels;
    }

    static void write(Fd directory, Ending ending) {
        RunResult result = ending.result();
        var fields = new LinkedHashMap<String, Object>();
        fields.put("verdict", result.verdict().name());
        fields.put("exitCode", result.exitCode());
        fields.put("signal", result.signal());
        fields.put("wallClockNanos", result.wallClock().toNanos());
        fields.put("cpuTimeNanos", result.cpuTime().toNanos());
        fields.put("peakMemory", result.peakMemory().count());
        result.resources().put(fields);
        fields.put("oomKills", result.oomKills());
        fields.put("pidsRefused", result.pidsRefused());
        fields.put(
                "streamFailures",
                result.streamFailures().stream().map(KeptFile::fields).toList());
        fields.put("obstacles", result.obstacles().stream().map(Obstacle::name).toList());
        fields.put("endedMillis", ending.time().toEpochMilli());
        fields.put("logFailure", ending.logFailure());
        write(directory, ENDING, fields);
    }

    static Optional<Ending> ending(Fd directory, ContainerId id) {
        return read(
                directory,
                ENDING,
                fields -> new Ending(
                        new RunResult(
                                id,
                                Verdict.valueOf(text(fields, "verdict")),
                                (int) number(fields, "exitCode"),
                                (int) number(fields, "signal"),
                                RunResult.Captured.NOTHING,
                                RunResult.Captured.NOTHING,
                                Duration.ofNanos(number(fields, "wallClockNanos")),
                                Duration.ofNanos(number(fields, "cpuTimeNanos")),
                                Bytes.of(number(fields, "peakMemory")),
                                number(fields, "oomKills"),
                                number(fields, "pidsRefused"),
                                denials(directory),
                                Optional.empty(),
                                streamFailures(fields),
                                obstacles(fields),
                                RunResult.Resources.of(fields)),
                        Instant.ofEpochMilli(number(fields, "endedMillis")),
                        text(fields, "logFailure")));
    }

    static Map<String, String> fields(StreamFailure failure) {
        return Map.of(
                "stream", failure.stream().name(),
                "reason", failure.reason().name(),
                "detail", failure.detail());
    }

    private static List<StreamFailure> streamFailures(Map<?, ?> fields) {
        var failures = new ArrayList<StreamFailure>();
        for (Object one : (List<?>) need(fields, "streamFailures")) {
            var known = (Map<?, ?>) one;
            failures.add(new StreamFailure(
                    StreamFailure.Stream.valueOf(text(known, "stream")),
                    StreamFailure.Reason.valueOf(text(known, "reason")),
                    text(known, "detail")));
        }
        return List.copyOf(failures);
    }

    private static List<Obstacle> obstacles(Map<?, ?> fields) {
        return fields.containsKey("obstacles")
                ? texts(fields, "obstacles").stream().map(Obstacle::valueOf).toList()
                : List.of(); // kept by an earlier version
    }

    static void write(Fd directory, List<Denial> denials) {
        write(
                directory,
                DENIALS,
                Map.of("denials", denials.stream().map(Denial::fields).toList()));
    }

    static List<Denial> denials(Fd directory) {
        return read(directory, DENIALS, fields -> {
                    var denials = new ArrayList<Denial>();
                    for (Object one : (List<?>) need(fields, "denials")) {
                        denials.add(Denial.of((Map<?, ?>) one));
                    }
                    return List.copyOf(denials);
                })
                .orElse(List.of());
    }

    /// It is there whole or not at all, whenever this process ends.
    private static void write(Fd directory, String name, Map<String, Object> fields) {
        String partial = "." + name;
        try (Fd file = FileSystem.openAt(
                directory, partial, FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_TRUNC, 0600, BENEATH)) {
            FileSystem.write(file, JSON.toJson(fields).getBytes(StandardCharsets.UTF_8));
        }
        FileSystem.rename(directory, partial, directory, name, true);
    }

    private static <T> Optional<T> read(Fd directory, String name, Function<Map<?, ?>, T> made) {
        try (Fd file = FileSystem.openAt(directory, name, FileSystem.O_RDONLY, 0, BENEATH)) {
            return Json.parse(FileSystem.read(file, MOST), Json.Limits.DEFAULT) instanceof Map<?, ?> fields
                    ? Optional.of(made.apply(fields))
                    : Optional.empty();
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw e;
        } catch (MalformedJsonException | IllegalArgumentException | ClassCastException e) {
            return Optional.empty(); // a power failure came before the disk had it
        }
    }

    static String text(Map<?, ?> fields, String name) {
        return (String) need(fields, name);
    }

    static long number(Map<?, ?> fields, String name) {
        return ((Number) need(fields, name)).longValue();
    }

    static List<String> texts(Map<?, ?> fields, String name) {
        return ((List<?>) need(fields, name)).stream().map(String.class::cast).toList();
    }

    private static Object need(Map<?, ?> fields, String name) {
        Object value = fields.get(name);
        if (value == null) {
            throw new IllegalArgumentException("no field " + name);
        }
        return value;
    }
}
