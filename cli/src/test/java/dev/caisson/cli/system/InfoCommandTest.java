package dev.caisson.cli.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.spec.ContainerId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class InfoCommandTest {
    private static String info(String template) {
        Answer answer = Answer.caisson("info", "-f", template);
        assertThat(answer.status()).as(answer.err()).isZero();
        return answer.out().strip();
    }

    @Test
    void it_has_dockers_fields() throws Exception {
        long kibibytes = Long.parseLong(
                Files.readAllLines(Path.of("/proc/meminfo")).getFirst().replaceAll("[^0-9]", ""));

        assertThat(info("{{.OSType}} {{.KernelVersion}} {{.MemTotal}}"))
                .isEqualTo("linux " + System.getProperty("os.version") + " " + kibibytes * 1024);
        assertThat(info("{{.ServerVersion}}"))
                .isEqualTo(Answer.caisson("version", "-f", "{{.Server.Version}}")
                        .out()
                        .strip());
        assertThat(info("{{.CgroupVersion}} {{.CgroupDriver}}")).matches("[12] (cgroupfs|systemd)");
        assertThat(Answer.caisson("info", "--format", "json").out()).contains("\"kernel\":", "\"NCPU\":");
    }

    @Test
    void containers_are_counted_by_their_states() {
        String name = "info-" + ContainerId.random().shortForm();
        long before = Long.parseLong(info("{{.ContainersStopped}}"));
        assertThat(Answer.caisson("create", "--name", name, "host", "true").status())
                .isZero();
        try {
            assertThat(info("{{.ContainersStopped}}")).isEqualTo(Long.toString(before + 1));
        } finally {
            Answer.caisson("rm", "-f", name);
        }
        assertThat(info("{{.ContainersStopped}}")).isEqualTo(Long.toString(before));
    }
}
