package dev.caisson.cli;

import static dev.caisson.cli.Answer.caisson;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerId;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A format of the reader shows what containers and images chose.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class FormatOnTerminalTest {
    private static final String HOSTILE = "\u001b]0;title\u0007\u009b2J\u202e";

    private final String name = "format-" + ContainerId.random().shortForm();

    @AfterEach
    void remove() {
        caisson("rm", "-f", name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "inspect -f {{.Config.Labels.l}} NAME",
                "inspect -f {{.Config.Labels}} NAME",
                "ps -a --format {{.Labels}} --filter name=NAME"
            })
    void it_steers_no_terminal_and_a_program_reads_it_as_it_is(String command) throws Exception {
        String[] words = command.replace("NAME", name).split(" ");
        assertThat(caisson("create", "--name", name, "--label", "l=" + HOSTILE, "host", "true")
                        .status())
                .isZero();

        assertThat(caisson(words).out()).contains(HOSTILE);
        assertThat(onTerminal(words)).contains("]0;title").doesNotContain("\u001b", "\u0007", "\u009b", "\u202e");
    }

    private static String onTerminal(String... words) throws Exception {
        String line = CommandProcess.ofJvm(List.of(), words).stream()
                .map(word -> "'" + word + "'")
                .collect(Collectors.joining(" "));
        Process process = new ProcessBuilder("script", "-qec", line, "/dev/null").start();
        process.getOutputStream().close();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
