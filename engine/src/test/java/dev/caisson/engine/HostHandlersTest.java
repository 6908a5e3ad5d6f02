package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.spec.ContainerSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A container cannot keep the host's kernel at work after its end.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class HostHandlersTest {
    private static Engine engine;

    @BeforeAll
    static void open() {
        engine = Engine.open(new EngineOptions(OwnDirectories.state("handlers"), Path.of("/var/lib/caisson-test")));
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static RunResult sh(String script) throws InterruptedException {
        return engine.run(ContainerSpec.onHost("sh", "-c", script));
    }

    /// The kernel closes each trigger in a grace period of RCU: 5,000 kept a killed container for a minute.
    @Test
    void a_container_can_read_pressure_but_set_no_trigger() throws InterruptedException {
        assumeTrue(Files.exists(Path.of("/proc/pressure/cpu")));

        RunResult result = sh("cat /proc/pressure/cpu; echo some 150000 2000000 1<>/proc/pressure/cpu");

        assertThat(result.stdout()).startsWith("some avg10=");
        assertThat(result.stderr()).contains("Read-only file system");
        assertThat(result.verdict()).isEqualTo(Verdict.EXIT);
    }

    /// With a limit of 0 the kernel starts the host's handler of core dumps, if core_pattern is a pipe.
    @Test
    void a_crash_starts_no_handler_of_the_host() throws InterruptedException {
        RunResult result = sh("grep 'Max core file size' /proc/self/limits; ulimit -c");

        assertThat(result.stdout().strip().split("\\s+"))
                .containsExactly("Max", "core", "file", "size", "1", "1", "bytes", "0");
    }
}
