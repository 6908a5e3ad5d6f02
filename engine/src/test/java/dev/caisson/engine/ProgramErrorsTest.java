package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.ContainerSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What keeps a program from starting, each told by its own code and what to do.
class ProgramErrorsTest extends BusyboxEngine {
    private ContainerSpec with(int count, String argument) {
        List<String> command = new ArrayList<>(List.of("true"));
        command.addAll(Collections.nCopies(count, argument));
        return busybox(command.toArray(String[]::new));
    }

    private void assertCode(ContainerSpec spec, String code, String advice) {
        var refused = catchThrowableOfType(CaissonException.class, () -> engine.run(spec));
        assertThat(refused).isNotNull();
        assertThat(refused.code()).as(refused.getMessage()).isEqualTo(code);
        assertThat(refused).hasMessageContaining(advice);
    }

    @Test
    void as_many_arguments_are_passed_as_the_kernel_takes() throws Exception {
        assertThat(engine.run(with(100_000, "a")).verdict()).isEqualTo(Verdict.OK);
    }

    @Test
    void more_are_refused_by_name() {
        assertCode(with(300_000, "a"), "ARGUMENTS_TOO_MANY", "pass them in a file");
        assertCode(with(30, "a".repeat(100_000)), "ARGUMENTS_TOO_LONG", "pass them in a file");
    }

    @Test
    void a_script_without_its_interpreter_is_told_from_a_program_that_is_missing() throws Exception {
        Path script = Files.writeString(root.resolve("bin/script"), "#!/usr/bin/nothing\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));

        assertCode(busybox("script"), "INTERPRETER_NOT_FOUND", "#!");
        assertCode(busybox("/bin/script"), "INTERPRETER_NOT_FOUND", "into the image");
        assertCode(busybox("nothing"), "PROGRAM_NOT_FOUND", "PATH");
    }

    @Test
    void one_process_is_too_few_for_an_init_and_a_program() {
        assertCode(busybox("true").pids(1), "PIDS_TOO_FEW", "--pids-limit");
    }
}
