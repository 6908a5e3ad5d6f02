package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.LaunchException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// CVE-2026-41579: the image's /dev, /proc, /sys or /etc is a symbolic link to a directory of the host, in which the
/// engine then makes devices and mounts.
class Cve2026_41579Test extends BusyboxEngine {
    private static final List<String> PLACES = List.of("dev", "proc", "sys", "etc", "run", "srv");

    @Test
    void nothing_of_the_host_is_changed_through_links_of_the_image() throws Exception {
        var canary = new Canary(directory.resolve("canary"));
        for (Path target : targets(canary.directory())) {
            for (String place : PLACES) {
                Path image = makeRoot(directory.resolve("hostile"));
                Files.deleteIfExists(image.resolve(place));
                Files.createSymbolicLink(image.resolve(place), target);

                String seen = run(image);

                assertThat(seen).as("%s to %s", place, target).doesNotContain("bird");
                canary.assertUnchanged();
                removeTree(image);
            }
        }
    }

    private static List<Path> targets(Path canary) {
        var targets = new ArrayList<Path>();
        targets.add(canary);
        targets.add(Path.of("../../../../../../../../../..")
                .resolve(canary.toString().substring(1)));
        targets.add(Path.of("../canary"));
        targets.add(Path.of("/proc/1/root").resolve(canary.toString().substring(1)));
        return targets;
    }

    private String run(Path image) throws InterruptedException {
        try {
            return engine.run(ContainerSpec.of(
                                    Image.directory(image),
                                    "sh",
                                    "-c",
                                    "ls /dev /proc /sys /etc /run /srv; touch /etc/new /dev/new /run/new /srv/new; true")
                            .workingDirectory("/srv"))
                    .stdout();
        } catch (LaunchException e) {
            // Refused: also an answer, as long as the host is as before.
            return "";
        }
    }
}
