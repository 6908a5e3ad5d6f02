package dev.caisson.hostaudit.proposals;

import dev.caisson.hostaudit.engines.EngineConfiguration;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import io.avaje.jsonb.Jsonb;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// `daemon.json` as a value, and as text with a line for each setting.
public final class EngineJson {
    private EngineJson() {}

    /// Returns the settings in the file's order: none for an empty file, nothing for text that is not a JSON object.
    public static Optional<Map<String, @Nullable Object>> parse(String file) {
        String text = EngineConfiguration.withoutMark(file);
        if (text.isBlank()) {
            return Optional.of(Map.of());
        }
        try {
            return Optional.of(Json.parseObject(text, Json.Limits.DEFAULT));
        } catch (MalformedJsonException e) {
            return Optional.empty();
        }
    }

    public static String write(Map<String, @Nullable Object> settings) {
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
            case Number number -> number.toString();
            default -> throw new IllegalArgumentException("a JSON value of " + value.getClass());
        };
    }

    private static String quoted(String text) {
        return Jsonb.instance().type(Object.class).toJson(text);
    }
}
