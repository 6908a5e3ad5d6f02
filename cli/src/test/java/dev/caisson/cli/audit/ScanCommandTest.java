package dev.caisson.cli.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Main;
import dev.caisson.cli.caller.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScanCommandTest {
    /// Its parts stand apart, so that this file holds no secret.
    private static final String TOKEN = "glpat" + "-Xk93jfLq02mZ7vRt5bNw";

    @TempDir
    Path root = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void makeFiles() throws IOException {
        Files.createDirectories(root.resolve("src"));
        Files.writeString(root.resolve("src/app.yaml"), "name: shop\ntoken: " + TOKEN + "\n");
    }

    private int scan(String... arguments) {
        return Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments);
    }

    @Test
    void a_finding_names_its_place_and_fails_the_run() {
        assertThat(scan("scan", root.toString())).isEqualTo(1);
        assertThat(out.toString())
                .contains("src/app.yaml:2:8: high:", "GitLab token gl*** (26 characters)", "LEAK-GITLAB-TOKEN");
    }

    @Test
    void remarks_and_an_ignore_file_make_it_pass_and_stay_in_the_report() throws IOException {
        Files.writeString(root.resolve("src/app.yaml"), "a\ntoken: " + TOKEN + " # gitleaks:allow\n");
        assertThat(scan("scan", "--format", "json", root.toString())).isZero();
        assertThat(out.toString()).contains("\"waived\"", "gitleaks:allow");

        Files.writeString(root.resolve("src/app.yaml"), "a\ntoken: " + TOKEN + "\n");
        Files.writeString(root.resolve(".gitleaksignore"), "src/app.yaml:gitlab-token:2\n");
        assertThat(scan("scan", root.toString())).isZero();
        Files.writeString(root.resolve(".gitleaksignore"), "src/app.yaml:gitlab-token:1\n");
        assertThat(scan("scan", root.toString())).isEqualTo(1);
    }

    @Test
    void a_wrong_word_for_the_store_is_refused_with_the_right_ones() {
        assertThat(scan("scan", "--stored", "maybe", root.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("auto, yes, no", "maybe");
    }

    @Test
    void a_directory_without_secrets_is_clean() throws IOException {
        Files.delete(root.resolve("src/app.yaml"));
        assertThat(scan("scan", root.toString())).isZero();
        assertThat(out.toString()).contains("open: none");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"text", "json", "sarif", "junit", "html", "markdown", "csv", "prometheus", "docker-bench-json"})
    void no_format_shows_a_value(String format) {
        assertThat(scan("scan", "--format", format, root.toString())).isEqualTo(1);
        assertThat(out.toString()).isNotBlank().doesNotContain(TOKEN.substring(6));
    }

    @Test
    void a_threshold_a_waiver_and_a_baseline_make_it_pass() throws IOException {
        assertThat(scan("scan", "--fail-on", "critical", root.toString())).isZero();

        Path waivers = Files.writeString(root.resolve("waivers.yaml"), """
                waivers:
                  - check: gitlab-token
                    file: "*app.yaml"
                    reason: revoked
                    until: 2999-01-01
                  - check: privileged
                    reason: another run's
                    until: 2999-01-01
                """);
        assertThat(scan("scan", "--waivers", waivers.toString(), root.toString()))
                .isZero();
        assertThat(out.toString()).contains("waived: revoked").doesNotContain("covers nothing");

        Path baseline = root.resolve("baseline.json");
        assertThat(scan(
                        "scan",
                        "--format",
                        "json",
                        "-o",
                        baseline.toString(),
                        root.resolve("src").toString()))
                .isEqualTo(1);
        assertThat(scan(
                        "scan",
                        "--baseline",
                        baseline.toString(),
                        root.resolve("src").toString()))
                .isZero();
        Files.writeString(
                root.resolve("src/app.yaml"), "\n\ntoken: " + TOKEN + "\nother: " + TOKEN.replace('k', 'z') + "\n");
        assertThat(scan(
                        "scan",
                        "--baseline",
                        baseline.toString(),
                        root.resolve("src").toString()))
                .isEqualTo(1);
    }

    @Test
    void what_cannot_be_scanned_is_status_3() throws IOException {
        Files.writeString(root.resolve("src/app.yaml"), "BZh91AY&SY and more");
        assertThat(scan("scan", root.toString())).isEqualTo(3);
        assertThat(out.toString()).contains("not-evaluated");
    }

    @Test
    void mistakes_are_status_2_with_a_sentence() throws IOException {
        assertThat(scan("scan", root.resolve("none").toString())).isEqualTo(2);
        assertThat(err.toString()).contains("INPUT_MISSING", "there is no file");
        assertThat(scan("scan", "git:" + root)).isEqualTo(2);
        assertThat(err.toString()).contains("is no git repository");
        assertThat(scan("scan", "git:" + root.resolve("none"))).isEqualTo(2);
        assertThat(err.toString()).contains("INPUT_MISSING", "none is missing");
        assertThat(scan("scan", "image:")).isEqualTo(2);
        assertThat(scan("scan", "container:none")).isEqualTo(2);
        assertThat(err.toString()).contains("'caisson ps -a'");
        assertThat(scan("scan")).isEqualTo(2);
        assertThat(scan("scan", "--format", "xml", root.toString())).isEqualTo(2);
        Path rules = Files.writeString(root.resolve("rules.toml"), "[[rules]]\nid = \"a\"\nregex = '''(a'''\n");
        assertThat(scan("scan", "--rules", rules.toString(), root.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("rule a has an expression that is not understood");
    }

    @Test
    void rules_of_a_file_replace_ours_or_join_them() throws IOException {
        Path rules = root.resolve("rules.toml");
        String own = "[[rules]]\nid = \"shop-key\"\nkeywords = [\"shop\"]\nregex = '''name: (sh[a-z]p)'''\n";
        Files.writeString(rules, own);
        assertThat(scan("scan", "--rules", rules.toString(), root.resolve("src").toString()))
                .isEqualTo(1);
        assertThat(out.toString()).contains("LEAK-SHOP-KEY").doesNotContain("GITLAB");

        Files.writeString(rules, "[extend]\nuseDefault = true\n" + own);
        scan("scan", "--rules", rules.toString(), root.resolve("src").toString());
        assertThat(out.toString()).contains("LEAK-GITLAB-TOKEN");
    }
}
