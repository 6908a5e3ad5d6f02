package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import io.avaje.json.JsonReader;
import io.avaje.json.stream.JsonStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A JSON object of an image, read strictly, because what two readers understand differently can be used to show one
/// of them another image (CVE-2021-41190): UTF-8, bounded depth, nothing behind it, no key twice. A key that is null is
/// absent.
final class JsonObject {
    private static final int DEEPEST = 32;
    private static final int LONGEST_NUMBER = 40;

    private final String what;
    private final Map<String, Object> members;

    private JsonObject(String what, Map<String, Object> members) {
        this.what = what;
        this.members = members;
    }

    /// @param what is read, for messages: `the manifest`
    static JsonObject parse(String what, byte[] json) {
        if (parseAny(what, json) instanceof Map<?, ?> map) {
            return of(what, map);
        }
        throw bad(what, "is no object");
    }

    static List<JsonObject> parseArray(String what, byte[] json) {
        if (parseAny(what, json) instanceof List<?> list) {
            return objects(what, list);
        }
        throw bad(what, "is no list");
    }

    private static Object parseAny(String what, byte[] json) {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(json))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new ImageException(Code.BAD_MANIFEST, what + " of the image is not UTF-8; build the image again", e);
        }
        checkShape(what, text);
        try (JsonReader reader = JsonStream.builder().build().reader(text)) {
            return value(what, reader);
        } catch (ImageException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new ImageException(
                    Code.BAD_MANIFEST, what + " of the image is not well-formed JSON; build the image again", e);
        }
    }

    /// The parser recurses, ends at the closing brace and converts numbers of any length: bounds come before it.
    private static void checkShape(String what, String text) {
        int depth = 0;
        int number = 0;
        boolean inString = false;
        boolean closed = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (inString) {
                if (c < ' ') {
                    throw bad(what, "has a control character in a string");
                }
                if (c == '\\') {
                    i++;
                } else if (c == '"') {
                    inString = false;
                }
                continue;
            }
            if (closed && " \t\r\n".indexOf(c) < 0) {
                throw bad(what, "is followed by something");
            }
            number = (c >= '0' && c <= '9') || c == '.' ? number + 1 : 0;
            if (number > LONGEST_NUMBER) {
                throw bad(what, "has an endless number");
            }
            switch (c) {
                case '"' -> inString = true;
                case '{', '[' -> depth++;
                case '}', ']' -> closed = --depth == 0;
                default -> {}
            }
            if (depth > DEEPEST || depth < 0) {
                throw bad(what, "is nested too deep or closed too often");
            }
        }
        if (!closed) {
            throw bad(what, "is cut off");
        }
    }

    private static Object value(String what, JsonReader reader) {
        return switch (reader.currentToken()) {
            case BEGIN_OBJECT -> {
                var members = new LinkedHashMap<String, Object>();
                reader.beginObject();
                while (reader.hasNextField()) {
                    String key = reader.nextField();
                    if (members.put(key, value(what, reader)) != null) {
                        throw bad(what, "has the key " + Quoted.of(key) + " twice");
                    }
                }
                reader.endObject();
                yield members;
            }
            case BEGIN_ARRAY -> {
                var elements = new ArrayList<>();
                reader.beginArray();
                while (reader.hasNextElement()) {
                    elements.add(value(what, reader));
                }
                reader.endArray();
                yield elements;
            }
            case STRING -> reader.readString();
            case NUMBER -> reader.readDecimal();
            case BOOLEAN -> reader.readBoolean();
            case NULL -> {
                if (!reader.isNullValue()) {
                    throw bad(what, "has an unknown word");
                }
                yield Optional.empty();
            }
        };
    }

    private static JsonObject of(String what, Map<?, ?> map) {
        var members = new LinkedHashMap<String, Object>();
        map.forEach((key, value) -> members.put(String.valueOf(key), value));
        members.values().removeIf(Optional.empty()::equals);
        return new JsonObject(what, members);
    }

    boolean has(String key) {
        return members.containsKey(key);
    }

    Optional<String> string(String key) {
        return member(key, String.class);
    }

    String required(String key) {
        return string(key).orElseThrow(() -> bad(what, "has no " + key));
    }

    Optional<Long> number(String key) {
        return member(key, BigDecimal.class).map(value -> {
            try {
                return value.longValueExact();
            } catch (ArithmeticException e) {
                throw new ImageException(
                        Code.BAD_MANIFEST, what + " of the image has a " + key + " that is no whole number", e);
            }
        });
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
        object(key).ifPresent(object -> object.members.keySet().forEach(name -> map.put(name, object.required(name))));
        return map;
    }

    /// The keys of an object whose values mean nothing, as exposed ports are.
    List<String> keys(String key) {
        return object(key).map(object -> List.copyOf(object.members.keySet())).orElse(List.of());
    }

    private <T> Optional<T> member(String key, Class<T> type) {
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
        return new ImageException(Code.BAD_MANIFEST, what + " of the image " + fault + "; fetch or build it again");
    }
}
