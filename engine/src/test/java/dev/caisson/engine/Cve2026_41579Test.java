package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.Image;
import dev.caisson.launch.LaunchException;
import dev.caisson.spec.ContainerSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// CVE-2026-41579 and CVE-2026-47766: the image's /dev, /proc, /sys or /etc is a symbolic link to a directory of the
/// host, in which the engine then makes devices, mounts and files. Where the engine would make something, the image is
/// refused; elsewhere the link leads to what the container has itself.
class Cve2026_41579Test extends BusyboxEngine {
    private Canary canary;

    @BeforeEach
    void makeCanary() throws Exception {
        canary = new Canary(directory.resolve("canary"));
    }

    /// Ways to name the canary from inside.
    private List<Path> targets() {
        Path place = canary.directory();
        Path fromRoot = place.subpath(0, place.getNameCount());
        return List.of(
                place,
                Path.of("../../../../../../../../../..").resolve(fromRoot),
                Path.of("../canary"),
                Path.of("/proc/1/root").resolve(fromRoot));
    }

    private ContainerSpec withLink(String place, Path target, String... command) throws Exception {
        Path image = directory.resolve("hostile");
        if (Files.exists(image)) {
            removeTree(image);
        }
        makeRoot(image);
        Files.deleteIfExists(image.resolve(place));
        Files.createSymbolicLink(image.resolve(place), target);
        return ContainerSpec.of(Image.directory(image), command);
    }

    @ParameterizedTest
    @CsvSource({"dev, MOUNT_FAILED", "proc, MOUNT_FAILED", "sys, MOUNT_FAILED", "etc, IMAGE_PATH"})
    void a_link_where_the_engine_makes_something_is_refused(String place, String code) throws Exception {
        for (Path target : targets()) {
            ContainerSpec wish = withLink(place, target, "true");

            LaunchException refused = catchThrowableOfType(LaunchException.class, () -> engine.run(wish));

            assertThat(refused).as("/%s to %s", place, target).isNotNull();
            assertThat(refused.code()).isEqualTo(code);
            assertThat(refused).hasMessageContaining("ELOOP");
            canary.assertUnchanged();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "srv"})
    void a_link_elsewhere_leads_to_nothing_of_the_host(String place) throws Exception {
        for (Path target : targets()) {
            RunResult result = engine.run(withLink(
                    place,
                    target,
                    "sh",
                    "-c",
                    "ls /" + place + "/ && echo seen; touch /" + place + "/new && echo made; echo end"));

            assertThat(result.stdout()).as("/%s to %s", place, target).isEqualTo("end\n");
            canary.assertUnchanged();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/srv", "/srv/self"})
    void nor_is_a_working_directory_made_through_it(String workingDirectory) throws Exception {
        for (Path target : targets()) {
            ContainerSpec wish = withLink("srv", target, "true").workingDirectory(workingDirectory);

            LaunchException refused = catchThrowableOfType(LaunchException.class, () -> engine.run(wish));

            assertThat(refused).as("/srv to %s", target).isNotNull();
            assertThat(refused.code()).isEqualTo("IMAGE_PATH");
            canary.assertUnchanged();
        }
    }
}
