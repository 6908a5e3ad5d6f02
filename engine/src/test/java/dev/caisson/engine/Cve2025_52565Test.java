package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.TerminalSize;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// CVE-2025-52565: /dev/console bound from a path that the image could exchange. The console is a descriptor of the
/// container's own terminal, and its masks hold with a terminal as without one.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class Cve2025_52565Test {
    @Test
    void the_console_is_the_containers_own_terminal_and_the_masks_hold() throws InterruptedException {
        var options = new EngineOptions(OwnDirectories.state("cve"), Path.of("/var/lib/caisson-test"));
        try (Engine engine = Engine.open(options)) {
            RunResult result = engine.run(ContainerSpec.of(
                            Image.host(),
                            "sh",
                            "-c",
                            "tty; stat -c %t:%T /dev/console /dev/pts/0; wc -c < /proc/keys; echo x > /proc/sysrq-trigger")
                    .terminal(new TerminalSize(24, 80)));

            String[] lines = result.stdout().split("\r\n", -1);
            assertThat(lines[0]).isEqualTo("/dev/pts/0");
            assertThat(lines[1]).startsWith("88:").isEqualTo(lines[2]);
            assertThat(lines[3].strip()).isEqualTo("0");
            assertThat(result.exitCode()).isNotZero();
        }
    }
}
