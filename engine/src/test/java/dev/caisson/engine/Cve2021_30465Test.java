package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.launch.LaunchException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// CVE-2021-30465: the target of a mount lies in a volume, where somebody else exchanges it with a symbolic
/// link between the engine's look and its mount. A directory is mounted on, a link is refused, and there is
/// no third.
class Cve2021_30465Test extends BusyboxEngine {
    private static final int STARTS = 200;

    private Canary canary;
    private Path volume;

    @BeforeEach
    void makeVolume() throws Exception {
        canary = new Canary(directory.resolve("canary"));
        volume = Files.createDirectory(directory.resolve("volume"));
    }

    /// Mounts a file system in memory on a name in the volume.
    private ContainerSpec mountingOn(String name) {
        return busybox("sh", "-c", "grep -c ' /volume/.* - tmpfs ' /proc/self/mountinfo; ls -R /volume /tmp")
                .mount(new Mount.Bind(volume, InRootPath.parse("/volume"), false, false))
                .mount(new Mount.Tmpfs(InRootPath.parse("/volume/" + name), Bytes.mebibytes(1), 0700, false, false));
    }

    @Test
    void a_directory_is_mounted_on() throws Exception {
        Exchange.prepare(volume, canary.directory());

        RunResult result = engine.run(mountingOn("target"));

        assertThat(result.stdout()).startsWith("1\n");
        canary.assertUnchanged();
    }

    @Test
    void a_link_is_refused() throws Exception {
        Exchange.prepare(volume, canary.directory());

        LaunchException refused = catchThrowableOfType(LaunchException.class, () -> engine.run(mountingOn("link")));

        assertThat(refused.code()).isEqualTo("MOUNT_FAILED");
        assertThat(refused).hasMessageContaining("ELOOP");
        canary.assertUnchanged();
    }

    @Test
    void what_is_exchanged_meanwhile_is_either() throws Exception {
        int mounted = 0;
        int refused = 0;
        try (var race = new Exchange(volume, canary.directory())) {
            for (int i = 0; i < STARTS; i++) {
                try {
                    RunResult result = engine.run(mountingOn(Exchange.TARGET));

                    assertThat(result.stdout()).startsWith("1\n").doesNotContain("bird");
                    mounted++;
                } catch (LaunchException e) {
                    assertThat(e.code()).as(e.getMessage()).isEqualTo("MOUNT_FAILED");
                    assertThat(e).hasMessageContaining("ELOOP");
                    refused++;
                }
            }
            race.assertGoesOn();
        }
        canary.assertUnchanged();
        assertThat(mounted).as("mounted; refused: %d", refused).isPositive();
        assertThat(refused).as("refused; mounted: %d", mounted).isPositive();
    }
}
