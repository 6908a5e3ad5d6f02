package dev.caisson.cli.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.CommandProcess;
import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// One more program in a container that another process runs, by the command.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ExecCommandTest {
    private static final String NAME = "exec-" + ContainerId.random().shortForm();

    @TempDir
    static Path directory;

    private static Process box;

    @BeforeAll
    static void run() throws IOException {
        box = new ProcessBuilder(CommandProcess.words(
                        "run",
                        "--rm",
                        "--name",
                        NAME,
                        "-e",
                        "COLOUR=blue",
                        "host",
                        "--",
                        "sh",
                        "-c",
                        "echo ready; exec sleep 1000"))
                .start();
        assertThat(box.inputReader().readLine()).isEqualTo("ready");
    }

    @AfterAll
    static void end() throws InterruptedException {
        box.destroy();
        box.waitFor(30, TimeUnit.SECONDS);
        box.destroyForcibly();
    }

    private static Answer exec(String input, String... words) throws IOException, InterruptedException {
        var all = new ArrayList<>(List.of("exec"));
        all.addAll(List.of(words));
        Path errors = Files.createTempFile(directory, "errors", "");
        Process process = new ProcessBuilder(CommandProcess.words(all.toArray(String[]::new)))
                .redirectError(errors.toFile())
                .start();
        process.getOutputStream().write(input.getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Answer(process.waitFor(), out, Files.readString(errors));
    }

    private static String refusal(String... words) {
        Answer answer = Answer.caisson(words);
        assertThat(answer.status()).isNotZero();
        return answer.err();
    }

    @Test
    void streams_and_status_are_the_programs() throws Exception {
        Answer answer = exec(
                "line\n",
                "-i",
                "-e",
                "SIZE=9",
                "-w",
                "/usr",
                "-u",
                "nobody",
                NAME,
                "--",
                "sh",
                "-c",
                "cat; pwd; id -un; echo $COLOUR $SIZE; echo oops >&2; exit 7");

        assertThat(answer).isEqualTo(new Answer(7, "line\n/usr\nnobody\nblue 9\n", "oops\n"));
        assertThat(exec("not passed on", NAME, "cat").out()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"kill -9 $$, 137", "kill -TERM $$, 143", "exit 255, 255"})
    void a_signal_is_told_by_the_status(String script, int status) throws Exception {
        assertThat(exec("", NAME, "sh", "-c", script).status()).isEqualTo(status);
    }

    @Test
    void the_timeout_kills_it_with_its_children_and_says_so() throws Exception {
        Answer answer = exec("", "--timeout", "300ms", NAME, "sh", "-c", "sleep 99 & sleep 99");

        assertThat(answer.status()).isEqualTo(137);
        assertThat(answer.err()).isEqualTo("caisson: killed at its timeout of 300ms, with all that it had started\n");
    }

    @Test
    void what_cannot_be_run_has_the_status_of_dockers() throws Exception {
        assertThat(exec("", NAME, "/no/such").status()).isEqualTo(127);
        assertThat(exec("", NAME, "/etc").status()).isEqualTo(126);
        Answer unknown = exec("", "no-such-container", "true");
        assertThat(unknown.err()).startsWith("caisson: CONTAINER_UNKNOWN: ").hasLineCount(1);
        assertThat(unknown.status()).isEqualTo(125);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--privileged",
                "--detach-keys=ctrl-p",
                "-it --detach-keys=ctrl-p",
                "-it --timeout=1s --detach-keys=a"
            })
    void what_it_does_not_do_is_refused_by_name(String option) {
        var words = new java.util.ArrayList<>(List.of("exec"));
        words.addAll(List.of(option.split(" ", -1)));
        words.addAll(List.of(NAME, "true"));
        assertThat(refusal(words.toArray(String[]::new)))
                .startsWith("caisson: OPTION_REFUSED: ")
                .hasLineCount(1);
    }

    /// Also what has ended: its files went with the command.
    @ParameterizedTest
    @ValueSource(strings = {"diff", "export -o /dev/null", "commit", "pause"})
    void what_only_a_container_in_the_background_can_is_refused_in_one_line(String words) throws Exception {
        var all = new ArrayList<>(List.of(words.split(" ", -1)));
        all.add(NAME);
        if (words.equals("commit")) {
            all.add("image:1");
        }
        assertThat(refusal(all.toArray(String[]::new)))
                .contains(" lives as long as the command that runs it", "run it with -d")
                .hasLineCount(1);

        String ended = NAME + "-ended";
        assertThat(Answer.caisson("run", "--name", ended, "host", "true").status())
                .isZero();
        try {
            all.replaceAll(word -> word.equals(NAME) ? ended : word);
            assertThat(refusal(all.toArray(String[]::new)))
                    .contains(" ended with ", "run it with -d")
                    .hasLineCount(1);
            assertThat(refusal("cp", ended + ":/etc/hostname", "/dev/null"))
                    .startsWith("caisson: CONTAINER_NOT_RUNNING: the container " + ended + " has ended")
                    .hasLineCount(1);
        } finally {
            Answer _ = Answer.caisson("rm", ended);
        }
    }

    @Test
    void bad_words_are_refused_before_anything_is_done() {
        assertThat(refusal("exec", NAME)).startsWith("caisson: ");
        assertThat(refusal("exec")).startsWith("caisson: ");
        assertThat(refusal("exec", "--timeout", "0s", NAME, "true")).startsWith("caisson: ");
        assertThat(refusal("exec", "-w", "relative", NAME, "true")).startsWith("caisson: ");
        assertThat(refusal("exec", "-e", "=x", NAME, "true")).startsWith("caisson: ");
    }
}
