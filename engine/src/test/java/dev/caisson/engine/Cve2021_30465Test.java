package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Bytes;
import dev.caisson.launch.InRootPath;
import dev.caisson.launch.LaunchException;
import dev.caisson.launch.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// CVE-2021-30465: the target of a mount lies in a volume, where somebody else exchanges it with a symbolic link
/// between
/// the engine's look and its mount.
class Cve2021_30465Test extends BusyboxEngine {
    private static final int STARTS = 200;

    @Test
    void a_mount_lands_inside_or_nowhere() throws Exception {
        var canary = new Canary(directory.resolve("canary"));
        Path volume = Files.createDirectory(directory.resolve("volume"));
        Files.createDirectory(volume.resolve("target"));
        Files.createSymbolicLink(
                volume.resolve("link"),
                Path.of("../../../../../../..", canary.directory().toString()));
        Process race = new ProcessBuilder("sh", "-c", "while mv --exchange -T target link; do :; done")
                .directory(volume.toFile())
                .redirectErrorStream(true)
                .start();
        int ran = 0;
        int refused = 0;
        try {
            for (int i = 0; i < STARTS; i++) {
                try {
                    RunResult result = engine.run(busybox("sh", "-c", "ls -R /volume /tmp; true")
                            .mount(new Mount.Bind(volume, InRootPath.parse("/volume"), false, false))
                            .mount(new Mount.Tmpfs(
                                    InRootPath.parse("/volume/target"), Bytes.mebibytes(1), 0700, false, false)));
                    assertThat(result.stdout()).doesNotContain("bird");
                    ran++;
                } catch (LaunchException e) {
                    refused++;
                }
            }
            assertThat(race.isAlive()).as("the race was on").isTrue();
        } finally {
            race.destroyForcibly();
            race.waitFor(5, TimeUnit.SECONDS);
        }
        canary.assertUnchanged();
        assertThat(ran).as("%d ran, %d were refused", ran, refused).isPositive();
    }
}
