package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// CVE-2025-31133: the image's /dev/null is a symbolic link, and what it leads to is bound where a path is masked.
class Cve2025_31133Test extends BusyboxEngine {
    private static final Path CORE_PATTERN = Path.of("/proc/sys/kernel/core_pattern");

    @Test
    void paths_are_masked_with_the_kernels_null_device_whatever_the_image_has() throws Exception {
        Path devices = Files.createDirectory(root.resolve("dev"));
        Files.createSymbolicLink(devices.resolve("null"), CORE_PATTERN);
        String before = Files.readString(CORE_PATTERN);

        RunResult result = shell("""
                stat -c '%F %t:%T' /dev/null /proc/keys /proc/interrupts
                cat /proc/keys /proc/interrupts
                (echo '|/evil' > /proc/sys/kernel/core_pattern) && echo written
                (echo '|/evil' > /proc/keys)
                true""");

        assertThat(result.stdout()).isEqualTo("character special file 1:3\n".repeat(3));
        assertThat(Files.readString(CORE_PATTERN)).isEqualTo(before);
    }
}
