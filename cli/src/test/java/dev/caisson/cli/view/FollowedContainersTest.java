package dev.caisson.cli.view;

import static dev.caisson.cli.Answer.caisson;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.CommandProcess;
import dev.caisson.spec.ContainerId;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers in the background that somebody looks at: attach, start -a -i, logs -f, and the options of ps.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class FollowedContainersTest {
    private final String name = "followed-" + ContainerId.random().shortForm();

    @AfterEach
    void remove() {
        caisson("rm", "-f", name, name + "-2", name + "-3");
    }

    @Test
    void logs_follows_one_to_its_end() {
        caisson("run", "-d", "--name", name, "host", "--", "sh", "-c", "echo one; sleep 1; echo two >&2; exit 6");

        Answer followed = caisson("logs", "-f", name);

        assertThat(followed).isEqualTo(new Answer(0, "one\n", "two\n"));
        assertThat(caisson("ps", "-a", "--filter", "name=" + name).out()).contains("Exited (6)");
    }

    @Test
    void attach_shows_what_comes_and_ends_as_the_program_does() {
        caisson("run", "-d", "--name", name, "host", "--", "sh", "-c", "sleep 1; echo late; exit 7");

        Answer attached = caisson("attach", "--no-stdin", name);

        assertThat(attached.out()).isEqualTo("late\n");
        assertThat(attached.status()).isEqualTo(7);
        assertThat(caisson("attach", name).err()).contains("CONTAINER_NOT_RUNNING");
    }

    @Test
    void start_passes_standard_input_on() throws Exception {
        caisson("create", "-i", "--name", name, "host", "--", "sh", "-c", "cat; exit 5");
        Process start = new ProcessBuilder(CommandProcess.words("start", "-a", "-i", name))
                .redirectErrorStream(true)
                .start();

        start.outputWriter(StandardCharsets.UTF_8).append("one\ntwo\n").close();

        assertThat(new String(start.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("one\ntwo\n");
        assertThat(start.waitFor()).isEqualTo(5);
    }

    @Test
    void ps_lists_the_last_ones_and_whole_words() {
        String word = "a-word-that-is-longer-than-a-column";
        String first =
                caisson("create", "--name", name, "host", "echo", word).out().strip();
        caisson("create", "--name", name + "-2", "host", "true");
        String third =
                caisson("create", "--name", name + "-3", "host", "true").out().strip();

        assertThat(caisson("ps", "-l", "-q", "--no-trunc").out()).isEqualTo(third + "\n");
        assertThat(caisson("ps", "-n", "2", "--format", "{{.Names}}").out()).isEqualTo(name + "-3\n" + name + "-2\n");
        assertThat(caisson("ps", "-n", "0", "-q").out()).isEmpty();
        assertThat(caisson("ps", "-a", "--filter", "id=" + first).out())
                .contains(first.substring(0, 12), "\"echo a-word-that-is…\"")
                .doesNotContain(first);
        assertThat(caisson("ps", "-a", "--no-trunc", "--filter", "id=" + first).out())
                .contains(first, "\"echo " + word + "\"");
        assertThat(caisson("ps", "-a", "--filter", "id=" + first, "--format", "table {{.Names}}\\t{{.State}}")
                        .out()
                        .lines()
                        .map(line -> List.of(line.strip().split(" +"))))
                .containsExactly(List.of("NAMES", "STATE"), List.of(name, "created"));
        assertThat(caisson("ps", "-a", "--filter", "id=" + first, "--format", "json")
                        .out())
                .contains("\"name\":\"" + name + "\"");
    }
}
