package dev.caisson.state;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Denial;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// The files of JSON in the directory of a container that is kept: what it is, how it ended, what it was denied. One
/// that is not there or was not written whole tells nothing.
public final class KeptFile {
    /// The spec of a container, as it was asked for.
    ///
    /// @param command the first of its arguments
    /// @param stopSignal asks it to end; 0 if an earlier version wrote this, or it is kept elsewhere
    public record Origin(
            String image, List<String> command, Map<String, String> labels, Instant created, int stopSignal) {
        public Origin(String image, List<String> command, Map<String, String> labels, Instant created) {
            this(image, command, labels, created, 0);
        }
    }

    public static final String ORIGIN = "container.json";
    public static final String ENDING = "end.json";
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
        fields.put("stopSignal", origin.stopSignal());
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

    public static Optional<Origin> origin(Fd directory) {
        return read(
                directory,
                ORIGIN,
                fields -> new Origin(
                        text(fields, "image"),
                        texts(fields, "command"),
                        labels(fields),
                        Instant.ofEpochMilli(number(fields, "createdMillis")),
                        fields.get("stopSignal") instanceof Number signal ? signal.intValue() : 0));
    }

    private static Map<String, String> labels(Map<?, ?> fields) {
        var labels = new LinkedHashMap<String, String>();
        if (fields.get("labels") instanceof Map<?, ?> found) { // an earlier version did not write them
            found.forEach((key, value) -> labels.put((String) key, (String) value));
        }
        return labels;
    }

    /// Writes how it ended: texts, numbers and lists by name.
    static void writeEnding(Fd directory, Map<String, Object> fields) {
        write(directory, ENDING, fields);
    }

    /// How it ended, made of what was written; empty where nobody knows.
    public static <T> Optional<T> ending(Fd directory, Function<Map<?, ?>, T> made) {
        return read(directory, ENDING, made);
    }

    static void write(Fd directory, List<Denial> denials) {
        write(
                directory,
                DENIALS,
                Map.of("denials", denials.stream().map(Denial::fields).toList()));
    }

    public static List<Denial> denials(Fd directory) {
        return read(directory, DENIALS, fields -> {
                    var denials = new ArrayList<Denial>();
                    for (Object one : (List<?>) need(fields, "denials")) {
                        denials.add(denial((Map<?, ?>) one));
                    }
                    return List.copyOf(denials);
                })
                .orElse(List.of());
    }

    private static Denial denial(Map<?, ?> fields) {
        return new Denial(
                text(fields, "call"),
                text(fields, "answer"),
                text(fields, "program"),
                text(fields, "executable"),
                text(fields, "location"),
                texts(fields, "reasons"),
                number(fields, "count"));
    }

    /// It is there whole or not at all, whenever this process ends.
    public static void write(Fd directory, String name, Map<String, Object> fields) {
        writeText(directory, name, JSON.toJson(fields));
    }

    /// Like [#write(Fd, String, Map)], of JSON that is a text already.
    public static void writeText(Fd directory, String name, String json) {
        String partial = "." + name;
        try (Fd file = FileSystem.openAt(
                directory, partial, FileSystem.O_WRONLY | FileSystem.O_CREAT | FileSystem.O_TRUNC, 0600, BENEATH)) {
            FileSystem.write(file, json.getBytes(StandardCharsets.UTF_8));
        }
        FileSystem.rename(directory, partial, directory, name, true);
    }

    /// Reads a text of at most `most` bytes; empty if it is not there.
    public static Optional<String> readText(Fd directory, String name, int most) {
        return FileSystem.find(directory, name, FileSystem.O_RDONLY, BENEATH).map(found -> {
            try (Fd file = found) {
                return new String(FileSystem.read(file, most), StandardCharsets.UTF_8);
            }
        });
    }

    public static <T> Optional<T> read(Fd directory, String name, Function<Map<?, ?>, T> made) {
        return FileSystem.find(directory, name, FileSystem.O_RDONLY, BENEATH).flatMap(file -> parsed(file, made));
    }

    private static <T> Optional<T> parsed(Fd open, Function<Map<?, ?>, T> made) {
        try (Fd file = open) {
            return Json.parse(FileSystem.read(file, MOST), Json.Limits.DEFAULT) instanceof Map<?, ?> fields
                    ? Optional.of(made.apply(fields))
                    : Optional.empty();
        } catch (MalformedJsonException | IllegalArgumentException | ClassCastException e) {
            return Optional.empty(); // a power failure came before the disk had it
        }
    }

    public static String text(Map<?, ?> fields, String name) {
        return (String) need(fields, name);
    }

    public static long number(Map<?, ?> fields, String name) {
        return ((Number) need(fields, name)).longValue();
    }

    public static List<String> texts(Map<?, ?> fields, String name) {
        return ((List<?>) need(fields, name)).stream().map(String.class::cast).toList();
    }

    /// Returns the value of a field.
    /// @throws IllegalArgumentException where it is missing
    public static Object need(Map<?, ?> fields, String name) {
        Object value = fields.get(name);
        if (value == null) {
            throw new IllegalArgumentException("no field " + name);
        }
        return value;
    }
}
