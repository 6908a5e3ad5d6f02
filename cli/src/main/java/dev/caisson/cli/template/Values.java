package dev.caisson.cli.template;

import dev.caisson.text.TerminalText;
import io.avaje.json.mapper.JsonMapper;
import io.avaje.json.stream.JsonStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Values of templates: how they print, which of them are true, how they compare.
final class Values {
    /// The value of a key that a dictionary lacks.
    static final Object NONE = new Object() {
        @Override
        public String toString() {
            return "<no value>";
        }
    };

    private static final JsonMapper JSON = JsonMapper.builder()
            .jsonStream(JsonStream.builder()
                    .serializeEmpty(true)
                    .serializeNulls(true)
                    .build())
            .build();

    private Values() {}

    /// Returns the text of a value as Go prints it.
    static String text(@Nullable Object value) {
        return switch (value) {
            case null -> "<nil>";
            case List<?> list ->
                "[" + String.join(" ", list.stream().map(Values::text).toList()) + "]";
            case Map<?, ?> object ->
                "{" + listed(object).values().stream().map(Values::text).collect(Collectors.joining(" ")) + "}";
            case Template.Lookup _ -> throw withoutArgument();
            case Template.Dictionary map -> map(map.entries());
            default -> value.toString();
        };
    }

    private static TemplateException withoutArgument() {
        return new TemplateException("a field in --format lacks its argument, a text");
    }

    /// Returns the fields that a whole object shows.
    static Map<Object, @Nullable Object> listed(Map<?, ?> object) {
        var listed = new LinkedHashMap<Object, @Nullable Object>();
        object.forEach((name, value) -> {
            if (!(value instanceof Template.Unlisted)) {
                listed.put(name, value);
            }
        });
        return listed;
    }

    private static String map(Map<?, ?> map) {
        var entries = new ArrayList<String>();
        new TreeMap<Object, Object>(map).forEach((key, value) -> entries.add(text(key) + ":" + text(value)));
        return "map[" + String.join(" ", entries) + "]";
    }

    static boolean isTrue(@Nullable Object value) {
        return switch (value) {
            case null -> false;
            case Boolean truth -> truth;
            case Number number -> number.longValue() != 0;
            case String text -> !text.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case Template.Dictionary map -> !map.entries().isEmpty();
            default -> value != NONE;
        };
    }

    /// Returns the value as JSON in one line; what a terminal would act on is escaped.
    static String json(@Nullable Object value) {
        return TerminalText.json(JSON.toJson(plain(value)));
    }

    private static @Nullable Object plain(@Nullable Object value) {
        return switch (value) {
            case null -> null;
            case Template.Lookup _ -> throw withoutArgument();
            case Template.Dictionary map -> plain(map.entries());
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<String, @Nullable Object>();
                listed(map).forEach((key, one) -> copy.put(String.valueOf(key), plain(one)));
                yield copy;
            }
            case List<?> list -> list.stream().map(Values::plain).toList();
            default -> value == NONE ? null : value;
        };
    }

    /// @throws TemplateException if they are of two kinds
    static int compare(@Nullable Object one, @Nullable Object other) {
        if (one instanceof Number a && other instanceof Number b) {
            return Long.compare(a.longValue(), b.longValue());
        }
        if (one instanceof String a && other instanceof String b) {
            return a.compareTo(b);
        }
        if (one instanceof Boolean a && other instanceof Boolean b) {
            return a.compareTo(b);
        }
        throw new TemplateException(
                "incompatible types for comparison in --format: " + text(one) + " and " + text(other));
    }

    static boolean areEqual(@Nullable Object one, @Nullable Object other) {
        if (one == null || other == null || one == NONE || other == NONE) {
            return Objects.equals(one, other);
        }
        return compare(one, other) == 0;
    }
}
