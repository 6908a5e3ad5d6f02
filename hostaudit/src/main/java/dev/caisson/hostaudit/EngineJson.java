package dev.caisson.hostaudit;

import io.avaje.json.JsonException;
import io.avaje.jsonb.Jsonb;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// `daemon.json` as a value, and as text with a line for each setting.
final class EngineJson {
    /// Beyond it a double does not tell two whole numbers apart.
    private static final double EXACT = 1L << 53;

    private static final Pattern STRING = Pattern.compile("\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"");
    /// A number that the parser may round.
    private static final Pattern LONG_NUMBER = Pattern.compile("[0-9.]{16,}");

    private EngineJson() {}

    /// The settings in the file's order; none for an empty file, nothing for what is no JSON object.
    static Optional<Map<String, Object>> parse(String text) {
        if (text.isBlank()) {
            return Optional.of(Map.of());
        }
        if (LONG_NUMBER.matcher(STRING.matcher(text).replaceAll("")).find()) {
            return Optional.empty();
        }
        try {
            Object value = Jsonb.instance().type(Object.class).fromJson(text);
            if (!(value instanceof Map<?, ?> map)) {
                return Optional.empty();
            }
            Map<String, Object> settings = new LinkedHashMap<>();
            map.forEach((key, item) -> settings.put(String.valueOf(key), item));
            write(settings);
            return Optional.of(settings);
        } catch (JsonException | IllegalStateException | IllegalArgumentException | IndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }

    static String write(Map<String, Object> settings) {
        return write(settings, 0) + "\n";
    }

    private static String write(@Nullable Object value, int indent) {
        String margin = "  ".repeat(indent + 1);
        String end = "\n" + "  ".repeat(indent);
        return switch (value) {
            case null -> "null";
            case Map<?, ?> map when map.isEmpty() -> "{}";
            case Map<?, ?> map ->
                map.entrySet().stream()
                        .map(entry -> margin + quoted(String.valueOf(entry.getKey())) + ": "
                                + write(entry.getValue(), indent + 1))
                        .collect(Collectors.joining(",\n", "{\n", end + "}"));
            case List<?> list when list.isEmpty() -> "[]";
            case List<?> list ->
                list.stream()
                        .map(item -> margin + write(item, indent + 1))
                        .collect(Collectors.joining(",\n", "[\n", end + "]"));
            case String text -> quoted(text);
            case Boolean truth -> truth.toString();
            case Double number -> number(number);
            case Number number -> number.toString();
            default -> throw new IllegalArgumentException("a JSON value of " + value.getClass());
        };
    }

    private static String number(double number) {
        if (Math.abs(number) >= EXACT) {
            throw new IllegalArgumentException("a number that would not stay the same");
        }
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }

    private static String quoted(String text) {
        return Jsonb.instance().type(Object.class).toJson(text);
    }
}
