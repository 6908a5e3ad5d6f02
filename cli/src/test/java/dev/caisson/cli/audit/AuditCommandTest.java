package dev.caisson.cli.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.CommandProcess;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AuditCommandTest {
    @TempDir
    Path root = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int audit(String... arguments) {
        return Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments);
    }

    @Test
    void a_finding_names_file_line_and_check_and_fails_the_run() throws IOException {
        Path file = Files.writeString(root.resolve("compose.yaml"), "services:\n  web:\n    privileged: true\n");

        assertThat(audit("audit", file.toString())).isEqualTo(1);
        assertThat(out.toString()).contains("compose.yaml:3:5: critical:", "CSN-WL-006 privileged");
    }

    @Test
    void a_missing_file_is_an_error_of_the_audit() {
        assertThat(audit("audit", root.resolve("none").toString())).isEqualTo(2);
        assertThat(err.toString()).contains("INPUT_MISSING");
    }

    @Test
    void a_report_goes_to_a_file() throws IOException {
        Path file = Files.writeString(root.resolve("Dockerfile"), "FROM a\nUSER 65532\n");
        Path report = root.resolve("r.sarif");

        assertThat(audit(
                        "audit",
                        "--format",
                        "sarif",
                        "--fail-on",
                        "critical",
                        "-o",
                        report.toString(),
                        file.toString()))
                .isZero();
        assertThat(Files.readString(report)).contains("CSN-DF-002");
    }

    @Test
    void an_engine_that_does_not_answer_is_an_error_of_the_audit() {
        assertThat(audit("audit", "--docker", "unix://" + root.resolve("none.sock")))
                .isEqualTo(2);
        assertThat(err.toString()).contains("ENGINE_UNREACHABLE", "--docker unix:///PATH");
    }

    @Test
    void options_of_a_host_are_checked_and_refused_beside_files() throws IOException {
        Path file = Files.writeString(root.resolve("Dockerfile"), "FROM a\nUSER 65532\n");

        assertThat(audit("audit", "--profile", "l1", file.toString())).isEqualTo(2);
        assertThat(audit("audit", "--target", "web")).isEqualTo(2);
        assertThat(audit("audit", "--benchmark", "cis-docker-1.5")).isEqualTo(2);
        assertThat(audit("audit", "--docker", "tcp://127.0.0.1:2375")).isEqualTo(2);
        assertThat(err.toString().lines()).hasSize(4).allMatch(line -> line.contains("OPTION_INVALID"));
    }

    /// Who runs an audit takes its exit status for the answer: 125 is none of 0, 1, 2 and 3.
    @ParameterizedTest
    @CsvSource({
        "--format,pdf,'it is one of text, json, sarif, junit, html, markdown, csv, prometheus, docker-bench-json,'",
        "--fail-on,worst,'it is one of info, low, medium, high, critical,'",
        "--watch,soon,'not an int'",
        "--nonsense,x,'Unknown option'",
    })
    void a_command_line_that_is_not_understood_is_an_error_of_the_audit(String option, String word, String told) {
        assertThat(audit("audit", option, word)).isEqualTo(2);
        assertThat(err.toString()).startsWith("caisson: USAGE: ").contains(told, "try 'caisson audit --help'");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"text", "json", "SARIF", "junit", "html", "markdown", "csv", "prometheus", "docker-bench-json"})
    void every_format_is_written(String format) throws IOException {
        Path file = Files.writeString(root.resolve("Dockerfile"), "FROM a\nUSER 65532\n");

        assertThat(audit("audit", "--fail-on", "Critical", "--format", format, file.toString()))
                .isZero();
        assertThat(out.toString()).isNotBlank();
    }

    @Test
    void an_option_that_would_do_nothing_is_refused() throws IOException {
        Path file = Files.writeString(root.resolve("Dockerfile"), "FROM a\nUSER 65532\n");

        for (String[] arguments : new String[][] {
            {"audit", "--fix", root.resolve("out").toString(), "--facts", "facts.json"},
            {"audit", "--fix", root.resolve("out").toString(), "--host", "ssh://host.invalid"},
            {"audit", "--fix", root.resolve("out").toString(), "--save-facts", "-"},
            {"audit", "--fix", root.resolve("out").toString(), "--watch", "5"},
            {"audit", "--watch", "0"},
            {"audit", "--watch=-1"},
            {"audit", "--watch", "--", file.toString()},
            {"audit", "--fix", root.resolve("out").toString(), "--target", "container:a"},
            {"audit", "--env", "A=b"},
            {"audit", "--base-image", "a=dir:/srv"},
            {"audit", "--built-from", file.toString(), file.toString()},
            {"audit", "--built-from", file.toString(), "--facts", "facts.json"},
            {"audit", "--built-from", file.toString(), "--host", "ssh://host.invalid"},
            {"audit", "--built-from", file.toString(), "--save-facts", "-"}
        }) {
            err.getBuffer().setLength(0);
            assertThat(audit(arguments)).as(String.join(" ", arguments)).isEqualTo(2);
            assertThat(err.toString()).contains("OPTION_INVALID");
        }
        assertThat(root.resolve("out")).doesNotExist();
    }

    @Test
    void a_report_that_cannot_be_written_is_an_error_of_the_audit() throws IOException {
        Path file = Files.writeString(root.resolve("Dockerfile"), "FROM a\nUSER 65532\n");
        try (PrintWriter full = new PrintWriter("/dev/full", StandardCharsets.UTF_8)) {
            assertThat(Main.execute(
                            full,
                            new PrintWriter(err),
                            Terminal.NONE,
                            "audit",
                            "--fail-on",
                            "critical",
                            file.toString()))
                    .isEqualTo(2);
            assertThat(Main.execute(
                            full,
                            new PrintWriter(err),
                            Terminal.NONE,
                            "audit",
                            "--host-root",
                            hostWithoutEngine().toString(),
                            "--save-facts",
                            "-"))
                    .isEqualTo(2);
        }
        assertThat(audit("audit", "-o", "/dev/full", file.toString())).isEqualTo(2);
        assertThat(err.toString().lines()).hasSize(3).allMatch(line -> line.contains("OUTPUT_FAILED"));
    }

    @Test
    void a_file_that_cannot_be_read_or_written_is_told_with_the_reason() throws IOException {
        Path file = Files.writeString(root.resolve("Dockerfile"), "FROM a\nUSER 65532\n");
        Path nowhere = root.resolve("nowhere/report");

        assertThat(audit("audit", "-o", nowhere.toString(), file.toString())).isEqualTo(2);
        assertThat(err.toString())
                .contains("OUTPUT_FAILED: " + nowhere + " cannot be written: there is no such directory.");
        assertThat(audit("audit", "--facts", nowhere.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("INPUT_UNREADABLE: " + nowhere + " cannot be read: there is no such file.");
    }

    @Test
    void facts_of_two_hosts_make_one_report() throws IOException {
        Path one = root.resolve("one.json");
        assertThat(audit("audit", "--docker", "unix:///nonexistent", "--save-facts", one.toString()))
                .isEqualTo(2);
        assertThat(audit("audit", "--host-root", hostWithoutEngine().toString(), "--save-facts", one.toString()))
                .isZero();
        assertThat(Files.getPosixFilePermissions(one)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
        Path two = Files.copy(one, root.resolve("two.json"));

        audit("audit", "--facts", one.toString(), "--facts", two.toString(), "--format", "csv");

        assertThat(out.toString()).contains("one/this host", "two/this host");
        assertThat(audit("audit", "--facts", root.resolve("compose.yaml").toString()))
                .isEqualTo(2);
    }

    @Test
    void options_that_say_what_to_gather_here_are_refused_beside_facts_and_hosts() throws IOException {
        Path facts = Files.writeString(root.resolve("facts.json"), "{}");
        for (String[] option : new String[][] {
            {"--docker", "unix:///run/docker.sock"},
            {"--target", "container:web"},
            {"--host-root", "/"},
            {"--save-facts", "-"},
            {"--built-from", "Dockerfile"},
            {"--live-filters"},
        }) {
            for (String[] source : new String[][] {{"--facts", facts.toString()}, {"--host", "ssh://web1"}}) {
                var all = new java.util.ArrayList<>(java.util.List.of("audit"));
                all.addAll(java.util.List.of(source));
                all.addAll(java.util.List.of(option));
                err.getBuffer().setLength(0);

                assertThat(audit(all.toArray(String[]::new))).as("%s", all).isEqualTo(2);
                assertThat(err.toString()).as("%s", all).contains("OPTION_INVALID", "beside --");
            }
        }
    }

    @Test
    void a_host_that_cannot_be_reached_is_named_on_standard_error() {
        String host = "ssh://root@127.0.0.1:1";

        assertThat(audit("audit", "--host", host, "--format", "json")).isEqualTo(3);

        assertThat(err.toString())
                .startsWith("caisson: host root@127.0.0.1:1 was not audited: ")
                .hasLineCount(1);
    }

    @Test
    void a_name_of_another_host_steers_no_terminal_in_any_table() throws IOException {
        Path facts = Files.writeString(root.resolve("a\u001b[31m\u009bb.json"), "no facts");
        for (String format : new String[] {"csv", "text", "markdown"}) {
            out.getBuffer().setLength(0);

            audit("audit", "--facts", facts.toString(), "--format", format);

            assertThat(out.toString().replace("\\[", "[")).contains("a\uFFFD[31m\uFFFDb");
            assertThat(out.toString().codePoints().filter(Character::isISOControl))
                    .as(format)
                    .allMatch(c -> c == '\n' || c == '\r');
        }
    }

    private Path hostWithoutEngine() throws IOException {
        Files.createDirectories(root.resolve("host/etc"));
        return root.resolve("host");
    }

    @Test
    void proposals_have_a_place_where_none_was_named() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), "services:\n  web:\n    privileged: true\n");

        Process process = new ProcessBuilder(CommandProcess.words("audit", "compose.yaml", "--fix"))
                .directory(root.toFile())
                .redirectErrorStream(true)
                .start();
        String said = String.join("\n", process.inputReader().lines().toList());

        assertThat(process.waitFor()).as(said).isEqualTo(1);
        assertThat(root.resolve("caisson-fixes/fixes.patch")).content().contains("privileged: true");
    }

    /// Directories that are not root's are left to people.
    @Test
    @Tag("root")
    void files_for_a_host_are_written_and_nothing_of_it_is_changed() throws IOException {
        Path host = hostWithoutEngine();
        Path file = Files.writeString(
                Files.createDirectories(host.resolve("etc/default")).resolve("docker"), "");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));

        int status = audit(
                "audit",
                "--host-root",
                host.toString(),
                "--fix",
                root.resolve("out").toString(),
                "--format",
                "csv");

        assertThat(status).as(err.toString()).isIn(0, 1, 3);
        assertThat(root.resolve("out/files.sh")).content().contains("chmod g-w,o-w \"$root\"/etc/default/docker");
        assertThat(err.toString()).contains("files.sh: for default-docker-", "sh " + root.resolve("out/files.sh"));
        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-rw-rw-"));
    }

    /// What the manifests of `deploy/` call is what the command takes.
    @ParameterizedTest
    @ValueSource(strings = {"kubernetes/audit-daemonset.yaml", "kubernetes/audit-cronjob.yaml", "ansible/audit.yml"})
    void arguments_of_the_deployments_are_understood(String name) throws IOException {
        String text = Files.readString(Path.of(System.getProperty("caisson.root"), "deploy", name));
        Matcher line = Pattern.compile("(?m)^ *arg[sv]: \\[(.*)]$").matcher(text);
        assertThat(line.find()).isTrue();
        List<String> arguments = new ArrayList<>(Stream.of(line.group(1).split(", "))
                .map(word -> word.replace("\"", "").replace("/host", hostRoot()).replace("{{ fail_on }}", "high"))
                .filter(word -> !word.startsWith("{{"))
                .toList());
        arguments.addAll(arguments.contains("--host-root") ? List.of() : List.of("--host-root", hostRoot()));
        assertThat(arguments.getFirst()).isEqualTo("audit");
        if (arguments.contains("--watch")) {
            arguments.addAll(List.of("--save-facts", "-"));
        }

        assertThat(audit(arguments.toArray(String[]::new))).isIn(0, 1, 3);
        assertThat(err.toString()).isEmpty();
        assertThat(out.toString()).startsWith("{");
    }

    private String hostRoot() {
        try {
            return hostWithoutEngine().toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
