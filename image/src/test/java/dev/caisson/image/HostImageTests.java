package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs programs of the host in the host image, mounted as an engine would: skeleton, then the binds, then chroot.
@Tag("root")
class HostImageTests {
    private static final String MOUNT_AND_RUN = """
            set -e
            mount --make-rprivate /
            mount --bind "$1" "$2"
            mount --rbind -o ro /usr "$2/usr"
            mount -t proc proc "$2/proc"
            root=$2
            shift 2
            exec chroot "$root" "$@"
            """;

    @TempDir
    Path temporary;

    private String run(String... command) throws IOException, InterruptedException {
        Path mountPoint = Files.createDirectories(temporary.resolve("root"));
        Rootfs rootfs;
        try (ImageStore store = ImageStore.open(temporary.resolve("store"))) {
            rootfs = store.resolve(Image.host(), ProgressListener.none());
        }
        assumeThat(rootfs.binds()).as("a host with merged /usr").hasSize(1);
        String layer = rootfs.layers().getFirst().path().toString();
        var words = new ArrayList<>(
                List.of("unshare", "-m", "-p", "-f", "sh", "-c", MOUNT_AND_RUN, "sh", layer, mountPoint.toString()));
        words.addAll(List.of(command));
        ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().put("PATH", ImageConfig.DEFAULT_PATH);
        Process process = builder.start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output.strip();
    }

    @Test
    void a_shell_and_its_tools_run() throws Exception {
        assertThat(run("sh", "-c", "id -un; ls /home; cat /etc/hostname; stat -c %a /tmp"))
                .isEqualTo("root\n1777");
    }

    @Test
    void no_secret_of_the_host_is_there() throws Exception {
        assertThat(run(
                        "sh",
                        "-c",
                        "for f in shadow gshadow machine-id ssh sudoers fstab ssl/private; do test -e /etc/$f && echo $f; done;"
                                + " ls -A /root /var/lib /run/lock /srv /opt | grep -v :"))
                .isEmpty();
    }

    @Test
    void java_and_python_run_where_the_host_has_them() throws Exception {
        if (Files.isExecutable(Path.of("/usr/bin/java"))) {
            assertThat(run("java", "-version")).containsIgnoringCase("version");
        }
        if (Files.isExecutable(Path.of("/usr/bin/python3"))) {
            assertThat(run("python3", "-c", "import ssl; print(len(ssl.create_default_context().get_ca_certs()) >= 0)"))
                    .isEqualTo("True");
        }
    }
}
