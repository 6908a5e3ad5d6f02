package dev.caisson.text;

import dev.caisson.text.MalformedJsonException.Code;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads JSON as RFC 8259 defines it and nothing beside it: no comments, no trailing comma, no second document, no key
/// twice, no half surrogate pair. Depth, text and number of values are bounded, so that no text uses up the stack, and
/// the heap in use stays proportional to the text.
///
/// Values are Java's own: an object is a `Map<String, Object>` in the order of the text, a list a
/// `List<Object>`, both unmodifiable; `true` and `false` a `Boolean`; `null` is null; a number is a `Long` if
/// it is written as a whole number that fits, else a `BigDecimal` with an exponent of at most four digits.
public final class Json {
    /// Bounds of a document.
    ///
    /// @param characters of text
    /// @param depth objects and lists in each other; at most 500, as the parser recurses
    /// @param values of all kinds, at any depth
    public record Limits(int characters, int depth, int values) {
        /// Limits for documents of unknown origin: 64 MiB of text, 64 levels, two million values.
        public static final Limits DEFAULT = new Limits(64 << 20, 64, 2_000_000);

        private static final int DEEPEST = 500;

        public Limits {
            if (characters < 1 || depth < 1 || depth > DEEPEST || values < 1) {
                throw new IllegalArgumentException(
                        "JSON limits are positive and at most " + DEEPEST + " levels deep: " + depth);
            }
        }
    }

    private Json() {}

    /// Reads the text of one value.
    ///
    /// @throws MalformedJsonException if the text is not JSON or exceeds [Limits#DEFAULT]
    public static @Nullable Object parse(String text) {
        return parse(text, Limits.DEFAULT);
    }

    /// Reads the text of one value.
    ///
    /// @throws MalformedJsonException if the text is not JSON or exceeds the limits
    public static @Nullable Object parse(String text, Limits limits) {
        if (text.length() > limits.characters()) {
            throw new MalformedJsonException(
                    Code.TOO_LARGE, "is longer than " + limits.characters() + " characters", 1, 1);
        }
        return new JsonParser(text, limits).document();
    }

    /// Reads the UTF-8 text of one value.
    ///
    /// @throws MalformedJsonException if the bytes are not JSON or exceed the limits
    public static @Nullable Object parse(byte[] utf8, Limits limits) {
        if (utf8.length / 4 > limits.characters()) {
            throw new MalformedJsonException(
                    Code.TOO_LARGE, "is longer than " + limits.characters() + " characters", 1, 1);
        }
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        try {
            return parse(decoder.decode(ByteBuffer.wrap(utf8)).toString(), limits);
        } catch (CharacterCodingException e) {
            var fault = new MalformedJsonException(Code.ENCODING, "is not UTF-8", 1, 1);
            fault.initCause(e);
            throw fault;
        }
    }

    /// Reads the text of one object.
    ///
    /// @throws MalformedJsonException if the text is not a JSON object or exceeds the limits
    public static Map<String, @Nullable Object> parseObject(String text, Limits limits) {
        if (parse(text, limits) instanceof Map<?, ?> map) {
            return members(map);
        }
        throw new MalformedJsonException(Code.SYNTAX, "is not an object", 1, 1);
    }

    /// Reads the text of one list.
    ///
    /// @throws MalformedJsonException if the text is not a JSON list or exceeds the limits
    public static List<@Nullable Object> parseList(String text, Limits limits) {
        if (parse(text, limits) instanceof List<?> list) {
            return list(list);
        }
        throw new MalformedJsonException(Code.SYNTAX, "is not a list", 1, 1);
    }

    /// Returns an object of a document, which a pattern finds as a `Map<?, ?>`, with its type.
    @SuppressWarnings("unchecked") // the parser makes no other maps
    public static Map<String, @Nullable Object> members(Map<?, ?> map) {
        return (Map<String, @Nullable Object>) map;
    }

    @SuppressWarnings("unchecked") // the parser makes no other lists
    private static List<@Nullable Object> list(List<?> list) {
        return (List<@Nullable Object>) list;
    }
}
