package dev.caisson.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Programs that values are brought from.
@Timeout(20)
class ValueSourceTest {
    private static final String VALUE = "canary-of-the-source";

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it before each test
    private Path scratch;

    private static SecretValue read(String script) {
        return new ValueSource.Command(List.of("/bin/sh", "-c", script)).read(Duration.ofSeconds(2));
    }

    private static void assertRefused(String script, String why) {
        assertThatThrownBy(() -> read(script).close())
                .isInstanceOfSatisfying(
                        SecretException.class,
                        e -> assertThat(e.reason()).isEqualTo(SecretException.Code.SECRET_SOURCE))
                .hasMessageContaining(why)
                .hasMessageNotContaining(VALUE);
    }

    @Test
    void all_that_a_program_prints_is_the_value() {
        try (SecretValue value = read("echo " + VALUE + "; echo noise >&2")) {
            assertThat(new String(value.copy(), StandardCharsets.UTF_8)).isEqualTo(VALUE + "\n");
        }
        try (SecretValue value = read("head -c " + SecretValue.MOST_BYTES + " /dev/zero")) {
            assertThat(value.size()).isEqualTo(SecretValue.MOST_BYTES);
        }
        try (SecretValue value = read("cat; env")) {
            assertThat(new String(value.copy(), StandardCharsets.UTF_8).lines())
                    .allMatch(line -> line.startsWith("PATH=") || line.startsWith("PWD=") || line.startsWith("_="));
        }
    }

    @Test
    @Tag("root")
    void a_child_that_left_its_session_and_its_parent_is_killed_too() throws Exception {
        Path pid = scratch.resolve("pid");
        assertRefused(
                "(setsid /bin/sh -c 'echo $$ >" + pid + "; exec sleep 700' >/dev/null 2>&1 &) ; sleep 60",
                "did not end within");
        Path process = Path.of("/proc/" + Files.readString(pid).strip() + "/cmdline");
        long until = System.nanoTime() + 5_000_000_000L;
        while (Files.exists(process) && Files.readString(process).contains("700")) {
            assertThat(System.nanoTime() - until).isNegative();
            Thread.sleep(10);
        }
    }

    @Test
    void an_agent_that_a_program_leaves_goes_on() throws Exception {
        Path pid = scratch.resolve("pid");
        try (SecretValue _ = read("setsid sleep 701 >/dev/null 2>&1 & echo $! >" + pid + "; echo " + VALUE)) {
            long number = Long.parseLong(Files.readString(pid).strip());
            ProcessHandle agent = ProcessHandle.of(number).orElseThrow();
            assertThat(agent.isAlive()).isTrue();
            assertThat(Files.readString(Path.of("/proc/" + number + "/cgroup"))).doesNotContain("caisson-source");
            agent.destroyForcibly();
        }
    }

    @Test
    void a_file_is_read_that_is_its_owner_s_alone() throws Exception {
        Path file = Files.writeString(scratch.resolve("value"), VALUE);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
        try (SecretValue value = new ValueSource.File(file).read()) {
            assertThat(new String(value.copy(), StandardCharsets.UTF_8)).isEqualTo(VALUE);
        }
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r-----"));
        assertThatThrownBy(() -> new ValueSource.File(file).read()).hasMessageContaining("mode 0400");
    }

    @Test
    @Tag("root")
    void a_file_of_another_user_is_refused() throws Exception {
        Path file = Files.writeString(scratch.resolve("value"), VALUE);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
        Files.setAttribute(file, "unix:uid", 1234);
        assertThatThrownBy(() -> new ValueSource.File(file).read())
                .hasMessageContaining("belongs to the user 1234")
                .hasMessageNotContaining(VALUE);
    }

    @Test
    void a_program_that_fails_prints_nothing_or_does_not_end_gives_no_value() {
        assertRefused("printf " + VALUE + "; exit 3", "ended with status 3");
        assertRefused("exit 0", "printed nothing");
        assertRefused("head -c " + (SecretValue.MOST_BYTES + 1) + " /dev/zero", "printed more than");
        assertRefused("sleep 60", "did not end within");
        assertThatThrownBy(() -> new ValueSource.Command(List.of("/nowhere/program")).read())
                .hasMessageContaining("/nowhere/program could not be run");
        assertThatThrownBy(() -> new ValueSource.Command(List.of("pass", VALUE)))
                .hasMessageContaining("absolute path")
                .hasMessageNotContaining(VALUE);
    }
}
