package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers on a machine that has control groups of version 2 only.
@Tag("vm")
@Timeout(900)
class VersionTwoEngineTest {
    /// The machine's own kernel ended before the tests did, which says nothing of them.
    private static final int MACHINE_DIED = 125;

    @Test
    void containersAreLimitedPausedMeasuredAndRemoved() throws Exception {
        int status = MACHINE_DIED;
        String output = "";
        for (int tries = 0; tries < 3 && status == MACHINE_DIED; tries++) {
            Process machine = machine();
            output = new String(machine.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            status = machine.waitFor();
        }

        assertThat(status).as(output).isZero();
        assertThat(output.lines().toList().getLast()).isEqualTo(VersionTwoContainers.HELD);
    }

    private static Process machine() throws IOException {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("caisson.root"), "tools/vm-run")
                                .toString(),
                        "-t",
                        "280",
                        "--",
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        EngineProcess.classPath(),
                        VersionTwoContainers.class.getName()))
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        return process;
    }
}
