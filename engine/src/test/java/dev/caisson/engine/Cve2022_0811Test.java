package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.launch.LaunchException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// CVE-2022-0811: the value of a harmless kernel setting smuggles a second one of the host's.
class Cve2022_0811Test extends BusyboxEngine {
    private static final Path CORE_PATTERN = Path.of("/proc/sys/kernel/core_pattern");

    @Test
    void a_value_is_one_value() throws Exception {
        String before = Files.readString(CORE_PATTERN);
        for (String separator : new String[] {"+", "\n", "\r", ",", ";", " ", "\0"}) {
            LaunchException failed = catchThrowableOfType(
                    LaunchException.class,
                    () -> engine.run(busybox("true")
                            .sysctl("kernel.shm_rmid_forced", "1" + separator + "kernel.core_pattern=|/evil")));

            assertThat(failed).as("separator %s", separator).isNotNull();
            assertThat(failed.code()).isEqualTo("SYSCTL_REFUSED");
            assertThat(Files.readString(CORE_PATTERN)).isEqualTo(before);
        }
    }

    @Test
    void a_setting_is_the_containers_own() throws Exception {
        Path setting = Path.of("/proc/sys/kernel/shmmni");
        String before = Files.readString(setting);

        RunResult result = engine.run(busybox("cat", "/proc/sys/kernel/shmmni").sysctl("kernel.shmmni", "77"));

        assertThat(result.stdout()).isEqualTo("77\n");
        assertThat(Files.readString(setting)).isEqualTo(before);
    }
}
