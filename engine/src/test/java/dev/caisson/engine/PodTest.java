package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// An engine inside a container of podman and runc, whose root is an overlay of this host's: what each setting of
/// docs/in-a-pod.md gives, and what is said where one is missing.
@Tag("peers")
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class PodTest {
    private static final String DATA = "/var/lib/caisson-test-pod";
    private static final List<String> CGROUPS = List.of("-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private Path volume = Path.of("/");

    @BeforeEach
    void makeVolume() throws IOException {
        volume = Files.createDirectory(directory.resolve("volume"));
    }

    /// Images have links that lead out of it, which JUnit would tell one by one.
    @AfterEach
    void removeVolume() throws IOException {
        BusyboxEngine.removeTree(volume);
    }

    private List<String> withVolume(String... options) {
        var all = new ArrayList<>(List.of("-v", volume + ":" + DATA));
        Collections.addAll(all, options);
        return all;
    }

    private static String answer(List<String> options) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("podman", "run", "--rm", "--runtime", "runc", "--network", "none"));
        command.addAll(options);
        String paths = System.getProperty("jdk.module.path", "") + ":" + System.getProperty("java.class.path", "");
        Collections.addAll(
                command,
                "--rootfs",
                "/:O",
                System.getProperty("java.home") + "/bin/java",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                paths,
                PodEngine.class.getName());
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return out;
    }

    @Test
    void a_privileged_pod_with_a_volume_for_images_runs_containers() throws Exception {
        assertThat(answer(withVolume("--privileged")))
                .as("an overlay takes no id map, so the host's files are nobody's inside")
                .isEqualTo("OK 0 nobody\n");
    }

    @Test
    void two_capabilities_and_the_control_groups_are_enough() throws Exception {
        var options = withVolume("--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE");
        options.addAll(CGROUPS);

        assertThat(answer(options)).isEqualTo("OK 0 nobody\n");
    }

    @Test
    void without_a_volume_the_host_image_lies_in_memory_and_others_are_refused_with_the_volume_that_does()
            throws Exception {
        assertThat(answer(List.of("--privileged"))).isEqualTo("OK 0 nobody\n");
        assertThat(answer(List.of("--privileged", "-e", "IMAGE=dir:/etc")))
                .startsWith("IDMAP_REFUSED ")
                .contains("EINVAL", "emptyDir", "docs/in-a-pod.md");
    }

    @Test
    void control_groups_that_are_read_only_are_refused_with_the_volume_that_does() throws Exception {
        assertThat(answer(withVolume("--cap-add", "ALL", "--security-opt", "seccomp=unconfined")))
                .startsWith("KERNEL_REFUSED ")
                .contains("EROFS", "/sys/fs/cgroup as a writable volume", "privileged: true");
    }

    @Test
    void a_pod_without_the_capabilities_is_told_which() throws Exception {
        assertThat(answer(withVolume())).startsWith("ROOT_NEEDED ").contains("CAP_SYS_ADMIN and CAP_SYS_PTRACE");
        assertThat(answer(withVolume("--cap-add", "SYS_ADMIN"))).startsWith("ROOT_NEEDED ");
    }
}
