package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException;
import dev.caisson.launch.LaunchException;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A run that fails says why, and leaves the host as it was.
class FailedRunTest extends BusyboxEngine {
    private static final int TIMES = 3;

    /// The engine's first runs open what it keeps: its zygote, and the next container's beginning beside an id range.
    @BeforeEach
    void warmUp() throws InterruptedException {
        for (int i = 0; i < TIMES; i++) {
            shell("true");
        }
        assertThatThrownBy(() -> engine.run(busybox("/none"))).isInstanceOf(LaunchException.class);
    }

    private void assertFails(ContainerSpec spec, String code, int exitStatus) throws Exception {
        Traces before = Traces.of(OPTIONS);
        for (int i = 0; i < TIMES; i++) {
            LaunchException failed = catchThrowableOfType(LaunchException.class, () -> engine.run(spec));

            assertThat(failed).isNotNull();
            assertThat(failed.code()).isEqualTo(code);
            assertThat(failed.exitStatus()).isEqualTo(exitStatus);
            assertThat(failed.getMessage()).isNotBlank().doesNotContain("\n");
        }
        assertThat(Traces.of(OPTIONS)).isEqualTo(before);
    }

    @Test
    void a_missing_program() throws Exception {
        assertFails(busybox("none"), "PROGRAM_NOT_FOUND", 127);
        assertFails(busybox("/bin/none"), "PROGRAM_NOT_FOUND", 127);
        assertFails(busybox("/bin/sh/none"), "PROGRAM_NOT_FOUND", 127);
        assertFails(busybox("none").init(false), "PROGRAM_NOT_FOUND", 127);
    }

    @Test
    void a_directory_as_program() throws Exception {
        assertFails(busybox("/bin"), "PROGRAM_NOT_EXECUTABLE", 126);
        assertFails(busybox("/"), "PROGRAM_NOT_EXECUTABLE", 126);
    }

    @Test
    void a_file_that_is_no_program() throws Exception {
        Path file = root.resolve("bin/text");
        Files.writeString(file, "no program\n");
        assertFails(busybox("/bin/text"), "PROGRAM_NOT_EXECUTABLE", 126);

        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertFails(busybox("/bin/text"), "PROGRAM_FORMAT", 126);
        assertFails(busybox("/bin/text").init(false), "PROGRAM_FORMAT", 126);
    }

    @Test
    void a_mount_target_that_is_something_else() throws Exception {
        Path source = Files.createDirectory(directory.resolve("source"));

        assertFails(
                busybox("true").mount(new Mount.Bind(source, InRootPath.parse("/bin/sh"), true, false)),
                "MOUNT_TARGET",
                125);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1000:",
                "-1",
                " 0",
                "0 ",
                "+0",
                "4294967295",
                "4294967296",
                "0x0",
                "65536",
                ":",
                "0:-1",
                "nobody"
            })
    void a_bad_user(String user) throws Exception {
        Traces before = Traces.of(OPTIONS);

        ImageException failed = catchThrowableOfType(
                ImageException.class, () -> engine.run(busybox("true").user(user)));

        assertThat(failed).isNotNull();
        assertThat(failed.getMessage()).isNotBlank().doesNotContain("\n");
        assertThat(Traces.of(OPTIONS)).isEqualTo(before);
    }

    @Test
    void what_ran_leaves_nothing_either() throws Exception {
        Traces before = Traces.of(OPTIONS);

        for (int i = 0; i < TIMES; i++) {
            assertThat(shell("sleep 100 & sleep 100 & true").verdict()).isEqualTo(Verdict.OK);
        }

        assertThat(Traces.of(OPTIONS)).isEqualTo(before);
    }
}
