package dev.caisson.gate;

import dev.caisson.spec.Gate;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/// A header field of the program's in which a text stands for the value.
record Placeholders(Gate.Placeholder placeholder, Fields.Field field) {
    private static final String BASIC = "basic ";
    /// The most in one field: more could make it many times as long as the program's.
    private static final int MOST = 4;

    /// Writes the field with the value in their place.
    ///
    /// @throws Refusal if there are none, or too many
    void write(byte[] value, HeadWriter out) throws Refusal {
        out.field(field.name());
        String text = field.value();
        if (text.contains(placeholder.mark())) {
            var whole = new ClearedBytes();
            try {
                replace(text, value, whole);
                out.add(whole.array(), whole.size());
            } finally {
                whole.clear();
            }
        } else {
            basic(text, value, out);
        }
        out.end();
    }

    private void replace(String text, byte[] value, ClearedBytes out) throws Refusal {
        int from = 0;
        int count = 0;
        for (int at = text.indexOf(placeholder.mark()); at >= 0; at = text.indexOf(placeholder.mark(), from)) {
            if (++count > MOST) {
                throw Refusal.malformed(
                        "the field " + field.name() + " has more than " + MOST + " placeholders: send fewer");
            }
            out.writeBytes(Input.bytes(text.substring(from, at)));
            out.writeBytes(value);
            from = at + placeholder.mark().length();
        }
        out.writeBytes(Input.bytes(text.substring(from)));
    }

    /// Looks into what user and password are encoded in.
    private void basic(String text, byte[] value, HeadWriter out) throws Refusal {
        if (!text.regionMatches(true, 0, BASIC, 0, BASIC.length())) {
            throw missing();
        }
        String plain;
        try {
            plain = new String(
                    Base64.getDecoder().decode(text.substring(BASIC.length()).strip()), StandardCharsets.ISO_8859_1);
        } catch (IllegalArgumentException e) {
            throw missing();
        }
        if (!plain.contains(placeholder.mark())) {
            throw missing();
        }
        var inner = new ClearedBytes();
        try {
            replace(plain, value, inner);
            byte[] decoded = Arrays.copyOf(inner.array(), inner.size());
            byte[] encoded = Base64.getEncoder().encode(decoded);
            out.add("Basic ");
            out.add(encoded, encoded.length);
            Arrays.fill(decoded, (byte) 0);
            Arrays.fill(encoded, (byte) 0);
        } finally {
            inner.clear();
        }
    }

    private Refusal missing() {
        return new Refusal(
                Refusal.FORBIDDEN,
                "the field " + field.name() + " does not have the placeholder of the secret, and no other credential"
                        + " goes to this host there: send the placeholder, or leave the field out");
    }
}
