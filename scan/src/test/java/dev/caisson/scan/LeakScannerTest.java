package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LeakScannerTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    private final LeakScanner scanner = new LeakScanner(RuleSet.own(), NOW);
    private final Samples samples = new Samples(7);
    private final String token = samples.fill("ghp_{w30}{crc}");

    private List<Leak> found(byte[] bytes) {
        var collected = new Collected();
        scanner.scan("a.txt", new ByteArrayInputStream(bytes), collected);
        assertThat(collected.skipped).isEmpty();
        return collected.leaks;
    }

    private Leak only(String text) {
        List<Leak> leaks = scanner.scan("a.txt", text);
        assertThat(leaks).as(text).hasSize(1);
        return leaks.getFirst();
    }

    @Test
    void a_finding_has_line_and_column_and_never_the_value() {
        Leak leak = only("first\n  token: " + token + "\nlast\n");

        assertThat(leak.place()).hasToString("a.txt:2:10");
        assertThat(leak.masked()).isEqualTo("gh*** (40 characters)");
        assertThat(leak.confidence()).isEqualTo(Confidence.CERTAIN);
        assertThat(leak.toString()).doesNotContain(token.substring(4));
    }

    @Test
    void wrong_check_digits_make_it_less_sure() {
        assertThat(only(token.substring(0, 39) + (token.endsWith("a") ? "b" : "a"))
                        .confidence())
                .isEqualTo(Confidence.POSSIBLE);
    }

    @Test
    void an_expired_token_is_unlikely_to_be_of_use() {
        Leak leak = only(samples.fill("x={jwt-expired}"));
        assertThat(leak.confidence()).isEqualTo(Confidence.UNLIKELY);
        assertThat(leak.reason()).contains("expired");
    }

    @Test
    void a_secret_of_a_test_is_less_sure() {
        assertThat(scanner.scan("src/test/java/A.java", token).getFirst().confidence())
                .isEqualTo(Confidence.POSSIBLE);
    }

    @Test
    void every_encoding_is_looked_into() {
        String text = "the password of the account is " + token + " and no other";
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        String base64 = Base64.getEncoder().encodeToString(bytes);

        assertThat(via(base64.getBytes(StandardCharsets.US_ASCII))).containsExactly("base64");
        assertThat(via(("data: " + Base64.getUrlEncoder().encodeToString(bytes)).getBytes(StandardCharsets.US_ASCII)))
                .containsExactly("base64");
        assertThat(via(Base64.getMimeEncoder().encode((text + text).getBytes(StandardCharsets.US_ASCII))))
                .contains("base64");
        assertThat(via(HexFormat.of().formatHex(bytes).getBytes(StandardCharsets.US_ASCII)))
                .containsExactly("hex");
        assertThat(via(text.getBytes(StandardCharsets.UTF_16LE))).containsExactly("utf-16");
        assertThat(via(text.getBytes(StandardCharsets.UTF_16))).containsExactly("utf-16");
        assertThat(via(Base64.getEncoder().encode(base64.getBytes(StandardCharsets.US_ASCII))))
                .containsExactly("base64", "base64");
        assertThat(via(Base64.getEncoder().encode(text.getBytes(StandardCharsets.UTF_16LE))))
                .containsExactly("base64", "utf-16");
        assertThat(via(escaped(token, "%%%02X"))).containsExactly("escapes");
        assertThat(via(escaped(token, "\\x%02x"))).containsExactly("escapes");
        assertThat(via(escaped(token, "\\u%04x"))).containsExactly("escapes");
    }

    private List<String> via(byte[] bytes) {
        List<Leak> leaks = found(bytes);
        assertThat(leaks).as(new String(bytes, StandardCharsets.ISO_8859_1)).isNotEmpty();
        return leaks.getFirst().place().decoded();
    }

    private static byte[] escaped(String text, String format) {
        var escaped = new StringBuilder();
        text.chars().forEach(c -> escaped.append(String.format(format, c)));
        return ("x = \"" + escaped + "\"").getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    void a_secret_is_found_once_wherever_a_window_ends() {
        int window = 1 << 20;
        for (int at = window - Search.LONGEST - 41; at <= window - Search.LONGEST + 1; at += 7) {
            assertAt(at);
        }
        assertAt(window - 20);
        assertAt(window);
        assertAt(2 * window + 5);
    }

    private void assertAt(int at) {
        byte[] bytes = "x"
                .repeat(at - 1)
                .concat("\n" + token + "\n" + " ".repeat(3 << 20))
                .getBytes(StandardCharsets.US_ASCII);
        List<Leak> leaks = found(bytes);
        assertThat(leaks).as("at " + at).hasSize(1);
        assertThat(leaks.getFirst().place()).hasToString("a.txt:2:1");
    }

    @Test
    void a_line_of_any_length_has_columns() {
        byte[] bytes = (" ".repeat(5_000_000) + token).getBytes(StandardCharsets.US_ASCII);
        assertThat(found(bytes).getFirst().place()).hasToString("a.txt:1:5000001");
    }

    @Test
    void a_long_stream_takes_a_bounded_time_and_the_same_memory() {
        byte[] piece = "lorem ipsum dolor sit amet, consectetur=adipiscing elit\n"
                .repeat(20_000)
                .getBytes(StandardCharsets.US_ASCII);
        List<InputStream> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            all.add(new ByteArrayInputStream(piece));
        }
        all.add(new ByteArrayInputStream(token.getBytes(StandardCharsets.US_ASCII)));
        var collected = new Collected();
        scanner.scan("long", new SequenceInputStream(Collections.enumeration(all)), collected);
        assertThat(collected.leaks).hasSize(1);
        assertThat(collected.leaks.getFirst().place().line()).isEqualTo(50 * 20_000 + 1);
    }

    @Test
    void small_files_cost_no_more_after_a_large_one() {
        LeakScanner.Reader reader = scanner.reader();
        long before = costOfSmallFiles(reader);
        reader.scan("large", new ByteArrayInputStream(new byte[3 << 20]), new Collected());

        assertThat(costOfSmallFiles(reader)).isLessThan(4 * before);
    }

    /// Returns the time of the cheapest of some rounds.
    private static long costOfSmallFiles(LeakScanner.Reader reader) {
        byte[] small = "value = other\n".repeat(20).getBytes(StandardCharsets.US_ASCII);
        return LongStream.range(0, 12)
                .map(round -> cost(() -> {
                    for (int i = 0; i < 200; i++) {
                        reader.scan("small", new ByteArrayInputStream(small), new Collected());
                    }
                }))
                .min()
                .orElseThrow();
    }

    private static long cost(Runnable work) {
        long start = System.nanoTime();
        work.run();
        return System.nanoTime() - start;
    }

    /// Each part makes an expression start again and again.
    @Test
    @Timeout(30)
    void a_hostile_text_takes_no_longer_than_its_length_asks_for() {
        for (String part :
                List.of("-eyJ", "eyJaaaaaaaaaaaa.", "glpat-", "server=a;password=", "a://a:", "curl -u a ", "AIza")) {
            scanner.scan("a.txt", part.repeat(100_000));
        }
    }

    /// The steps of a text are bounded, and these stay below the bound.
    @Test
    void a_line_of_one_keyword_again_and_again_is_searched_to_its_end() {
        for (String part : List.of("password=", "https://a:b@h/", "-----BEGIN RSA PRIVATE KEY-----", "a://", "pwd= ")) {
            String text = part.repeat(200_000) + "\n" + token + "\n";
            List<Leak> leaks = found(text.getBytes(StandardCharsets.US_ASCII));
            assertThat(leaks).as(part).hasSize(1);
        }
    }

    @Test
    void a_text_that_takes_too_many_steps_is_reported() {
        var collected = new Collected();
        scanner.scan("a.txt", stream("server=aaa;pwd=a;".repeat(100_000) + "\n" + token), collected);

        assertThat(collected.skipped)
                .containsExactly("a.txt: the expression of rule connection-password takes too many steps, or too much"
                        + " stack");
        assertThat(collected.leaks).hasSize(1);
    }

    @Test
    void a_text_that_takes_too_many_steps_by_several_rules_is_reported_once_for_them_all() {
        var collected = new Collected();
        scanner.scan(
                "a.txt",
                stream("server=aaa;pwd=a;".repeat(25_000) + "curl -u a ".repeat(55_000) + "\n" + token),
                collected);

        assertThat(collected.skipped).contains("a.txt: the rules together take too many steps");
        assertThat(collected.skipped).doesNotHaveDuplicates();
        assertThat(collected.leaks).hasSize(1);
    }

    @Test
    void a_file_of_nothing_but_findings_is_not_read_to_its_end() {
        String line = "password = " + samples.fill("{w24}") + "\n";
        InputStream in = stream(line.repeat(200_000));
        var collected = new Collected();
        scanner.scan("a.txt", in, collected);

        assertThat(collected.skipped).containsExactly("a.txt: not read to its end: it has too many findings");
        assertThat(collected.leaks).hasSize(10_000);
        assertThat(in).isNotEmpty();
    }

    private static InputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void placeholders_and_references_are_no_secrets() {
        for (String text : List.of(
                "password: changeme12345",
                "api_key = ${API_KEY_FROM_ENV1}",
                "token = getToken(request1, response2)",
                "SECRET_KEY: <your-secret-key-1>",
                "password = \"PBKDF2WithHmacSHA512\"",
                "secret: /run/secrets/db_password_1",
                "AKIAIOSFODNN7EXAMPLE",
                "ghp_" + "x".repeat(36),
                "tokenCount = 1234567890123",
                "public_key: " + samples.fill("{w40}"))) {
            assertThat(scanner.scan("a.txt", text)).as(text).isEmpty();
        }
    }

    @Test
    void a_random_value_counts_only_under_a_name_of_secrets() {
        String value = samples.fill("{w24}");
        for (String text : List.of(
                "db_password=" + value,
                "\"clientSecret\": \"" + value + "\"",
                "<password>" + value + "</password>",
                "settings['api_key'] = '" + value + "'",
                "export API_TOKEN=" + value,
                "setPassword(\"" + value + "\")",
                "password => '" + value + "'",
                "secretKey := `" + value + "`")) {
            assertThat(only(text).rule()).as(text).isEqualTo(RuleSet.ASSIGNED);
        }
        assertThat(scanner.scan("a.txt", "checksum = " + value)).isEmpty();
        assertThat(scanner.scan("a.txt", "token == \"" + value + "\"")).isEmpty();
    }

    @Test
    void the_string_of_a_variable_is_found_behind_its_type() {
        String value = samples.fill("{w24}");
        for (String text : List.of(
                "val apiKey: String = \"VALUE\"",
                "const apiKey?: string = 'VALUE';",
                "const API_KEY: &'static str = \"VALUE\";",
                "var apiToken string = \"VALUE\"",
                "static const char api_key[] = \"VALUE\";",
                "public string ApiKey { get; set; } = \"VALUE\";",
                "$h{password} = 'VALUE';",
                "<key>APIKey</key>\n\t<string>VALUE</string>",
                "variable \"db_password\" {\n  default = \"VALUE\"\n}",
                "ENV DB_PASSWORD VALUE",
                "FROM a\nENV DB_PASSWORD VALUE")) {
            assertThat(only(text.replace("VALUE", value)).rule()).as(text).isEqualTo(RuleSet.ASSIGNED);
        }
        for (String text : List.of(
                "val token: String = other(\"VALUE\")",
                "token: String == \"VALUE\"",
                "token; String sum = \"VALUE\"",
                "the ENV DB_PASSWORD VALUE",
                "<key>APIKey</key><data>VALUE</data>",
                "password String")) {
            assertThat(scanner.scan("a.txt", text.replace("VALUE", value)))
                    .as(text)
                    .isEmpty();
        }
    }

    @Test
    void a_value_is_found_far_behind_where_its_expression_begins() {
        String between = "a=1&b=%s&".formatted("x".repeat(300));
        String url = "https://a.blob.core.windows.net/c/f?" + between + "sig=" + samples.fill("{w40}") + "%2Bab%3D";
        assertThat(only(url).rule().id()).isEqualTo("azure-signature");

        String connection = "Database=a;" + "Encrypt=True;".repeat(12) + "Password=" + samples.fill("{w14}") + ";";
        assertThat(only(connection).rule().id()).isEqualTo("connection-password");
    }
}
