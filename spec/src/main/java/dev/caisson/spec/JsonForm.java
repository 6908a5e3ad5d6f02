package dev.caisson.spec;

import dev.caisson.error.CaissonException;
import dev.caisson.text.Quoted;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// How a value is written as a JSON object and read back: one line for each of its fields. A field that is not there or
/// null leaves what the value has without it, so that a later version reads what an earlier one wrote; a field that is
/// not known is refused, because it may be a protection.
///
/// @param <T> the value
final class JsonForm<T> {
    /// One field of an object.
    ///
    /// @param write null where the value has none
    /// @param read gives the value with what was read
    record Field<T>(String name, Function<T, @Nullable Object> write, BiFunction<T, Object, T> read) {}

    private final String what;
    private final List<Field<T>> fields;

    /// @param what the value, for errors
    @SafeVarargs
    @SuppressWarnings("varargs") // List.of copies the array
    JsonForm(String what, Field<T>... fields) {
        this.what = what;
        this.fields = List.of(fields);
    }

    static <T> Field<T> field(String name, Function<T, @Nullable Object> write, BiFunction<T, Object, T> read) {
        return new Field<>(name, write, read);
    }

    List<String> names() {
        return fields.stream().map(Field::name).toList();
    }

    Map<String, @Nullable Object> write(T value) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        for (Field<T> field : fields) {
            object.put(field.name(), field.write().apply(value));
        }
        return object;
    }

    /// @param without the value of which no field was written
    /// @throws SpecException SPEC_UNREADABLE
    T read(T without, Object json) {
        return read(without, JsonValues.object(json));
    }

    T read(T without, Map<String, @Nullable Object> object) {
        for (String name : object.keySet()) {
            if (!names().contains(name)) {
                throw new SpecException(
                        "SPEC_UNREADABLE", what + " has the unknown field " + Quoted.of(name) + ": remove it");
            }
        }
        T value = without;
        for (Field<T> field : fields) {
            Object found = object.get(field.name());
            if (found != null) {
                value = read(field, value, found);
            }
        }
        return value;
    }

    private T read(Field<T> field, T value, Object found) {
        try {
            return field.read().apply(value, found);
        } catch (SpecException e) {
            throw e;
        } catch (CaissonException e) {
            throw refused(field, e.sentence(), e);
        } catch (IllegalArgumentException | java.time.DateTimeException | ArithmeticException e) {
            throw refused(field, String.valueOf(e.getMessage()), e);
        }
    }

    private SpecException refused(Field<T> field, String why, RuntimeException cause) {
        return new SpecException(
                "SPEC_UNREADABLE", "the field " + field.name() + " of " + what + " cannot be read: " + why, cause);
    }

    /// The object of a value that is one of several kinds.
    static Map<String, @Nullable Object> kind(String kind, Map<String, @Nullable Object> rest) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        object.put("kind", kind);
        object.putAll(rest);
        return object;
    }

    static Map<String, @Nullable Object> kind(String kind) {
        return kind(kind, Map.of());
    }

    /// Reads one of several kinds.
    /// @param read by kind, what gives the value of the rest of its object
    static <T> T ofKind(String what, Object json, Map<String, Function<Map<String, @Nullable Object>, T>> read) {
        var rest = new LinkedHashMap<>(JsonValues.object(json));
        Object kind = rest.remove("kind");
        Function<Map<String, @Nullable Object>, T> known = kind instanceof String name ? read.get(name) : null;
        if (known == null) {
            throw new SpecException(
                    "SPEC_UNREADABLE",
                    what + " is of the unknown kind " + Quoted.of(String.valueOf(kind)) + ": name one of "
                            + String.join(", ", read.keySet().stream().sorted().toList()));
        }
        return known.apply(rest);
    }

    /// Reads a kind that has no further field.
    static <T> Function<Map<String, @Nullable Object>, T> alone(String what, T value) {
        return rest -> new JsonForm<T>(what).read(value, rest);
    }
}
