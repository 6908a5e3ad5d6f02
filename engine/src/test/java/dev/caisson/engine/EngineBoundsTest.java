package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.State;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Bounds that hold beside others, and directories that are used only if they are the engine's own.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class EngineBoundsTest {
    @TempDir
    private Path directory;

    private EngineOptions options() {
        return new EngineOptions(directory.resolve("state"), Path.of("/var/lib/caisson-test"));
    }

    private static ContainerSpec shell(String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script);
    }

    private RunResult run(ContainerSpec spec) throws InterruptedException {
        try (var engine = Engine.open(options())) {
            return engine.run(spec);
        }
    }

    @Test
    void each_of_two_deadlines_holds_although_the_other_is_there() throws InterruptedException {
        Duration soon = Duration.ofMillis(300);
        Duration never = Duration.ofMinutes(10);
        ContainerSpec idle = ContainerSpec.of(Image.host(), "sleep", "30");

        RunResult slept = run(idle.wallClock(soon).cpuTime(never));
        assertThat(slept.verdict()).isEqualTo(Verdict.WALL_CLOCK);
        RunResult worked = run(shell("while :; do :; done").wallClock(never).cpuTime(soon));
        assertThat(worked.verdict()).isEqualTo(Verdict.CPU_TIME);
    }

    @ParameterizedTest
    @CsvSource({"600,600", "1100,0", "0,1100"})
    void the_output_limit_is_one_for_both_streams(int output, int errors) throws InterruptedException {
        ContainerSpec spec = shell(
                        "head -c %dk /dev/zero; head -c %dk /dev/zero >&2; sleep 30".formatted(output, errors))
                .outputLimit(Bytes.mebibytes(1));

        RunResult result = run(spec);

        assertThat(result.verdict()).isEqualTo(Verdict.OUTPUT);
        assertThat(result.stdout().length() + result.stderr().length()).isEqualTo(1 << 20);
    }

    @Test
    void as_much_as_the_output_limit_is_no_breach() throws InterruptedException {
        RunResult result =
                run(shell("head -c 512k /dev/zero; head -c 512k /dev/zero >&2").outputLimit(Bytes.mebibytes(1)));

        assertThat(result.verdict()).isEqualTo(Verdict.OK);
        assertThat(result.stdout()).hasSize(512 << 10);
        assertThat(result.stderr()).hasSize(512 << 10);
    }

    // ---- directories

    @AfterEach
    void removeKept() throws Exception {
        Path kept = new KeptDirectory(options().data(), options().state()).path();
        if (Files.exists(kept)) {
            BusyboxEngine.removeTree(kept);
        }
    }

    private static void assertCode(String code, org.assertj.core.api.ThrowableAssert.ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private static void changeMode(Path path, String mode) throws Exception {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    }

    @Test
    void a_directory_of_kept_containers_of_somebody_else_is_not_used() throws Exception {
        var kept = new KeptDirectory(options().data(), options().state());
        Path place = Files.createDirectories(kept.path());
        changeMode(place, "rwx------");
        assertThat(kept.entries()).isEmpty();
        Files.setAttribute(place, "unix:uid", 1000);
        assertCode("DATA_UNSAFE", kept::entries);
        Files.setAttribute(place, "unix:uid", 0);
        for (String mode : List.of("rwx--x---", "rwx-w----", "rwxr-----", "rwx-----x", "rwx----w-", "rwx---r--")) {
            changeMode(place, mode);
            assertCode("DATA_UNSAFE", kept::entries);
        }
        changeMode(place, "rwx------");
        assertThat(kept.entries()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"owner", "mode"})
    void nothing_is_kept_in_a_directory_of_somebody_else(String what) throws Exception {
        var kept = new KeptDirectory(options().data(), options().state());
        Path place = Files.createDirectories(kept.path());
        if (what.equals("owner")) {
            changeMode(place, "rwx------");
            Files.setAttribute(place, "unix:uid", 1000);
        } else {
            changeMode(place, "rwxr-x---");
        }

        try (var engine = Engine.open(options())) {
            assertCode(
                    "DATA_UNSAFE",
                    () -> engine.start(
                            shell("true").name("mine"), Streams.capture().kept()));
        }
        try (var left = Files.list(place)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void a_state_directory_of_somebody_else_is_not_used() throws Exception {
        Path state = Files.createDirectory(directory.resolve("state"));
        changeMode(state, "rwx------");
        new State(state).close();
        Files.setAttribute(state, "unix:uid", 1000);
        assertCode("STATE_UNSAFE", () -> new State(state).close());
        Files.setAttribute(state, "unix:uid", 0);
        for (String mode : List.of("rwx--x---", "rwx-w----", "rwxr-----", "rwx-----x", "rwx----w-", "rwx---r--")) {
            changeMode(state, mode);
            assertCode("STATE_UNSAFE", () -> new State(state).close());
        }
    }
}
