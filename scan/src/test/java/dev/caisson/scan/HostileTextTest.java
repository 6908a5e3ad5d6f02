package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Texts that make the scanner work as much as they can. Times are those of the thread's processor.
class HostileTextTest {
    private static final Instant NOW = Instant.parse("2026-11-27T00:00:00Z");
    private static final Path OWN_TIME = Path.of("/proc/thread-self/schedstat");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "password=",
                "pwd= ",
                "https://a:b@h/",
                "a://",
                "-----BEGIN RSA PRIVATE KEY-----\nMII\n",
                "server=aaa;pwd=a;",
                "curl -u a ",
                "secret: \"",
                "machine a login b ",
                "twilio",
                "%41",
                "QUJDREVG",
                "\"{\\\"a\\\":"
            })
    void a_line_of_one_anchor_takes_time_in_proportion_to_its_length(String part) {
        var scanner = new LeakScanner(RuleSet.own(), NOW);
        long small = cost(scanner, part, 64 * 1024);
        long large = cost(scanner, part, 4 * 64 * 1024);

        // 16 times if it went by the square
        assertThat(large).isLessThan(9 * small + 20_000_000);
    }

    @Test
    void values_that_an_allow_list_looks_at_the_line_of_take_time_in_proportion() {
        var scanner = new LeakScanner(RuleSet.of("""
                [[rules]]
                id = "form"
                regex = 'glpat-[0-9a-z]{20}'
                keywords = ['glpat-']
                [allowlist]
                regexTarget = "line"
                regexes = ['nothing of the kind']
                """), NOW);
        long small = cost(scanner, "glpat-0a1b2c3d4e5f6g7h8i9j ", 64 * 1024);
        long large = cost(scanner, "glpat-0a1b2c3d4e5f6g7h8i9j ", 4 * 64 * 1024);

        assertThat(large).isLessThan(9 * small + 20_000_000);
    }

    /// The first megabytes may take long. From there on the bound for the file is less than that for each window.
    @Test
    void a_long_text_of_the_worst_kind_costs_less_for_each_byte_the_longer_it_is() {
        var scanner = new LeakScanner(RuleSet.own(), NOW);
        String part = "server=aaa;pwd=a;".repeat(25) + "curl -u a ".repeat(55);
        long small = once(scanner, part, 3 << 20);
        long large = once(scanner, part, 9 << 20);

        assertThat(large).isLessThan(2 * small);
    }

    private static long cost(LeakScanner scanner, String part, int length) {
        return LongStream.range(0, 2)
                .map(round -> once(scanner, part, length))
                .min()
                .orElseThrow();
    }

    private static long once(LeakScanner scanner, String part, int length) {
        byte[] piece = part.repeat(16 * 1024 / part.length()).getBytes(StandardCharsets.US_ASCII);
        InputStream text = new SequenceInputStream(
                Collections.enumeration(Collections.nCopies(length / piece.length, piece).stream()
                        .map(ByteArrayInputStream::new)
                        .toList()));
        long start = processorNanos();
        scanner.scan("a.txt", text, new Collected());
        return processorNanos() - start;
    }

    private static long processorNanos() {
        try {
            return Long.parseLong(Files.readString(OWN_TIME).split(" ", 2)[0]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
