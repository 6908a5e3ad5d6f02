package dev.caisson.hostaudit.facts;

import dev.caisson.audit.AuditException;
import dev.caisson.text.MalformedJsonException;
import io.avaje.jsonb.Jsonb;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Facts as JSON and back: what one machine gathered, another can judge. Fields are the components of the
/// records; an empty optional is left out. What collecting left out of values stays out.
public final class FactsJson {
    private FactsJson() {}

    public static String write(Facts facts) {
        return Jsonb.instance().type(Object.class).toJsonPretty(tree(facts)) + "\n";
    }

    /// The facts that [#write] wrote.
    /// @throws AuditException FACTS_UNREADABLE
    public static Facts read(String json) {
        try {
            return (Facts) value(Facts.class, Tree.parse(json).value());
        } catch (MalformedJsonException | ClassCastException | IllegalArgumentException | ArithmeticException e) {
            throw new AuditException(
                    AuditException.Code.FACTS_UNREADABLE, "These are no facts of caisson audit: " + e.getMessage(), e);
        }
    }

    public static Object tree(Object value) {
        return switch (value) {
            case List<?> list -> list.stream().map(FactsJson::tree).toList();
            case Map<?, ?> map -> {
                Map<String, Object> result = new LinkedHashMap<>();
                map.forEach((key, item) -> result.put(String.valueOf(key), tree(item)));
                yield result;
            }
            case Record record -> fields(record);
            case Object other -> other;
        };
    }

    private static Map<String, Object> fields(Record record) {
        Map<String, Object> result = new LinkedHashMap<>();
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            Object value;
            try {
                value = component.getAccessor().invoke(record);
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new IllegalStateException("a record of this room is readable", e);
            }
            switch (value) {
                case Optional<?> optional -> optional.ifPresent(item -> result.put(component.getName(), tree(item)));
                case OptionalLong number -> number.ifPresent(item -> result.put(component.getName(), item));
                case Object other -> result.put(component.getName(), tree(other));
            }
        }
        return result;
    }

    private static Object value(Type type, @Nullable Object json) {
        if (type instanceof ParameterizedType generic) {
            Type[] arguments = generic.getActualTypeArguments();
            if (generic.getRawType() == Optional.class) {
                return json == null ? Optional.empty() : Optional.of(value(arguments[0], json));
            }
            if (generic.getRawType() == List.class) {
                List<Object> list = new ArrayList<>();
                new Tree(json).list().forEach(item -> list.add(value(arguments[0], item.value())));
                return list;
            }
            Map<String, Object> map = new java.util.TreeMap<>();
            new Tree(json).map().forEach((key, item) -> map.put(key, value(arguments[1], item.value())));
            return map;
        }
        Class<?> plain = (Class<?>) type;
        Tree tree = new Tree(json);
        if (plain == OptionalLong.class) {
            return json == null ? OptionalLong.empty() : OptionalLong.of(tree.number(0));
        }
        if (plain == String.class) {
            return tree.textOr("");
        }
        if (plain == boolean.class) {
            return tree.truth();
        }
        if (plain == long.class || plain == Long.class) {
            return tree.number(0);
        }
        if (plain == int.class) {
            return Math.toIntExact(tree.number(0));
        }
        return record(plain, tree);
    }

    private static Object record(Class<?> type, Tree tree) {
        RecordComponent[] components = type.getRecordComponents();
        if (components == null || !tree.present()) {
            throw new IllegalArgumentException("no value for " + type.getSimpleName());
        }
        Class<?>[] types = new Class<?>[components.length];
        Object[] values = new Object[components.length];
        for (int at = 0; at < components.length; at++) {
            types[at] = components[at].getType();
            values[at] = value(
                    components[at].getGenericType(),
                    tree.at(components[at].getName()).value());
        }
        try {
            return type.getDeclaredConstructor(types).newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException("no " + type.getSimpleName() + ": " + e.getMessage(), e);
        }
    }
}
