package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.LaunchException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// CVE-2024-45310: the target of a mount has to be made first, below a directory that somebody else exchanges with a
/// symbolic link: the engine makes directories and files on the host.
class Cve2024_45310Test extends BusyboxEngine {
    private static final int STARTS = 100;

    @Test
    void what_is_made_for_a_mount_is_made_in_the_volume_or_nowhere() throws Exception {
        var canary = new Canary(directory.resolve("canary"));
        Path volume = Files.createDirectory(directory.resolve("volume"));
        Path file = Files.createFile(directory.resolve("file"));
        int made = 0;
        int refused = 0;
        try (var race = new Exchange(volume, canary.directory())) {
            for (int i = 0; i < STARTS; i++) {
                String below = "/volume/" + Exchange.TARGET + "/" + i;
                try {
                    RunResult result = engine.run(busybox("true")
                            .mount(new Mount.Bind(volume, InRootPath.parse("/volume"), false, false))
                            .mount(new Mount.Tmpfs(
                                    InRootPath.parse(below + "/deep"), Bytes.mebibytes(1), 0700, false, false))
                            .mount(new Mount.Bind(file, InRootPath.parse(below + "/file"), true, true)));

                    assertThat(result.verdict()).isEqualTo(Verdict.OK);
                    made++;
                } catch (LaunchException e) {
                    assertThat(e).hasMessageContaining("ELOOP");
                    refused++;
                }
            }
            race.assertGoesOn();
        }
        canary.assertUnchanged();
        assertThat(made).as("made; refused: %d", refused).isPositive();
        assertThat(refused).as("refused; made: %d", made).isPositive();
    }
}
