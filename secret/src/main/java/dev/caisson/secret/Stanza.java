package dev.caisson.secret;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/// One recipient's part of an age header: `-> TYPE ARGUMENT...` and the wrapped file key.
@SuppressWarnings("ArrayRecordComponent") // of this package alone, which changes none
record Stanza(String type, List<String> arguments, byte[] body) {
    private static final int LINE = 64;
    private static final Base64.Encoder ENCODER = Base64.getEncoder().withoutPadding();

    /// Appends the stanza as it stands in a file.
    void appendTo(StringBuilder header) {
        header.append("-> ").append(type);
        for (String argument : arguments) {
            header.append(' ').append(argument);
        }
        header.append('\n');
        String text = encode(body);
        for (int at = 0; at < text.length(); at += LINE) {
            header.append(text, at, Math.min(text.length(), at + LINE)).append('\n');
        }
        if (text.length() % LINE == 0) {
            header.append('\n');
        }
    }

    /// Reads the stanza that begins at `lines.get(at)`.
    /// @throws MalformedAgeException if it is none
    static Stanza read(List<String> lines, int at) {
        List<String> words = List.of(lines.get(at).split(" ", -1));
        if (words.size() < 2 || !words.getFirst().equals("->") || words.stream().anyMatch(String::isEmpty)) {
            throw new MalformedAgeException();
        }
        var text = new StringBuilder();
        for (String line : bodyLines(lines, at)) {
            text.append(line);
        }
        return new Stanza(words.get(1), new ArrayList<>(words.subList(2, words.size())), decode(text.toString()));
    }

    /// Returns the lines of the body: all have 64 characters but the last, which has fewer.
    static List<String> bodyLines(List<String> lines, int at) {
        for (int end = at + 1; end < lines.size(); end++) {
            int length = lines.get(end).length();
            if (length < LINE) {
                return lines.subList(at + 1, end + 1);
            }
            if (length > LINE) {
                throw new MalformedAgeException();
            }
        }
        throw new MalformedAgeException();
    }

    static String encode(byte[] bytes) {
        return ENCODER.encodeToString(bytes);
    }

    /// Decodes base64 without padding, in its one canonical form.
    static byte[] decode(String text) {
        try {
            byte[] bytes = Base64.getDecoder().decode(text.getBytes(StandardCharsets.US_ASCII));
            if (!encode(bytes).equals(text)) {
                throw new MalformedAgeException();
            }
            return bytes;
        } catch (IllegalArgumentException e) {
            throw new MalformedAgeException();
        }
    }
}
