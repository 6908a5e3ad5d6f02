package dev.caisson.cli.container;

import static dev.caisson.cli.Answer.caisson;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.spec.ContainerId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Scripts that were written for docker go on to work.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class DockerHabitsTest {
    private final String name = "habits-" + ContainerId.random().shortForm();

    @AfterEach
    void remove() {
        caisson("rm", "-f", name);
    }

    @Test
    void a_name_as_inspect_shows_it_finds_the_container() {
        assertThat(caisson("run", "-d", "--name", name, "host", "sleep", "1000").status())
                .isZero();
        String shown = caisson("inspect", "-f", "{{.Name}}", name).out().strip();

        assertThat(shown).isEqualTo("/" + name);
        assertThat(caisson("exec", shown, "true")).isEqualTo(new Answer(0, "", ""));
        assertThat(caisson("stop", "-t", "0", shown)).isEqualTo(new Answer(0, shown + "\n", ""));
        assertThat(caisson("logs", shown).status()).isZero();
        assertThat(caisson("rm", "/" + shown).err()).startsWith("caisson: CONTAINER_UNKNOWN: ");
        assertThat(caisson("rm", shown)).isEqualTo(new Answer(0, shown + "\n", ""));
    }

    @Test
    void a_container_in_the_foreground_writes_its_id_to_a_file_before_its_program_runs(@TempDir Path directory)
            throws Exception {
        Path file = directory.resolve("id");

        Answer run = caisson("run", "--name", name, "--cidfile", file.toString(), "host", "true");

        assertThat(run).isEqualTo(new Answer(0, "", ""));
        assertThat(caisson("logs", name)).isEqualTo(new Answer(0, "", ""));
        assertThat(Files.readString(file))
                .isEqualTo(caisson("inspect", "-f", "{{.Id}}", name).out().strip());
        assertThat(caisson("run", "--rm", "--cidfile", file.toString(), "host", "false"))
                .satisfies(again -> assertThat(again.status()).isEqualTo(125))
                .satisfies(again -> assertThat(again.err()).contains("container ID file found"));
        assertThat(caisson("run", "--rm", "--cidfile", directory + "/none/id", "host", "false"))
                .satisfies(refused -> assertThat(refused.status()).isEqualTo(125));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "=b"})
    void a_label_has_a_name(String label) {
        Answer run = caisson("run", "--rm", "--label", label, "host", "true");

        assertThat(run.status()).isEqualTo(125);
        assertThat(run.err()).startsWith("caisson: OPTION_REFUSED: --label '" + label + "': a label has a name");
    }

    @Test
    void an_empty_name_host_name_or_directory_is_none() {
        String look = "test \"$(pwd)\" = / && test \"$(hostname | wc -c)\" = 13";

        assertThat(caisson("run", "--rm", "--name", "", "-h", "", "-w", "", "host", "sh", "-c", look))
                .isEqualTo(new Answer(0, "", ""));
    }
}
