package dev.caisson.seccomp;

import dev.caisson.seccomp.SeccompException.Code;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import dev.caisson.text.Quoted;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A profile's JSON, taken value by value: one of the wrong type is an error that names its place.
final class ProfileJson {
    /// Handles a key's value.
    interface Field {
        void read(String key);
    }

    private static final Json.Limits LIMITS = new Json.Limits(16 << 20, 32, 500_000);
    private static final BigInteger TWO_64 = BigInteger.ONE.shiftLeft(64);

    /// At the place, until one below it is read.
    private @Nullable Object value;
    private String place = "";

    private ProfileJson(@Nullable Object value) {
        this.value = value;
    }

    static <T> T read(String text, Function<ProfileJson, T> whole) {
        if (text.isBlank()) {
            throw new SeccompException(Code.JSON_SYNTAX, "the profile is empty");
        }
        Object value;
        try {
            value = Json.parse(text, LIMITS);
        } catch (MalformedJsonException e) {
            Code code = e.reason() == MalformedJsonException.Code.DUPLICATE_KEY ? Code.DUPLICATE_KEY : Code.JSON_SYNTAX;
            throw new SeccompException(code, "the profile " + e.getMessage() + "; it is one JSON object", e);
        }
        return whole.apply(new ProfileJson(value));
    }

    long unsigned64() {
        BigInteger number = switch (value) {
            case Long whole -> BigInteger.valueOf(whole);
            case BigDecimal decimal -> whole(decimal);
            case null, default -> throw wrongType("a whole number");
        };
        if (number.signum() < 0 || number.compareTo(TWO_64) >= 0) {
            throw new SeccompException(
                    Code.VALUE_OUT_OF_RANGE, at() + ": " + number + " does not fit an unsigned 64-bit number");
        }
        return number.longValue();
    }

    private BigInteger whole(BigDecimal decimal) {
        try {
            return decimal.toBigIntegerExact();
        } catch (ArithmeticException e) {
            throw new SeccompException(Code.WRONG_TYPE, at() + ": a whole number is needed", e);
        }
    }

    String string() {
        if (value instanceof String text) {
            return text;
        }
        throw wrongType("a string");
    }

    /// Reads an object; `null` is read as an empty one, as Docker's own tools write it. Returns the keys of the object.
    Set<String> object(Field field) {
        Map<String, @Nullable Object> members = members();
        String outerPlace = place;
        members.forEach((key, member) -> {
            place = outerPlace + "." + key;
            value = member;
            field.read(key);
        });
        place = outerPlace;
        return members.keySet();
    }

    private Map<String, @Nullable Object> members() {
        return switch (value) {
            case null -> Map.of();
            case Map<?, ?> map -> Json.members(map);
            default -> throw wrongType("an object");
        };
    }

    <T> List<T> list(Supplier<T> element) {
        List<?> elements = switch (value) {
            case null -> List.of();
            case List<?> list -> list;
            default -> throw wrongType("a list");
        };
        String outerPlace = place;
        var list = new ArrayList<T>();
        for (Object one : elements) {
            place = outerPlace + "[" + list.size() + "]";
            value = one;
            list.add(element.get());
        }
        place = outerPlace;
        return list;
    }

    private SeccompException wrongType(String what) {
        return new SeccompException(Code.WRONG_TYPE, at() + ": " + what + " is needed");
    }

    void require(boolean present, String key) {
        if (!present) {
            throw new SeccompException(Code.MISSING_KEY, at() + " has no " + key);
        }
    }

    SeccompException unknownKey(String key) {
        return new SeccompException(
                Code.UNKNOWN_KEY,
                at() + ": the key " + Quoted.of(key) + " is not known; remove it or correct its spelling");
    }

    /// Returns its position, for an error.
    String at() {
        return place.isEmpty() ? "the profile" : place.substring(1);
    }
}
