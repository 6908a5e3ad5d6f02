package dev.caisson.linux;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// Converts between Java's strings and the kernel's, which are bytes: arguments, variables, names of files. They are
/// UTF-8 nearly always. A byte that is not becomes half of a surrogate pair, U+DC80 to U+DCFF, which no valid text
/// holds, and is the same byte again when it goes back to the kernel.
public final class ByteText {
    private static final char ESCAPE = '\uDC00';
    private static final char REPLACEMENT = '\uFFFD';
    private static final int FIRST_ESCAPED = 0x80;
    private static final int LAST_ESCAPED = 0xFF;

    private ByteText() {}

    /// Returns the text of bytes of any kind.
    public static String of(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        return text.indexOf(REPLACEMENT) < 0 ? text : escaped(bytes);
    }

    /// Returns the text of a file, whatever bytes it holds: a program may have any name, and what it mounts and maps.
    public static String read(Path file) throws IOException {
        return of(Files.readAllBytes(file));
    }

    private static String escaped(byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder(); // reports what it cannot decode
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        while (true) {
            CoderResult result = decoder.decode(in, out, true);
            if (!result.isError()) {
                return out.flip().toString();
            }
            for (int i = 0; i < result.length(); i++) {
                out.put((char) (ESCAPE + Byte.toUnsignedInt(in.get())));
            }
        }
    }

    /// Returns the bytes of a text, those that [#of] escaped as they were.
    /// @throws IllegalArgumentException if the text holds another half of a surrogate pair: see [#isText]
    public static byte[] bytes(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return new String(bytes, StandardCharsets.UTF_8).equals(text) ? bytes : unescaped(text);
    }

    private static byte[] unescaped(String text) {
        var out = new ByteArrayOutputStream(text.length());
        int at = 0;
        while (at < text.length()) {
            int start = at;
            while (at < text.length() && !isEscape(text, at)) {
                at += Character.charCount(text.codePointAt(at));
            }
            out.writeBytes(valid(text.substring(start, at)));
            while (at < text.length() && isEscape(text, at)) {
                out.write(text.charAt(at++) - ESCAPE);
            }
        }
        return out.toByteArray();
    }

    private static boolean isEscape(String text, int at) {
        int c = text.codePointAt(at);
        return c >= ESCAPE + FIRST_ESCAPED && c <= ESCAPE + LAST_ESCAPED;
    }

    private static byte[] valid(String text) {
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            return bytes;
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("a text for the kernel has half of a surrogate pair", e);
        }
    }

    /// Returns whether [#bytes] takes the text.
    public static boolean isText(String text) {
        try {
            bytes(text);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /// Returns the text for people and for JSON: `\xff` for a byte that is not UTF-8, U+FFFD for any other half of a
    /// surrogate pair.
    public static String shown(String text) {
        if (isUtf8(text)) {
            return text;
        }
        var out = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            if (c >= ESCAPE + FIRST_ESCAPED && c <= ESCAPE + LAST_ESCAPED) {
                out.append(String.format(Locale.ROOT, "\\x%02x", c - ESCAPE));
            } else {
                out.appendCodePoint(Character.getType(c) == Character.SURROGATE ? REPLACEMENT : c);
            }
        });
        return out.toString();
    }

    /// Returns whether all bytes of the text are UTF-8.
    public static boolean isUtf8(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8).equals(text);
    }
}
