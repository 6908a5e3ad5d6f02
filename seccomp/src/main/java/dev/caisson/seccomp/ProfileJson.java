package dev.caisson.seccomp;

import dev.caisson.seccomp.SeccompException.Code;
import io.avaje.json.JsonReader;
import io.avaje.json.stream.JsonStream;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/// A profile's JSON, read value by value: one of the wrong type, a key given twice, and text that ends too early or is
/// followed by something are errors that name their place.
final class ProfileJson {
    /// What is done with a key's value.
    interface Field {
        void read(String key);
    }

    private static final BigInteger TWO_64 = BigInteger.ONE.shiftLeft(64);

    private final JsonReader json;
    private final String end;
    private String place = "";

    private ProfileJson(JsonReader json, String end) {
        this.json = json;
        this.end = end;
    }

    /// The text is read as the first member of an object that must have just one more, so that a profile which ends
    /// too early or is followed by something is an error: the parser itself stops at the closing brace.
    static <T> T read(String text, Function<ProfileJson, T> whole) {
        String end = "end-" + Integer.toHexString(text.hashCode());
        try (JsonReader json = JsonStream.builder().build().reader("{\"profile\":" + text + ",\"" + end + "\":0}")) {
            json.beginObject();
            if (text.isBlank() || !json.hasNextField() || !json.nextField().equals("profile")) {
                throw new SeccompException(Code.JSON_SYNTAX, "the profile is empty");
            }
            T read = whole.apply(new ProfileJson(json, end));
            if (!json.hasNextField() || !json.nextField().equals(end)) {
                throw new SeccompException(
                        Code.JSON_SYNTAX, "the profile is followed by something; it is one JSON object");
            }
            return read;
        } catch (SeccompException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new SeccompException(Code.JSON_SYNTAX, "the profile is not well-formed JSON: " + e.getMessage(), e);
        }
    }

    long unsigned64() {
        expect(JsonReader.Token.NUMBER, "a whole number");
        BigInteger value;
        try {
            value = json.readDecimal().toBigIntegerExact();
        } catch (ArithmeticException e) {
            throw new SeccompException(Code.WRONG_TYPE, at() + ": a whole number is needed", e);
        }
        if (value.signum() < 0 || value.compareTo(TWO_64) >= 0) {
            throw new SeccompException(
                    Code.VALUE_OUT_OF_RANGE, at() + ": " + value + " does not fit an unsigned 64-bit number");
        }
        return value.longValue();
    }

    String string() {
        expect(JsonReader.Token.STRING, "a string");
        return json.readString();
    }

    /// Reads an object; `null` is read as an empty one, as Docker's own tools write it. Gives the keys that stood in
    /// it.
    Set<String> object(Field field) {
        var keys = new HashSet<String>();
        if (json.isNullValue()) {
            return keys;
        }
        expect(JsonReader.Token.BEGIN_OBJECT, "an object");
        String outer = place;
        json.beginObject();
        while (json.hasNextField()) {
            String key = json.nextField();
            if (key.equals(end)) {
                throw new SeccompException(Code.JSON_SYNTAX, at() + " is not closed");
            }
            place = outer + "." + key;
            if (!keys.add(key)) {
                throw new SeccompException(Code.DUPLICATE_KEY, at() + " is given twice");
            }
            field.read(key);
        }
        json.endObject();
        place = outer;
        return keys;
    }

    <T> List<T> list(Supplier<T> element) {
        var list = new ArrayList<T>();
        if (json.isNullValue()) {
            return list;
        }
        expect(JsonReader.Token.BEGIN_ARRAY, "a list");
        String outer = place;
        json.beginArray();
        while (json.hasNextElement()) {
            place = outer + "[" + list.size() + "]";
            list.add(element.get());
        }
        json.endArray();
        place = outer;
        return list;
    }

    private void expect(JsonReader.Token token, String what) {
        if (json.currentToken() != token) {
            throw new SeccompException(Code.WRONG_TYPE, at() + ": " + what + " is needed");
        }
    }

    void require(boolean present, String key) {
        if (!present) {
            throw new SeccompException(Code.MISSING_KEY, at() + " has no " + key);
        }
    }

    SeccompException unknownKey(String key) {
        return new SeccompException(
                Code.UNKNOWN_KEY, at() + ": the key \"" + key + "\" is not known; remove it or correct its spelling");
    }

    /// Where it is, for an error.
    String at() {
        return place.isEmpty() ? "the profile" : place.substring(1);
    }
}
