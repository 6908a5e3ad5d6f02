package dev.caisson.hostaudit.facts;

import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A JSON value of which nothing is certain: what is not there, or of another kind, reads as empty.
public record Tree(@Nullable Object value) {
    public static final Tree NONE = new Tree(null);

    /// Parses a text.
    ///
    /// @throws MalformedJsonException if the text is not JSON
    public static Tree parse(String json) {
        return new Tree(Json.parse(json));
    }

    public Tree at(String... keys) {
        Object here = value;
        for (String key : keys) {
            here = here instanceof Map<?, ?> map ? map.get(key) : null;
        }
        return new Tree(here);
    }

    public boolean present() {
        return value != null;
    }

    public Optional<String> text() {
        return switch (value) {
            case String string -> Optional.of(string);
            case Boolean truth -> Optional.of(truth.toString());
            case Number number -> Optional.of(plain(number));
            case null, default -> Optional.empty();
        };
    }

    public String textOr(String otherwise) {
        return text().orElse(otherwise);
    }

    private static String plain(Number number) {
        return number.doubleValue() == number.longValue() ? Long.toString(number.longValue()) : number.toString();
    }

    /// A whole number.
    /// @throws ArithmeticException for one of more than 64 bits, which would read as another
    public long number(long otherwise) {
        if (value instanceof Number number) {
            if (!(number instanceof Long) && !(Math.abs(number.doubleValue()) < 0x1p63)) {
                throw new ArithmeticException("a number has more than 64 bits: " + number);
            }
            return number.longValue();
        }
        return otherwise;
    }

    public boolean truth() {
        return Boolean.TRUE.equals(value);
    }

    public boolean isList() {
        return value instanceof List<?>;
    }

    public List<Tree> list() {
        return value instanceof List<?> list ? list.stream().map(Tree::new).toList() : List.of();
    }

    public List<String> texts() {
        return list().stream().flatMap(item -> item.text().stream()).toList();
    }

    public Map<String, Tree> map() {
        Map<String, Tree> result = new LinkedHashMap<>();
        if (value instanceof Map<?, ?> map) {
            map.forEach((key, item) -> result.put(String.valueOf(key), new Tree(item)));
        }
        return result;
    }

    public Map<String, String> textMap() {
        Map<String, String> result = new java.util.TreeMap<>();
        map().forEach((key, item) -> result.put(key, item.textOr("")));
        return result;
    }
}
