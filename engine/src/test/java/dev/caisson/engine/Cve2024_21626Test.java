package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.launch.LaunchException;
import dev.caisson.launch.RefusedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// CVE-2024-21626: a descriptor of the host's that leaks into the container, and a working directory that leads to it.
class Cve2024_21626Test extends BusyboxEngine {
    private static final int LAST = 20;

    @Test
    void a_descriptor_is_no_working_directory() {
        for (int number = 3; number <= LAST; number++) {
            String path = "/proc/self/fd/" + number;
            RefusedException refused = catchThrowableOfType(
                    RefusedException.class, () -> engine.run(busybox("true").workingDirectory(path)));

            assertThat(refused.code()).isEqualTo("WORKING_DIRECTORY");
        }
    }

    @Test
    void a_link_of_the_image_to_a_descriptor_is_no_working_directory() throws Exception {
        for (int number = 0; number <= LAST; number++) {
            Files.createSymbolicLink(root.resolve("fd" + number), Path.of("/proc/self/fd/" + number));
        }
        for (int number = 0; number <= LAST; number++) {
            String path = "/fd" + number;
            LaunchException failed = catchThrowableOfType(
                    LaunchException.class, () -> engine.run(busybox("true").workingDirectory(path)));

            assertThat(failed).as(path).isNotNull();
        }
    }

    @Test
    void the_program_has_its_three_standard_streams_and_nothing_else() throws Exception {
        for (boolean init : new boolean[] {true, false}) {
            RunResult result =
                    engine.run(busybox("sh", "-c", "ls /proc/$$/fd; true").init(init));

            assertThat(result.stdout()).isEqualTo("0\n1\n2\n");
        }
    }

    @Test
    void what_the_engines_parent_leaks_does_not_arrive() throws Exception {
        Path secret = Files.createDirectory(directory.resolve("secret"));

        List<String> lines = new EngineProcess(
                        OPTIONS, root, List.of("sh", "-c", "ls /proc/$$/fd; ls /proc/1/fd; true"))
                .leaking(7, secret)
                .leaking(33, secret)
                .lines();

        assertThat(lines).startsWith(EngineProcess.OPENED, "0", "1", "2").doesNotContain("7", "33");
    }
}
