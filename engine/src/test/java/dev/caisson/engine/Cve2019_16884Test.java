package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Image;
import dev.caisson.launch.RefusedException;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// CVE-2019-16884, CVE-2019-19921, CVE-2023-27561 and CVE-2023-28642: a volume or link in the place of /proc makes
/// writes to it go elsewhere and masks miss.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class Cve2019_16884Test {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("cve"), Path.of("/var/lib/caisson-test"));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/proc",
                "/proc/self/attr",
                "/proc/sys",
                "/sys",
                "/sys/fs/cgroup",
                "/dev",
                "/dev/null",
                "//proc/."
            })
    void no_volume_lies_where_the_engines_file_systems_are(String target) throws Exception {
        Path source = Files.createTempDirectory("caisson-volume");
        try (Engine engine = Engine.open(OPTIONS)) {
            ContainerSpec wish = ContainerSpec.of(Image.host(), "true")
                    .mount(new Mount.Bind(source, InRootPath.parse(target), false, false));

            assertThatThrownBy(() -> engine.run(wish))
                    .isInstanceOfSatisfying(
                            RefusedException.class, e -> assertThat(e.code()).isEqualTo("MOUNT_TARGET"));
        } finally {
            Files.delete(source);
        }
    }

    @Test
    void what_is_at_proc_is_the_kernels() throws InterruptedException {
        try (Engine engine = Engine.open(OPTIONS)) {
            RunResult result = engine.run(ContainerSpec.of(
                    Image.host(),
                    "sh",
                    "-c",
                    "stat -f -c %t /proc; cat /proc/keys | wc -c; echo core > /proc/sys/kernel/core_pattern"));

            assertThat(result.stdout()).isEqualTo("9fa0\n0\n");
            assertThat(result.exitCode()).isNotZero();
        }
    }
}
