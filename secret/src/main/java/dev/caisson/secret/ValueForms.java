package dev.caisson.secret;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/// Writes a value in each form in which it may stand in other text. Everything is arrays that [#clear]
/// wipes.
final class ValueForms {
    /// The fewest bytes that are matched: fewer stand in any text.
    static final int SHORTEST = 8;

    /// The most bytes that are matched at once; a longer form is cut into pieces.
    static final int LONGEST = 4096;

    /// The part of a value that is written in the forms that are longer than itself.
    private static final int MOST_ENCODED = 64 * 1024;

    private static final int SHORTEST_LINE = 20;
    private static final byte[] UPPER = "0123456789ABCDEF".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LOWER = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    /// Characters that stay as they are beside letters and digits: RFC 3986, forms, JavaScript, Python.
    private static final List<String> UNRESERVED = List.of("-._~", "*-._", "-._~!'()*", "-._~/");
    /// The ways in which programs write the five characters that mean something to XML and HTML.
    private static final List<List<String>> ENTITIES = List.of(
            List.of("&amp;", "&lt;", "&gt;", "\"", "'"),
            List.of("&amp;", "&lt;", "&gt;", "&quot;", "'"),
            List.of("&amp;", "&lt;", "&gt;", "&quot;", "&apos;"),
            List.of("&amp;", "&lt;", "&gt;", "&#34;", "&#39;"));

    /// Bytes of one form.
    @SuppressWarnings("ArrayRecordComponent") // compared by their bytes
    record Written(ValueForm form, byte[] bytes) {}

    private final List<Written> all = new ArrayList<>();
    /// The bytes of all, to find one again: a value of many lines has thousands.
    private final Set<ByteBuffer> known = new HashSet<>();

    private ValueForms() {}

    /// Returns the forms of a value, none twice; a final line end is no part of it.
    static List<Written> of(SecretValue value) {
        byte[] bytes = value.copy();
        int end = bytes.length;
        while (end > 0 && (bytes[end - 1] == '\n' || bytes[end - 1] == '\r')) {
            end--;
        }
        byte[] plain = Arrays.copyOf(bytes, end);
        Arrays.fill(bytes, (byte) 0);
        byte[] start = Arrays.copyOf(plain, Math.min(plain.length, MOST_ENCODED));
        var forms = new ValueForms();
        if (plain.length >= SHORTEST) {
            forms.add(ValueForm.PLAIN, plain);
            forms.lines(plain);
            forms.encoded(start);
            forms.texts(start);
        }
        Arrays.fill(plain, (byte) 0);
        Arrays.fill(start, (byte) 0);
        return forms.all;
    }

    static void clear(List<Written> forms) {
        forms.forEach(written -> Arrays.fill(written.bytes(), (byte) 0));
    }

    /// Adds a form, in pieces if it is long.
    private void add(ValueForm form, byte[] bytes) {
        int from = 0;
        while (bytes.length - from >= SHORTEST) {
            int rest = bytes.length - from;
            int length = rest < LONGEST + SHORTEST ? rest : LONGEST;
            byte[] piece = Arrays.copyOfRange(bytes, from, from + length);
            if (known.add(ByteBuffer.wrap(piece))) {
                all.add(new Written(form, piece));
            } else {
                Arrays.fill(piece, (byte) 0);
            }
            from += length;
        }
    }

    private void addAndClear(ValueForm form, byte[] bytes) {
        add(form, bytes);
        Arrays.fill(bytes, (byte) 0);
    }

    /// Adds the lines that say something alone, as those of keys do: long ones without blanks and quotes.
    private void lines(byte[] plain) {
        int from = 0;
        for (int at = 0; at <= plain.length; at++) {
            if (at == plain.length || plain[at] == '\n') {
                int to = at > from && plain[at - 1] == '\r' ? at - 1 : at;
                if (to - from >= SHORTEST_LINE && to - from < plain.length && isTelling(plain, from, to)) {
                    addAndClear(ValueForm.LINE, Arrays.copyOfRange(plain, from, to));
                }
                from = at + 1;
            }
        }
    }

    private static boolean isTelling(byte[] bytes, int from, int to) {
        for (int at = from; at < to; at++) {
            if (bytes[at] <= ' ' || bytes[at] == '"') {
                return false;
            }
        }
        return true;
    }

    private void encoded(byte[] plain) {
        for (int before = 0; before < 3; before++) {
            byte[] shifted = new byte[before + plain.length];
            System.arraycopy(plain, 0, shifted, before, plain.length);
            byte[] digits = Base64.getEncoder().withoutPadding().encode(shifted);
            Arrays.fill(shifted, (byte) 0);
            // digits that are made of what stands before or behind as well
            int from = before == 0 ? 0 : before + 1;
            int to = digits.length - (shifted.length % 3 == 0 ? 0 : 1);
            byte[] own = Arrays.copyOfRange(digits, from, Math.max(from, to));
            Arrays.fill(digits, (byte) 0);
            add(ValueForm.BASE64, own);
            for (int at = 0; at < own.length; at++) {
                own[at] = own[at] == '+' ? (byte) '-' : own[at] == '/' ? (byte) '_' : own[at];
            }
            addAndClear(ValueForm.BASE64, own);
        }
        addAndClear(ValueForm.HEX, hexadecimal(plain, LOWER));
        addAndClear(ValueForm.HEX, hexadecimal(plain, UPPER));
    }

    private static byte[] hexadecimal(byte[] plain, byte[] digits) {
        byte[] hex = new byte[2 * plain.length];
        for (int at = 0; at < plain.length; at++) {
            hex[2 * at] = digits[(plain[at] >> 4) & 15];
            hex[2 * at + 1] = digits[plain[at] & 15];
        }
        return hex;
    }

    private void texts(byte[] plain) {
        for (String unreserved : UNRESERVED) {
            addAndClear(ValueForm.PERCENT, percent(plain, UPPER, unreserved, false));
            addAndClear(ValueForm.PERCENT, percent(plain, LOWER, unreserved, false));
            addAndClear(ValueForm.PERCENT, percent(plain, UPPER, unreserved, true));
        }
        addAndClear(ValueForm.STRING, string(plain, false));
        addAndClear(ValueForm.STRING, string(plain, true));
        for (List<String> entities : ENTITIES) {
            addAndClear(ValueForm.XML, replaced(plain, "&<>\"'", entities));
        }
        addAndClear(ValueForm.SHELL, replaced(plain, "'", List.of("'\\''")));
        wide(plain);
    }

    /// Bytes that are wiped when they have been copied or outgrown.
    private static final class Wiped extends ByteArrayOutputStream {
        Wiped(int most) {
            super(most);
        }

        void write(String ascii) {
            for (int at = 0; at < ascii.length(); at++) {
                write(ascii.charAt(at));
            }
        }

        byte[] taken() {
            byte[] copy = Arrays.copyOf(buf, count);
            Arrays.fill(buf, (byte) 0);
            return copy;
        }
    }

    private static byte[] percent(byte[] plain, byte[] digits, String unreserved, boolean form) {
        var out = new Wiped(3 * plain.length);
        for (byte b : plain) {
            if (isLetterOrDigit(b) || unreserved.indexOf(b) >= 0) {
                out.write(b);
            } else if (form && b == ' ') {
                out.write('+');
            } else {
                out.write('%');
                out.write(digits[(b >> 4) & 15]);
                out.write(digits[b & 15]);
            }
        }
        return out.taken();
    }

    private static boolean isLetterOrDigit(byte b) {
        return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9');
    }

    /// @param slash if a slash is escaped too
    private static byte[] string(byte[] plain, boolean slash) {
        var out = new Wiped(6 * plain.length);
        for (byte b : plain) {
            if (slash && b == '/') {
                out.write('\\');
            }
            escape(b, out);
        }
        return out.taken();
    }

    private static void escape(byte b, Wiped out) {
        int letter = "\n\t\r\b\f".indexOf(b);
        if (letter >= 0) {
            out.write('\\');
            out.write("ntrbf".charAt(letter));
        } else if (b >= 0 && b < ' ') {
            out.write("\\u00" + HexFormat.of().toHexDigits(b));
        } else {
            if (b == '"' || b == '\\') {
                out.write('\\');
            }
            out.write(b);
        }
    }

    private static byte[] replaced(byte[] plain, String characters, List<String> others) {
        var out = new Wiped(6 * plain.length);
        for (byte b : plain) {
            int index = b < 0 ? -1 : characters.indexOf(b);
            if (index < 0) {
                out.write(b);
            } else {
                out.write(others.get(index));
            }
        }
        return out.taken();
    }

    /// UTF-16 of either order, and the escapes of characters beyond ASCII.
    private void wide(byte[] plain) {
        char[] text;
        try {
            var decoded = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(plain));
            text = new char[decoded.remaining()];
            decoded.get(text);
            Arrays.fill(decoded.array(), '\0');
        } catch (CharacterCodingException e) {
            return; // it is no text
        }
        byte[] little = new byte[2 * text.length];
        byte[] big = new byte[2 * text.length];
        for (int at = 0; at < text.length; at++) {
            little[2 * at] = (byte) text[at];
            little[2 * at + 1] = (byte) (text[at] >> 8);
            big[2 * at] = little[2 * at + 1];
            big[2 * at + 1] = little[2 * at];
        }
        addAndClear(ValueForm.UTF16, little);
        addAndClear(ValueForm.UTF16, big);
        if (text.length < plain.length) {
            var out = new Wiped(6 * plain.length);
            for (char c : text) {
                if (c < 0x80) {
                    escape((byte) c, out);
                } else {
                    out.write("\\u" + HexFormat.of().toHexDigits(c));
                }
            }
            addAndClear(ValueForm.STRING, out.taken());
        }
        Arrays.fill(text, '\0');
    }
}
