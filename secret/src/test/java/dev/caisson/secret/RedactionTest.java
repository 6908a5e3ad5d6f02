package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RedactionTest {
    private static final String DB = "correct horse \"battery\" staple";
    private static final String KEY =
            "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIBAQ\n-----END KEY-----\n";

    private static Redaction of(String... namesAndValues) {
        var values = new LinkedHashMap<SecretName, SecretValue>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            values.put(
                    new SecretName(namesAndValues[i]),
                    SecretValue.of(namesAndValues[i + 1].getBytes(StandardCharsets.UTF_8)));
        }
        try {
            return Redaction.of(values);
        } finally {
            values.values().forEach(SecretValue::close);
        }
    }

    @Test
    void each_form_of_a_value_is_replaced_by_its_name() {
        byte[] plain = DB.getBytes(StandardCharsets.UTF_8);
        try (Redaction redaction = of("db", DB, "key", KEY)) {
            for (String written : new String[] {
                DB,
                DB.replace("\"", "\\\""),
                DB.replace(" ", "%20").replace("\"", "%22"),
                DB.replace("\"", "&quot;"),
                HexFormat.of().formatHex(plain),
                HexFormat.of().withUpperCase().formatHex(plain),
                Base64.getEncoder().encodeToString(plain)
            }) {
                assertThat(redaction.redact("a " + written + " b")).matches("a \\[secret:db]=* b");
            }
            for (String before : new String[] {"", "x", "xy"}) {
                String encoded = Base64.getEncoder()
                        .encodeToString((before + DB + "behind it").getBytes(StandardCharsets.UTF_8));
                String told = redaction.redact(encoded);
                assertThat(told).contains("[secret:db]").hasSizeLessThan(35);
            }
            assertThat(redaction.redact(KEY)).isEqualTo("[secret:key]\n");
            assertThat(redaction.redact("> MIIEvQIBADANBgkqhkiG9w0BAQ <")).isEqualTo("> [secret:key] <");
            assertThat(redaction.redact("nothing of it: correct horse")).isEqualTo("nothing of it: correct horse");
        }
    }

    @Test
    void a_stream_goes_on_with_other_values_within_what_is_held() throws IOException {
        byte[] text = "x abcdefgh y".getBytes(StandardCharsets.US_ASCII);
        for (int split = 0; split <= text.length; split++) {
            var out = new ByteArrayOutputStream();
            try (Redaction former = of("one", "abcdefgh", "old", "bcdefg-former");
                    Redaction next = of("one", "abcdefgh", "new", "another-value")) {
                Redaction.Stream before = former.stream();
                before.take(Arrays.copyOf(text, split), split, out::write);
                Redaction.Stream after = next.goOn(before);
                after.take(Arrays.copyOfRange(text, split, text.length), text.length - split, out::write);
                byte[] last = " another-value".getBytes(StandardCharsets.US_ASCII);
                after.take(last, last.length, out::write);
                after.end(out::write);
            }
            assertThat(out.toString(StandardCharsets.US_ASCII)).isEqualTo("x [secret:one] y [secret:new]");
        }
    }

    @Test
    void places_that_touch_or_overlap_are_one() {
        try (Redaction redaction = of("one", "abcdefgh", "two", "efghijkl")) {
            assertThat(redaction.redact("abcdefghabcdefgh")).isEqualTo("[secret:one]");
            assertThat(redaction.redact("abcdefghijkl.")).isEqualTo("[secret:one].");
            assertThat(redaction.redact("abcdefghefghijkl")).isEqualTo("[secret:one][secret:two]");
            assertThat(redaction.redact("abcdefgh abcdefgh")).isEqualTo("[secret:one] [secret:one]");
        }
    }

    @Test
    void a_short_value_stays() {
        try (Redaction redaction = of("pin", "1234567")) {
            assertThat(redaction.isEmpty()).isTrue();
            assertThat(redaction.redact("1234567")).isEqualTo("1234567");
        }
    }

    @Test
    void a_long_value_is_one_place() {
        String longer = "0123456789abcdefghij".repeat(1000);
        try (Redaction redaction = of("long", longer)) {
            assertThat(redaction.redact("<" + longer + ">")).isEqualTo("<[secret:long]>");
        }
    }

    @Test
    void a_value_of_many_lines_is_prepared_in_a_second() {
        var lines = new StringBuilder();
        for (int line = 0; line < 20_000; line++) {
            lines.append("line-%015d%n".formatted(line));
        }
        long begun = System.nanoTime();
        try (Redaction redaction = of("lines", lines.toString())) {
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(4));
            assertThat(redaction.redact("a line-000000000019999 b")).isEqualTo("a [secret:lines] b");
        }
    }

    @Test
    void chunks_of_any_size_give_the_same_as_all_at_once() throws IOException {
        var random = new Random(7);
        String[] parts = {DB, KEY, "correct horse", "-----BEGIN", "x", "\n", "abab", "abababab", "ababababc", "ab"};
        try (Redaction redaction = of("db", DB, "key", KEY, "ab", "ababababc")) {
            for (int round = 0; round < 300; round++) {
                var text = new StringBuilder();
                for (int i = random.nextInt(12); i >= 0; i--) {
                    text.append(parts[random.nextInt(parts.length)]);
                }
                String whole = redaction.redact(text.toString());
                for (Map.Entry<String, String> value :
                        Map.of("db", DB, "key", KEY, "ab", "ababababc").entrySet()) {
                    assertThat(whole).doesNotContain(value.getValue());
                }
                assertThat(inChunks(redaction, text.toString(), random)).isEqualTo(whole);
            }
        }
    }

    private static String inChunks(Redaction redaction, String text, Random random) throws IOException {
        var out = new ByteArrayOutputStream();
        Redaction.Stream stream = redaction.stream();
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int most = 1 + random.nextInt(20);
        for (int at = 0; at < bytes.length; ) {
            int length = Math.min(1 + random.nextInt(most), bytes.length - at);
            stream.take(Arrays.copyOfRange(bytes, at, at + length), length, out::write);
            at += length;
        }
        stream.end(out::write);
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void what_cannot_become_a_value_is_passed_on_at_once() throws IOException {
        try (Redaction redaction = of("db", DB)) {
            var out = new ByteArrayOutputStream();
            Redaction.Stream stream = redaction.stream();
            byte[] bytes = "login: corr".getBytes(StandardCharsets.UTF_8);
            stream.take(bytes, bytes.length, out::write);
            assertThat(out).hasToString("login: ");
            stream.take("al".getBytes(StandardCharsets.UTF_8), 2, out::write);
            assertThat(out).hasToString("login: corral");
        }
    }
}
