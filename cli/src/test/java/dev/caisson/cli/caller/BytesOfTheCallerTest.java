package dev.caisson.cli.caller;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.CommandProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Arguments, variables and paths that are not UTF-8. A shell writes them, as the JVM cannot start a process with any.
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class BytesOfTheCallerTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    /// @param more words of the shell, after those that start the command
    private Process command(String before, String more) throws IOException {
        var words = new ArrayList<>(List.of("bash", "-c", before + "\nexec \"$@\" " + more, "bash"));
        words.addAll(CommandProcess.words());
        var builder = new ProcessBuilder(words).directory(directory.toFile());
        builder.environment().put("CAISSON_STATE", directory.resolve("state").toString());
        builder.environment().put("LC_ALL", "C.UTF-8"); // as the launcher has it
        Process process = builder.start();
        process.getOutputStream().close();
        return process;
    }

    private static String latin1(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    private static String errors(Process process) throws IOException {
        return new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    @Tag("root")
    void reach_the_program_as_the_bytes_that_they_are() throws Exception {
        Process process = command(
                "export FROM_CALLER=$'\\xe4' \nprintf 'IN_FILE=\\xfc\\n' > $'vars\\xf6'",
                "run --rm -e GIVEN=$'\\xe9\\xff' -e FROM_CALLER --env-file $'vars\\xf6' --tmpfs $'/srv/\\xe8'"
                        + " -w $'/srv/\\xe8' host -- bash -c 'printf \"%s|\" \"$1\" \"$2\" \"$GIVEN\" \"$FROM_CALLER\""
                        + " \"$IN_FILE\" \"$(pwd)\"' sh $'a\\xffz\\xc3' 'é'");

        assertThat(latin1(process)).isEqualTo("a\u00ffz\u00c3|\u00c3\u00a9|\u00e9\u00ff|\u00e4|\u00fc|/srv/\u00e8|");
        assertThat(errors(process)).isEmpty();
        assertThat(process.waitFor()).isZero();
    }

    @Test
    @Tag("root")
    void are_shown_by_a_plan_as_replacements_and_kept_apart_from_what_is_compared() throws Exception {
        Process process = command("", "plan run --format json host -- echo $'a\\xff'");

        assertThat(latin1(process)).contains("a\\\\xff");
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void of_a_volume_or_an_image_are_refused_by_name_and_of_a_label_too() throws Exception {
        for (String options : new String[] {"-v $'/srv/\\xff:/x' host", "$'dir:/srv/\\xff'"}) {
            Process process = command("", "run --rm " + options + " -- true");
            assertThat(errors(process))
                    .startsWith("caisson: ")
                    .contains("/srv/")
                    .hasLineCount(1);
            assertThat(process.waitFor()).isEqualTo(125);
        }
        Process process = command("mkdir $'in\\xff'; cd $'in\\xff'", "run --rm -v .:/x host -- true");
        assertThat(errors(process)).contains("MOUNT_INVALID", "give a path that starts with /");
    }
}
