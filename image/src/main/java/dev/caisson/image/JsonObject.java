package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import dev.caisson.text.Quoted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A JSON object of an image, read strictly, because what two readers understand differently can be used to
/// show one of them another image (CVE-2021-41190): bounded, no key twice, and none that differs from a
/// wanted one by case alone, which Go's readers take for the same. A key that is null is absent.
final class JsonObject {
    private static final Json.Limits LIMITS = new Json.Limits(4 << 20, 32, 200_000);

    private final String what;
    private final Map<String, @Nullable Object> members;

    private JsonObject(String what, Map<String, @Nullable Object> members) {
        this.what = what;
        this.members = members;
    }

    /// @param what is read, for messages: `the manifest`
    static JsonObject parse(String what, byte[] json) {
        if (parseAny(what, json) instanceof Map<?, ?> map) {
            return of(what, map);
        }
        throw bad(what, "is not an object");
    }

    static List<JsonObject> parseArray(String what, byte[] json) {
        if (parseAny(what, json) instanceof List<?> list) {
            return objects(what, list);
        }
        throw bad(what, "is not a list");
    }

    private static @Nullable Object parseAny(String what, byte[] json) {
        try {
            return Json.parse(json, LIMITS);
        } catch (MalformedJsonException e) {
            throw new ImageException(Code.BAD_MANIFEST, sentence(what, e.getMessage()), e);
        }
    }

    private static JsonObject of(String what, Map<?, ?> map) {
        var members = new LinkedHashMap<String, @Nullable Object>();
        map.forEach((key, value) -> members.put(String.valueOf(key), value));
        members.values().removeIf(Objects::isNull);
        return new JsonObject(what, members);
    }

    boolean has(String key) {
        return member(key, Object.class).isPresent();
    }

    Optional<String> string(String key) {
        return member(key, String.class);
    }

    String required(String key) {
        return string(key).orElseThrow(() -> bad(what, "has no " + key));
    }

    Optional<Long> number(String key) {
        return member(key, Long.class);
    }

    Optional<JsonObject> object(String key) {
        return member(key, Map.class).map(map -> of(what, map));
    }

    List<JsonObject> objects(String key) {
        return member(key, List.class).map(list -> objects(what, list)).orElse(List.of());
    }

    List<String> strings(String key) {
        var strings = new ArrayList<String>();
        for (Object element : member(key, List.class).orElse(List.of())) {
            if (!(element instanceof String string)) {
                throw bad(what, "has something else than strings in " + key);
            }
            strings.add(string);
        }
        return strings;
    }

    /// The members of an object whose values are all strings, as labels are.
    Map<String, String> stringMap(String key) {
        var map = new LinkedHashMap<String, String>();
        object(key)
                .ifPresent(object -> object.members.forEach((name, value) -> {
                    if (!(value instanceof String text)) {
                        throw bad(what, "has something else than strings in " + key);
                    }
                    map.put(name, text);
                }));
        return map;
    }

    /// The keys of an object whose values mean nothing, as exposed ports are.
    List<String> keys(String key) {
        return object(key).map(object -> List.copyOf(object.members.keySet())).orElse(List.of());
    }

    private <T> Optional<T> member(String key, Class<T> type) {
        for (String name : members.keySet()) {
            if (name.equalsIgnoreCase(key) && !name.equals(key)) {
                throw bad(what, "has the key " + Quoted.of(name) + ", which is read as " + key + " by some");
            }
        }
        Object value = members.get(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!type.isInstance(value)) {
            throw bad(what, "has a " + key + " of a wrong type");
        }
        return Optional.of(type.cast(value));
    }

    private static List<JsonObject> objects(String what, List<?> list) {
        var objects = new ArrayList<JsonObject>();
        for (Object element : list) {
            if (!(element instanceof Map<?, ?> map)) {
                throw bad(what, "has something else than objects in a list of them");
            }
            objects.add(of(what, map));
        }
        return objects;
    }

    private static ImageException bad(String what, String fault) {
        return new ImageException(Code.BAD_MANIFEST, sentence(what, fault));
    }

    private static String sentence(String what, @Nullable String fault) {
        return what + " of the image " + fault + "; fetch or build it again";
    }
}
