package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.launch.LaunchException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Symbolic links of an image give the engine's own places other names. A target is judged by where it is found to be.
class ImageLinkTest extends BusyboxEngine {
    private Path volume;

    @BeforeEach
    void makeLinks() throws IOException {
        volume = Files.createDirectory(directory.resolve("volume"));
        for (String[] link : new String[][] {
            {"to_dev", "/dev"},
            {"to_shm", "/dev/shm"},
            {"to_proc", "/proc"},
            {"to_sys", "/sys"},
            {"to_root", "/"},
            {"to_here", "."},
            {"chain", "chain2"},
            {"chain2", "srv/chain3"},
            {"to_up", "../../../../../../dev"},
            {"to_etc", "/etc"},
            {"to_tmp", "/tmp"},
        }) {
            Files.createSymbolicLink(root.resolve(link[0]), Path.of(link[1]));
        }
        Files.createSymbolicLink(root.resolve("srv/chain3"), Path.of("../to_dev"));
        Files.writeString(volume.resolve("hosts"), "the host's\n");
    }

    private static Mount bind(Path source, String target) {
        return new Mount.Bind(source, InRootPath.parse(target), false, !Files.isDirectory(source));
    }

    private void assertVolumeIsUntouched() throws IOException {
        try (var entries = Files.list(volume)) {
            assertThat(entries.map(Path::getFileName).map(Path::toString)).containsExactly("hosts");
        }
        assertThat(volume.resolve("hosts")).hasContent("the host's");
    }

    @ParameterizedTest
    @CsvSource({
        "/to_dev",
        "/to_shm",
        "/to_proc",
        "/to_sys",
        "/to_root",
        "/to_here",
        "/chain",
        "/to_up",
        "/to_dev/x",
        "/to_proc/self",
        "/to_sys/kernel",
        "/to_root/dev",
        "/to_here/to_here/to_dev"
    })
    void a_volume_is_not_mounted_where_a_link_leads_to_the_engines_own(String target) throws Exception {
        ContainerSpec spec = busybox("true").mount(bind(volume, target));

        LaunchException refused = catchThrowableOfType(LaunchException.class, () -> engine.run(spec));

        assertThat(refused).isNotNull();
        assertThat(refused.code()).isEqualTo("MOUNT_TARGET");
        assertThat(refused)
                .hasMessageContaining(target)
                .hasMessageContaining("EBUSY")
                .hasMessageContaining("belong to the engine");
        assertVolumeIsUntouched();
    }

    @Test
    void a_link_in_a_volume_does_not_lead_a_second_volume_there_either() throws Exception {
        Files.createSymbolicLink(volume.resolve("inner"), Path.of("/dev"));
        Path second = Files.createDirectory(directory.resolve("second"));

        LaunchException refused = catchThrowableOfType(
                LaunchException.class,
                () -> engine.run(busybox("true").mount(bind(volume, "/srv")).mount(bind(second, "/srv/inner"))));

        assertThat(refused.code()).isEqualTo("MOUNT_TARGET");
        assertThat(second).isEmptyDirectory();
        Files.delete(volume.resolve("inner"));
    }

    @ParameterizedTest
    @CsvSource({"/to_dev", "/to_proc", "/to_sys", "/to_root", "/chain"})
    void a_file_system_in_memory_is_not_mounted_there(String target) {
        var tmpfs = new Mount.Tmpfs(InRootPath.parse(target), Bytes.mebibytes(1), 0700, false, false);

        LaunchException refused = catchThrowableOfType(
                LaunchException.class, () -> engine.run(busybox("true").mount(tmpfs)));

        assertThat(refused.code()).isEqualTo("MOUNT_FAILED");
        assertThat(refused).hasMessageContaining("EBUSY").hasMessageContaining("belong to the engine");
    }

    @Test
    void memory_and_volumes_stand_where_links_of_the_image_lead_and_are_found_there() throws Exception {
        Files.createSymbolicLink(root.resolve("to_srv"), Path.of("../../srv"));
        var memory = new Mount.Tmpfs(InRootPath.parse("/to_tmp/new"), Bytes.mebibytes(1), 0700, false, false);
        var other = new Mount.Tmpfs(InRootPath.parse("/to_srv"), Bytes.mebibytes(1), 0700, false, false);
        ContainerSpec spec = busybox("sh", "-c", "grep -oE ' /(srv|tmp)[^ ]* (tmpfs|ext4)' /proc/mounts; exec sleep 60")
                .mount(memory)
                .mount(other)
                .mount(bind(volume, "/to_tmp/volume"))
                .name("linked");

        try (Container container = engine.start(spec, Streams.capture())) {
            assertThat(Verification.of("linked", OPTIONS).checks())
                    .filteredOn(check -> check.subject().contains("/to_"))
                    .hasSize(3)
                    .allMatch(check -> check.asPlanned(), "is as planned");
            container.kill();
            assertThat(container.await().stdout()).contains(" /tmp/new tmpfs", " /srv tmpfs");
        }
    }

    @ParameterizedTest
    @CsvSource({"/srv/file", "/srv/file/below"})
    void a_working_directory_that_is_a_file_is_refused_as_one(String path) throws Exception {
        Files.writeString(root.resolve("srv/file"), "x");

        LaunchException refused = catchThrowableOfType(
                LaunchException.class, () -> engine.run(busybox("true").workingDirectory(path)));

        assertThat(refused.code()).isEqualTo("IMAGE_PATH");
        assertThat(refused).hasMessageContaining(path).hasMessageContaining("has a file in that place");
    }

    @Test
    void a_volume_over_etc_by_another_name_is_not_written_to() throws Exception {
        RunResult result = engine.run(busybox("cat", "/etc/hosts").mount(bind(volume, "/to_etc")));

        assertThat(result.stdout()).isEqualTo("the host's\n");
        assertVolumeIsUntouched();
    }

    @Test
    void a_file_over_a_generated_one_by_another_name_is_not_written_to() throws Exception {
        Files.createSymbolicLink(root.resolve("to_hosts"), Path.of("etc/hosts"));
        Files.writeString(root.resolve("etc/hosts"), "the image's\n");

        RunResult result = engine.run(busybox("cat", "/etc/hosts").mount(bind(volume.resolve("hosts"), "/to_hosts")));

        assertThat(result.stdout()).isEqualTo("the host's\n");
        assertVolumeIsUntouched();
    }

    @ParameterizedTest
    @CsvSource({"/to_proc", "/to_proc/self", "/to_proc/self/fd", "/to_dev/made", "/to_sys", "/to_dev"})
    void a_working_directory_does_not_lead_there(String path) {
        LaunchException refused = catchThrowableOfType(
                LaunchException.class, () -> engine.run(busybox("true").workingDirectory(path)));

        assertThat(refused).isNotNull();
        assertThat(refused.code()).isIn("IMAGE_PATH", "WORKING_DIRECTORY");
        assertThat(refused).hasMessageContaining("EBUSY");
    }

    @Test
    void links_to_ordinary_places_are_followed() throws Exception {
        RunResult result = engine.run(busybox("sh", "-c", "pwd; cat /tmp/volume/hosts")
                .mount(bind(volume, "/to_tmp/volume"))
                .workingDirectory("/to_tmp"));

        assertThat(result.stdout()).isEqualTo("/tmp\nthe host's\n");
    }

    @Test
    void a_volume_may_stand_in_another() throws Exception {
        Path inner = Files.createDirectory(directory.resolve("inner"));
        Files.writeString(inner.resolve("file"), "inner\n");

        RunResult result = engine.run(
                busybox("cat", "/srv/in/file").mount(bind(volume, "/srv")).mount(bind(inner, "/srv/in")));

        assertThat(result.stdout()).isEqualTo("inner\n");
    }
}
