package dev.caisson.cli.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.build.BuildListener;
import dev.caisson.cli.Answer;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.text.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `build --progress`, for an image without a `RUN`, and for steps of two stages that go on beside each other.
class BuildProgressTest {
    @TempDir
    private Path directory;

    private final String name =
            "caisson-test/progress-" + ProcessHandle.current().pid() + ":";
    private final StringWriter shown = new StringWriter();

    @AfterEach
    void remove() {
        caisson("rmi", name + "plain", name + "tty", name + "auto", name + "quiet", name + "rawjson");
    }

    private static Answer caisson(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int status = Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments);
        return new Answer(status, out.toString(), err.toString());
    }

    private Answer build(String progress) throws IOException {
        Files.writeString(
                directory.resolve("Dockerfile"), "FROM scratch\nCOPY Dockerfile /" + System.nanoTime() + "\n");
        return caisson("build", "--progress", progress, "-t", name + progress, directory.toString());
    }

    @Test
    @Tag("root")
    void it_is_shown_as_it_was_asked_for() throws IOException {
        assertThat(build("plain").err()).contains("#1 DONE ").doesNotContain("\u001b[");
        assertThat(build("tty").err()).contains("\u001b[").contains(" DONE ");
        assertThat(build("auto").err()).contains("#1 DONE ").doesNotContain("\u001b[");
        Answer quiet = build("quiet");
        assertThat(quiet.out()).matches("sha256:[0-9a-f]{64}\n");
        assertThat(quiet.err()).isEmpty();
        assertThat(build("rawjson").err()).startsWith("{\"vertexes\":[{\"digest\":\"sha256:");
        assertThat(build("fancy").err()).contains("--progress is auto, plain, tty, quiet or rawjson, not 'fancy'");
    }

    private BuildListener progress(String how) {
        return BuildProgress.of(how, new PrintWriter(shown), false);
    }

    private List<String> lines() {
        return shown.toString()
                .lines()
                .map(line -> line.replaceAll("^(#\\d) \\d\\.\\d{3} ", "$1 "))
                .toList();
    }

    @Test
    void lines_of_a_step_stay_together_while_another_goes_on() {
        BuildListener plain = progress("plain");
        plain.begins(1, "one 1/1", "RUN one");
        plain.output(1, false, "one: a\n");
        plain.begins(2, "two 1/1", "RUN two");
        plain.output(2, false, "two: a\n");
        plain.output(1, true, "one: b\n");
        plain.ends(1, false, Duration.ofMillis(1500));
        plain.output(2, false, "two: b\n");
        plain.ends(2, true, Duration.ZERO);

        assertThat(lines())
                .containsExactly(
                        "#1 [one 1/1] RUN one",
                        "#1 one: a",
                        "#1 one: b",
                        "#1 DONE 1.5s",
                        "#2 [two 1/1] RUN two",
                        "#2 two: a",
                        "#2 two: b",
                        "#2 CACHED");
    }

    @Test
    void a_step_that_is_silent_lets_another_speak() throws Exception {
        BuildListener plain = progress("plain");
        plain.begins(1, "one 1/1", "RUN one");
        plain.begins(2, "two 1/1", "RUN two");
        plain.output(2, false, "two: a\n");
        assertThat(lines()).containsExactly("#1 [one 1/1] RUN one");
        Thread.sleep(1100);
        plain.waits();
        plain.fails(2, "it failed");
        plain.cancels(1);

        assertThat(lines())
                .containsExactly(
                        "#1 [one 1/1] RUN one",
                        "#1 ...",
                        "#2 [two 1/1] RUN two",
                        "#2 two: a",
                        "#2 ERROR: it failed",
                        "#1 [one 1/1] RUN one",
                        "#1 CANCELED");
    }

    @Test
    void a_terminal_shows_all_steps_that_run_and_all_that_a_failed_one_wrote() {
        BuildListener terminal = progress("tty");
        terminal.begins(1, "one 1/1", "RUN one");
        terminal.begins(2, "two 1/1", "RUN two");
        for (int i = 1; i <= 9; i++) {
            terminal.output(2, false, "line " + i + "\n");
        }
        String last = shown.toString().substring(shown.toString().lastIndexOf("\u001b[J") + 3);
        assertThat(last.lines().map(line -> line.replaceAll(" \\d\\.\\d{3} ", " ")))
                .containsExactly("#1 [one 1/1] RUN one", "#2 [two 1/1] RUN two", "#2 line 7", "#2 line 8", "#2 line 9");

        terminal.fails(2, "it failed");
        String end = shown.toString().substring(shown.toString().lastIndexOf("\u001b[J") + 3);
        assertThat(end.lines().map(line -> line.replaceAll(" \\d\\.\\d{3} ", " ")))
                .startsWith("#2 line 1")
                .contains("#2 line 9", "#2 [two 1/1] RUN two ERROR")
                .endsWith("#1 [one 1/1] RUN one");
    }

    @Test
    void lines_of_json_are_what_buildkit_prints() {
        BuildListener json = progress("rawjson");
        json.begins(1, "one 1/1", "RUN one");
        json.output(1, true, "hi\n");
        json.ends(1, true, Duration.ZERO);
        json.begins(2, "two 1/1", "RUN two");
        json.fails(2, "it failed");

        List<Map<?, ?>> all = shown.toString()
                .lines()
                .<Map<?, ?>>map(
                        line -> (Map<?, ?>) Json.parse(line.getBytes(StandardCharsets.UTF_8), Json.Limits.DEFAULT))
                .collect(Collectors.toList());
        assertThat(all).hasSize(5);
        Map<?, ?> begun = only(all.get(0), "vertexes");
        Map<?, ?> written = only(all.get(1), "logs");
        Map<?, ?> ended = only(all.get(2), "vertexes");
        assertThat(begun.get("name")).isEqualTo("[one 1/1] RUN one");
        assertThat(begun.containsKey("completed")).isFalse();
        assertThat(written.get("vertex")).isEqualTo(begun.get("digest")).isEqualTo(ended.get("digest"));
        assertThat(written.get("stream")).hasToString("2");
        assertThat(written.get("data")).isEqualTo("aGkK");
        assertThat(ended.get("cached")).isEqualTo(true);
        assertThat(ended.get("started")).isEqualTo(begun.get("started"));
        assertThat(only(all.get(4), "vertexes").get("error")).isEqualTo("it failed");
    }

    private static Map<?, ?> only(Map<?, ?> line, String kind) {
        assertThat(line.keySet()).hasToString("[" + kind + "]");
        assertThat(line.get(kind)).isInstanceOf(List.class);
        return line.get(kind) instanceof List<?> list && list.getFirst() instanceof Map<?, ?> map ? map : Map.of();
    }
}
