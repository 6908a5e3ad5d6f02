package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Findings that a line or a file of the directory tolerates are marked, and no others.
class AllowedTest {
    private static final Instant NOW = Instant.parse("2026-01-02T12:00:00Z");

    @TempDir
    Path root;

    private final String token = new Samples(5).fill("ghp_{w30}{crc}");

    private static List<String> allowed(String text) {
        return new LeakScanner(RuleSet.own(), NOW)
                .scan("a", text).stream().map(Leak::allowed).toList();
    }

    @Test
    void a_remark_of_the_line_allows_what_is_in_it() {
        assertThat(allowed("a = " + token + " # gitleaks:allow\nb = " + token))
                .containsExactly("its line says gitleaks:allow", "");
        assertThat(allowed("# caisson: allow github-token test account until 2026-01-02\na = " + token))
                .containsExactly("");
        assertThat(allowed("a = " + token + " # caisson: allow github-token test account until 2026-01-02"))
                .containsExactly("test account (until 2026-01-02)");
    }

    @Test
    void a_remark_that_has_run_out_or_is_for_another_rule_or_is_cut_short_allows_nothing() {
        for (String remark : List.of(
                "caisson: allow github-token test account until 2026-01-01",
                "caisson: allow gitlab-token test account until 2027-01-01",
                "caisson: allow github-token until 2027-01-01",
                "caisson: allow github-token test account",
                "caisson: allow github-token test account until 2026-02-30",
                "caisson:allow",
                "gitleaks allow")) {
            assertThat(allowed("a = " + token + " # " + remark)).as(remark).containsExactly("");
        }
    }

    @Test
    void what_is_decoded_is_allowed_by_the_line_that_it_stands_in() {
        String encoded = Base64.getEncoder().encodeToString(token.getBytes(StandardCharsets.UTF_8));
        assertThat(allowed("a: " + encoded + " # gitleaks:allow\nb: " + encoded))
                .containsExactly("its line says gitleaks:allow", "");
    }

    @Test
    void lines_of_an_ignore_file_allow_one_place_each() throws IOException {
        Files.createDirectories(root.resolve("conf"));
        Files.writeString(root.resolve("conf/a.ini"), "x\ntoken = " + token + "\ntoken = " + token + "\n");
        Files.writeString(
                root.resolve(IgnoreFile.NAME),
                "# known\nconf/a.ini:github-token:2\nconf/a.ini:gitlab-token:3\nnonsense\n: :\nconf/b.ini:github-token:3\n");

        assertThat(scanned()).containsExactly("d/conf/a.ini:2:9 .gitleaksignore has it", "d/conf/a.ini:3:9 ");

        // a rule that gitleaks has and we have not
        Files.writeString(root.resolve(IgnoreFile.NAME), "./conf/a.ini:github-pat:3\n");
        assertThat(scanned()).containsExactly("d/conf/a.ini:2:9 ", "d/conf/a.ini:3:9 .gitleaksignore has it");

        Files.delete(root.resolve(IgnoreFile.NAME));
        Files.createSymbolicLink(root.resolve(IgnoreFile.NAME), Path.of("/etc/hostname"));
        assertThat(IgnoreFile.of(root)).isEmpty();
    }

    private List<String> scanned() {
        var found = new Collected();
        var scanner = new LeakScanner(RuleSet.own(), NOW);
        TreeScan.scan(scanner, root, "d", IgnoreFile.of(root).orElseThrow().over("d", scanner.rules(), found));
        return found.leaks.stream()
                .map(leak -> leak.place() + " " + leak.allowed())
                .sorted()
                .toList();
    }

    @Test
    void a_line_for_a_commit_allows_that_commit_alone() {
        var file = IgnoreFile.parse("1a2b3c4d5e6f" + "0".repeat(28) + ":conf/a.ini:github-token:2\n");
        var found = new Collected();
        ScanSink sink = file.over("git:r", RuleSet.own(), found);
        new LeakScanner(RuleSet.own(), NOW).scan("git:r/conf/a.ini@1a2b3c4d5e6f", stream("\n" + token), sink);
        new LeakScanner(RuleSet.own(), NOW).scan("git:r/conf/a.ini@2a2b3c4d5e6f", stream("\n" + token), sink);
        assertThat(found.leaks).extracting(Leak::allowed).containsExactly(".gitleaksignore has it", "");
    }

    private static ByteArrayInputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void a_known_value_is_named_wherever_it_stands_and_once() {
        String value = "correct horse battery";
        KnownValues known = (bytes, from, to, hit) -> {
            String text = new String(bytes, 0, to, StandardCharsets.ISO_8859_1);
            for (String form :
                    List.of(value, Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8)), token)) {
                for (int at = text.indexOf(form, from); at >= 0; at = text.indexOf(form, at + 1)) {
                    String name = form.equals(token) ? "hub@1" : "db@3";
                    hit.at(name, "as it is", !form.endsWith("="), at, at + form.length());
                }
            }
        };
        var scanner = new LeakScanner(RuleSet.own(), NOW, known);
        String encoded = Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8));

        List<Leak> leaks = scanner.scan("tests/a", "x " + value + "\ny " + encoded + "\n token " + token + "\n");

        assertThat(leaks)
                .extracting(leak -> leak.rule().id() + " " + leak.known() + " "
                        + leak.place().line())
                .containsExactlyInAnyOrder("stored-secret db@3 1", "stored-secret db@3 2", "github-token hub@1 3");
        assertThat(leaks).allSatisfy(leak -> {
            assertThat(leak.confidence()).isEqualTo(Confidence.CERTAIN);
            assertThat(leak.reason()).startsWith("it is the stored secret ");
            assertThat(leak.toString()).doesNotContain("correct");
        });
    }

    @Test
    void lists_of_a_file_of_rules_allow_what_they_name_and_no_more() {
        String rule = """
                [[rules]]
                id = 'a'
                regex = 'tok-[a-z0-9]{8}'
                keywords = ['tok-']
                [[rules]]
                id = 'b'
                regex = 'key-[a-z0-9]{8}'
                keywords = ['key-']
                """;
        assertThat(found(rule, "f")).containsExactly("a", "b");
        assertThat(found(rule + "[[allowlists]]\ntargetRules = ['a']\nregexes = ['.*']\n", "f"))
                .containsExactly("b");
        assertThat(found(rule + "[[allowlists]]\ntargetRules = ['a']\npaths = ['f']\n", "f"))
                .containsExactly("b");
        assertThat(found(rule + "[allowlist]\npaths = ['f']\n", "f")).isEmpty();
        String commits = "[[allowlists]]\ncondition = 'AND'\ncommits = ['" + "1a2b3c4d5e6f" + "0".repeat(28) + "']\n";
        assertThat(found(rule + commits, "f")).containsExactly("a", "b");
        assertThat(found(rule + commits, "git:r/f@1a2b3c4d5e6f")).isEmpty();
        assertThat(found(rule + commits + "paths = ['zz']\n", "git:r/f@1a2b3c4d5e6f"))
                .containsExactly("a", "b");
        assertThat(found(rule + "[[allowlists]]\ncondition = 'AND'\ndescription = 'x'\n", "f"))
                .containsExactly("a", "b");
        assertThat(found(rule + "[[allowlists]]\nstopwords = ['K-AB']\n", "f")).containsExactly("b");
    }

    private static List<String> found(String rules, String source) {
        var found = new Collected();
        new LeakScanner(RuleSet.of(rules), NOW).scan(source, stream("x tok-abcd1234 y\nz key-abcd1234\n"), found);
        return found.leaks.stream().map(leak -> leak.rule().id()).sorted().toList();
    }
}
