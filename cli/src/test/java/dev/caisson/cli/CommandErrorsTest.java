package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.caisson.cli.caller.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What stands in a command's way has a code of its own.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class CommandErrorsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private static String errors(String... arguments) {
        return errors(125, arguments);
    }

    private static String errors(int expected, String... arguments) {
        var err = new StringWriter();
        int status =
                Main.execute(new PrintWriter(new StringWriter()), new PrintWriter(err, true), Terminal.NONE, arguments);
        assertThat(status).as(String.join(" ", arguments)).isEqualTo(expected);
        return err.toString();
    }

    @ParameterizedTest
    @Tag("root")
    @CsvSource({
        "1, attach NONE",
        "1, commit NONE box:1",
        "1, cp NONE:/etc .",
        "1, diff NONE",
        "1, export NONE",
        "1, inspect NONE",
        "1, kill NONE",
        "1, logs NONE",
        "1, pause NONE",
        "1, port NONE",
        "1, rename NONE box",
        "1, restart NONE",
        "1, rm NONE",
        "1, start NONE",
        "1, stats --no-stream NONE",
        "1, stop NONE",
        "1, top NONE",
        "1, unpause NONE",
        "1, update --memory 64m NONE",
        "1, wait NONE",
        "125, exec NONE true",
        "125, verify NONE"
    })
    void an_unknown_container_ends_a_command_with_the_status_of_dockers_client_unless_a_program_has_it(
            int status, String words) {
        String known = words.replace("NONE", "no-such-container");
        assertThat(errors(status, known.split(" ", -1))).contains("no-such-container");
        if (status == 1) {
            assertThat(errors(status, ("container " + known).split(" ", -1))).contains("no-such-container");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "stop --colour box",
                "logs --tail",
                "ps --colour",
                "volume ls --colour",
                "verify",
                "workspace inspect",
                "run",
                "container create"
            })
    void an_option_that_is_not_understood_ends_each_command_with_125_and_any_word_one_of_caissons_own(String words) {
        assertThat(errors(words.split(" ", -1))).startsWith("caisson: USAGE: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rename box",
                "logs --since never box",
                "top",
                "ps --filter colour=red",
                "ps --filter publish=90-80",
                "ps --filter expose=70000",
                "ps --filter publish=80/any",
                "ps box",
                "network",
                "tag box",
                "images --filter colour=red"
            })
    void what_else_dockers_commands_do_not_understand_ends_them_with_1(String words) {
        assertThat(errors(1, words.split(" ", -1))).startsWith("caisson: USAGE: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-v a",
                "-v /a:/b:ro:x",
                "-v /a:/b:rx",
                "-v d:/b",
                "-v data:/b:ro:x",
                "-v data,x:/b",
                "-v /a:b",
                "-v /a:/b/../c",
                "--mount type=npipe,target=/b",
                "--mount type=volume,src=data,target=/b,volume-driver=nfs",
                "--mount type=bind,src=data,target=/b",
                "--mount type=bind,source=/a,target=/b,colour=red",
                "--mount type=bind,source=/a,src=/c,target=/b",
                "--mount type=tmpfs,target=/b,tmpfs-mode=rwx",
                "--tmpfs b",
                "--tmpfs /b:huge"
            })
    void what_is_no_mount_is_told(String option) {
        List<String> words = new ArrayList<>(List.of(option.split(" ", -1)));
        words.addFirst("run");
        words.addAll(List.of("host", "true"));

        assertThat(errors(words.toArray(String[]::new)))
                .startsWith("caisson: MOUNT_INVALID: " + option.split(" ", -1)[0]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--mount type=image,source=debian:13", "--mount type=tmpfs", "-v data:"})
    void a_target_that_is_missing_is_asked_for(String option) {
        String[] words = option.split(" ", -1);

        assertThat(errors("run", words[0], words[1], "host", "true"))
                .contains("it has no target: name a path of the container, as /data");
    }

    @Test
    @Tag("root")
    void a_process_without_a_filter_is_not_compared() throws IOException {
        Process unfiltered = new ProcessBuilder("sleep", "60").start();
        try {
            assertThat(errors("seccomp", "diff", "standard", Long.toString(unfiltered.pid())))
                    .startsWith("caisson: NOT_ONE_FILTER: the process has 0 filters");
        } finally {
            unfiltered.destroyForcibly();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ALLOWANCE_NEEDED --device /dev/fuse",
                "DEVICE_SOURCE --allow host-devices --device /dev/nothing",
                "DEVICE_TARGET --allow host-devices --device /dev/fuse:/dev/null",
                "ALLOWANCE_NEEDED --cap-add SYS_ADMIN --device /dev/fuse --allow host-devices"
            })
    @Tag("root")
    void of_a_run_that_is_refused_nothing_is_told_but_why(String line) {
        List<String> words = new ArrayList<>(List.of(line.split(" ")));
        String code = words.removeFirst();
        words.addAll(0, List.of("run", "--rm"));
        words.addAll(List.of("host", "true"));

        assertThat(errors(words.toArray(String[]::new)).lines())
                .singleElement()
                .asString()
                .startsWith("caisson: " + code + ": ");
    }

    /// The process of a test has no terminal.
    @Test
    @Tag("root")
    void who_types_needs_a_terminal() throws IOException {
        assertThat(command("", "run", "--rm", "-it", "host", "true"))
                .contains("caisson: NO_TERMINAL: -i with -t needs a terminal here");
    }

    @Test
    @Tag("root")
    void a_program_has_a_terminal_where_its_output_goes_elsewhere() throws IOException {
        assertThat(command("", "run", "--rm", "-t", "host", "stty", "size")).isEqualTo("24 80");
    }

    @Test
    @Tag("root")
    void attackers_need_their_interpreter() throws IOException {
        assumeThat(Path.of("/usr/bin/perl")).exists();
        String without = "unshare --mount bash -c 'mount --bind /dev/null /usr/bin/perl && exec \"$@\"' bash ";

        assertThat(command(without, "selftest", "dos", "--without-docker"))
                .contains("caisson: PERL_MISSING: attackers are written in Perl");
        assertThat(Files.isExecutable(Path.of("/usr/bin/perl"))).isTrue();
    }

    /// What a process of its own tells on its pipes.
    /// @param under a shell's words in front of the command
    private String command(String under, String... arguments) throws IOException {
        var command = new ArrayList<>(List.of("bash", "-c", "exec " + under + "\"$@\"", "bash"));
        command.addAll(CommandProcess.words(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("CAISSON_STATE", directory.resolve("state").toString());
        builder.environment().put("CAISSON_DATA", directory.resolve("data").toString());
        Process process = builder.start();
        process.getOutputStream().close();
        return String.join("\n", process.inputReader().lines().toList());
    }
}
