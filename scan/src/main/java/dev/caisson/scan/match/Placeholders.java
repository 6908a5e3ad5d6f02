package dev.caisson.scan.match;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// Values that stand where a secret will, or that a vendor prints in its documentation.
public final class Placeholders {
    private static final Keywords WORDS = new Keywords(Stream.of(
                    "example",
                    "placeholder",
                    "changeme",
                    "change_me",
                    "change-me",
                    "replace",
                    "insert",
                    "your_",
                    "your-",
                    "yourkey",
                    "yourtoken",
                    "yoursecret",
                    "yourpassword",
                    "dummy",
                    "sample",
                    "xxxx",
                    "redacted",
                    "masked",
                    "omitted",
                    "removed",
                    "foobar",
                    "fake",
                    "notreal",
                    "not_real",
                    "not-real",
                    "todo",
                    "fixme",
                    "secret_here",
                    "_here",
                    "lorem",
                    "ipsum",
                    "undefined",
                    "mysecret",
                    "my_secret",
                    "my-secret",
                    "mypassword",
                    "my_password",
                    "mytoken",
                    "my_token",
                    "my-token",
                    "0123456789",
                    "123456789",
                    "987654321",
                    "abcdefgh",
                    "qwerty",
                    "deadbeef",
                    "cafebabe",
                    "0000000",
                    "1111111",
                    "aaaaaaa",
                    "......",
                    "****",
                    "<",
                    "${",
                    "{{",
                    "$(",
                    "%s",
                    "#{",
                    "@@",
                    "[...]")
            .map(word -> word.getBytes(StandardCharsets.US_ASCII))
            .toList());
    /// Values of vendors' documentation that no word above gives away, as parts that are no secret alone.
    private static final List<String> PRINTED = List.of(
            // the storage emulator's account, which everybody has
            "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq",
            // the payments sandbox of the introduction
            "4eC39HqLyjWDarjtT1zdp7dc",
            "BQokikJOvBiI2HlWgH4olfQ2",
            // "sub":"1234567890" and {"some":"payload"} of the introductions to JSON web tokens
            "eyJzdWIiOiIxMjM0NTY3ODkw",
            "eyJzb21lIjoicGF5bG9hZCJ9",
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAs");

    private Placeholders() {}

    /// True if the value holds a word that says it is none, is a known example, or has hardly any different characters.
    public static boolean isPlaceholder(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.ISO_8859_1);
        boolean[] found = new boolean[1];
        WORDS.search(bytes, 0, bytes.length, (word, end) -> found[0] = true);
        return found[0]
                || PRINTED.stream().anyMatch(value::contains)
                || isRepetitive(value)
                || isSequence(value.toLowerCase(Locale.ROOT));
    }

    /// Few different characters: a random value of 12 has hardly ever fewer than 5.
    private static boolean isRepetitive(String value) {
        return value.length() >= 8 && value.chars().distinct().count() * 4 <= Math.min(value.length(), 20);
    }

    /// Half of it goes up or down by one.
    private static boolean isSequence(String value) {
        int steps = 0;
        for (int i = 1; i < value.length(); i++) {
            int step = value.charAt(i) - value.charAt(i - 1);
            steps += step == 1 || step == -1 ? 1 : 0;
        }
        return value.length() >= 8 && steps * 2 >= value.length();
    }
}
