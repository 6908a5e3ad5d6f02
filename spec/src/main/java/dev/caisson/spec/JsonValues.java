package dev.caisson.spec;

import dev.caisson.linux.ByteText;
import dev.caisson.text.Json;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Values of a written specification. A text that is not UTF-8, which JSON cannot hold, is an object with its bytes.
final class JsonValues {
    private static final String BYTES = "bytes";

    private JsonValues() {}

    static Map<String, @Nullable Object> object(Object json) {
        if (json instanceof Map<?, ?> map) {
            return Json.members(map);
        }
        throw expected("an object", json);
    }

    static Object text(String text) {
        return ByteText.isUtf8(text) ? text : Map.of(BYTES, Base64.getEncoder().encodeToString(ByteText.bytes(text)));
    }

    static @Nullable Object text(Optional<String> text) {
        return text.map(JsonValues::text).orElse(null);
    }

    static String text(Object json) {
        if (json instanceof Map<?, ?> map && map.size() == 1 && map.get(BYTES) instanceof String base64) {
            return ByteText.of(Base64.getDecoder().decode(base64));
        }
        if (json instanceof String text) {
            return text;
        }
        throw expected("a text", json);
    }

    static List<Object> texts(List<String> texts) {
        return texts.stream().map(text -> text(text)).toList();
    }

    static List<String> texts(Object json) {
        return list(json, JsonValues::text);
    }

    static <T> List<T> list(Object json, Function<Object, T> read) {
        if (!(json instanceof List<?> list)) {
            throw expected("a list", json);
        }
        var values = new ArrayList<T>();
        for (Object one : list) {
            if (one == null) {
                throw expected("a value", "null");
            }
            values.add(read.apply(one));
        }
        return values;
    }

    /// A map, as a list of pairs, which keep their order and may have bytes for keys.
    static List<Object> pairs(Map<String, String> map) {
        return map.entrySet().stream()
                .map(entry -> (Object) List.of(text(entry.getKey()), text(entry.getValue())))
                .toList();
    }

    /// @param add gives the value with one pair more
    static <T> T pairs(T without, Object json, Adding<T> add) {
        T value = without;
        for (List<Object> pair : list(json, one -> list(one, part -> part))) {
            if (pair.size() != 2) {
                throw expected("a list of two", pair);
            }
            value = add.with(value, text(pair.get(0)), text(pair.get(1)));
        }
        return value;
    }

    /// Gives a value with one pair more.
    interface Adding<T> {
        T with(T value, String key, String text);
    }

    static <E extends Enum<E>> List<Object> names(Set<E> constants) {
        return constants.stream()
                .map(constant -> (Object) constant.name())
                .sorted()
                .toList();
    }

    static <E extends Enum<E>> E constant(Class<E> type, Object json) {
        return Enum.valueOf(type, text(json));
    }

    static <E extends Enum<E>> Set<E> constants(Class<E> type, Object json) {
        return Set.copyOf(list(json, one -> constant(type, one)));
    }

    /// Reads each of a list into the value.
    static <T, E> T each(T without, List<E> elements, BiFunction<T, E, T> add) {
        T value = without;
        for (E element : elements) {
            value = add.apply(value, element);
        }
        return value;
    }

    static boolean truth(Object json) {
        if (json instanceof Boolean truth) {
            return truth;
        }
        throw expected("true or false", json);
    }

    static long number(Object json) {
        if (json instanceof Long number) {
            return number;
        }
        throw expected("a whole number", json);
    }

    static int small(Object json) {
        return Math.toIntExact(number(json));
    }

    static Bytes bytes(Object json) {
        return Bytes.of(number(json));
    }

    static @Nullable Object bytes(Optional<Bytes> amount) {
        return amount.map(Bytes::count).orElse(null);
    }

    static Duration duration(Object json) {
        return Duration.parse(text(json));
    }

    static Object path(Path path) {
        String text = path.toString();
        if (!Path.of(text).equals(path)) {
            throw new IllegalArgumentException("the path " + ByteText.shown(text) + " is of another file system");
        }
        return text(text);
    }

    static Path path(Object json) {
        return Path.of(text(json));
    }

    static IllegalArgumentException expected(String what, Object found) {
        return new IllegalArgumentException(
                what + " is expected, not a " + found.getClass().getSimpleName());
    }
}
