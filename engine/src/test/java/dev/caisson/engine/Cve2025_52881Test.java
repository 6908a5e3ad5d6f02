package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.LaunchException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// CVE-2025-52881: what the engine writes to the container's /proc is redirected by mounts and links that another
/// container makes in a shared volume meanwhile, to settings of the host or to a file that swallows it.
class Cve2025_52881Test extends BusyboxEngine {
    private static final int STARTS = 50;
    private static final Path CORE_PATTERN = Path.of("/proc/sys/kernel/core_pattern");
    private static final String SETTING = "net.ipv4.ip_default_ttl";
    private static final Path HOSTS = Path.of("/proc/sys/net/ipv4/ip_default_ttl");

    @Test
    void settings_arrive_in_the_containers_own_kernel_tables_and_nowhere_else() throws Exception {
        Path volume = Files.createDirectory(directory.resolve("volume"));
        String pattern = Files.readString(CORE_PATTERN);
        String setting = Files.readString(HOSTS);
        int ran = 0;
        try (var race = new Exchange(volume, Path.of("/proc/sys/kernel"))) {
            for (int i = 0; i < STARTS; i++) {
                try {
                    RunResult result = engine.run(busybox(
                                    "sh",
                                    "-c",
                                    "cat /proc/sys/net/ipv4/ip_default_ttl; stat -f -c %t /proc /proc/sys;"
                                            + " cat /proc/self/oom_score_adj; cat /proc/keys")
                            .sysctl(SETTING, "99")
                            .oomScoreAdjustment(777)
                            .mount(new Mount.Bind(volume, InRootPath.parse("/volume"), false, false))
                            .mount(new Mount.Tmpfs(
                                    InRootPath.parse("/volume/" + Exchange.TARGET),
                                    Bytes.mebibytes(1),
                                    0700,
                                    false,
                                    false)));

                    assertThat(result.stdout()).as(result.stderr()).isEqualTo("99\n9fa0\n9fa0\n777\n");
                    ran++;
                } catch (LaunchException e) {
                    // a link of the volume is followed within the root, and leads to what is the engine's
                    assertThat(e).hasMessageContaining("EBUSY");
                }
            }
            race.assertGoesOn();
        }
        assertThat(ran).isPositive();
        assertThat(Files.readString(CORE_PATTERN)).isEqualTo(pattern);
        assertThat(Files.readString(HOSTS)).isEqualTo(setting);
    }
}
