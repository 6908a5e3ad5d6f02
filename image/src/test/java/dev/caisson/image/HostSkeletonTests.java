package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostSkeletonTests {
    private static final String SECRET = "the host's secret";

    @TempDir
    Path temporary;

    private Path host;
    private Path tree;
    private Fd store;

    @BeforeEach
    void a_merged_host_with_secrets() throws IOException {
        host = Files.createDirectory(temporary.resolve("host"));
        tree = Files.createDirectory(temporary.resolve("tree"));
        store = FileSystem.open(
                Files.createDirectory(temporary.resolve("store")).toString(),
                FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        Files.createDirectories(host.resolve("usr/bin"));
        Files.createSymbolicLink(host.resolve("bin"), Path.of("usr/bin"));
        Files.createSymbolicLink(host.resolve("lib64"), Path.of("usr/lib64"));
        for (String secret : List.of(
                "etc/shadow",
                "etc/gshadow",
                "etc/machine-id",
                "etc/hostname",
                "etc/hosts",
                "etc/resolv.conf",
                "etc/passwd",
                "etc/group",
                "etc/environment",
                "etc/ssh/ssh_host_key",
                "etc/ssl/private/key.pem",
                "etc/pki/tls/private/key.pem",
                "etc/maven/settings.xml",
                "etc/cron.d/job",
                "root/.ssh/id_ed25519",
                "home/me/.netrc",
                "var/lib/secret",
                "run/secret")) {
            write(secret, SECRET, "rw-r--r--");
        }
        write("etc/java-99-openjdk/jmxremote.password", SECRET, "rw-------");
        write("etc/java-99-openjdk/security/java.security", "public", "rw-r--r--");
        write("etc/ssl/certs/Ő.pem", "certificate", "rw-r--r--");
        Files.createSymbolicLink(host.resolve("etc/ssl/certs/0.0"), Path.of("Ő.pem"));
        write("etc/ld.so.cache", "cache", "rw-r--r--");
        Files.createDirectories(host.resolve("etc/alternatives"));
        Files.createSymbolicLink(host.resolve("etc/alternatives/java"), Path.of("/usr/lib/jvm/bin/java"));
        Files.createSymbolicLink(host.resolve("etc/localtime"), Path.of("/usr/share/zoneinfo/Etc/UTC"));
        write("usr/bin/sh", "#!", "rwxr-xr-x");
    }

    @AfterEach
    void close() {
        store.close();
    }

    private HostSkeleton skeleton() {
        return new HostSkeleton(host, new HostSnapshotFile(store));
    }

    private void write(String path, String content, String mode) throws IOException {
        Path file = host.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    }

    private HostSkeleton.Snapshot write() {
        var skeleton = skeleton();
        HostSkeleton.Snapshot snapshot = skeleton.snapshot();
        try (Fd directory = FileSystem.open(tree.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            skeleton.write(snapshot.version(), directory);
        }
        return snapshot;
    }

    private String mode(String path) throws IOException {
        return Integer.toOctalString(
                (int) Files.getAttribute(tree.resolve(path), "unix:mode", LinkOption.NOFOLLOW_LINKS) & 07777);
    }

    @Test
    void nothing_of_the_host_s_secrets_is_in_it() throws IOException {
        write();
        try (Stream<Path> all = Files.walk(tree)) {
            for (Path file : all.filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
                    .toList()) {
                assertThat(Files.readString(file)).as(file.toString()).doesNotContain(SECRET);
            }
        }
        assertThat(tree.resolve("etc/shadow")).doesNotExist();
        assertThat(tree.resolve("etc/machine-id")).doesNotExist();
        assertThat(tree.resolve("etc/ssl/private")).doesNotExist();
        assertThat(tree.resolve("etc/java-99-openjdk/jmxremote.password")).doesNotExist();
        assertThat(tree.resolve("etc/hostname")).isEmptyFile();
    }

    @Test
    void what_programs_need_is_in_it() throws IOException {
        write();
        assertThat(tree.resolve("etc/java-99-openjdk/security/java.security")).hasContent("public");
        assertThat(tree.resolve("etc/ssl/certs/Ő.pem")).hasContent("certificate");
        assertThat(tree.resolve("etc/ld.so.cache")).hasContent("cache");
        assertThat(tree.resolve("etc/shells")).hasContent("/bin/sh");
        assertThat(Files.readSymbolicLink(tree.resolve("etc/ssl/certs/0.0"))).isEqualTo(Path.of("Ő.pem"));
        assertThat(Files.readSymbolicLink(tree.resolve("etc/alternatives/java")))
                .isEqualTo(Path.of("/usr/lib/jvm/bin/java"));
        assertThat(Files.readSymbolicLink(tree.resolve("etc/localtime")))
                .isEqualTo(Path.of("/usr/share/zoneinfo/Etc/UTC"));
        assertThat(Files.readSymbolicLink(tree.resolve("bin"))).isEqualTo(Path.of("usr/bin"));
        assertThat(Files.readSymbolicLink(tree.resolve("var/run"))).isEqualTo(Path.of("/run"));
        assertThat(Files.readSymbolicLink(tree.resolve("var/lock"))).isEqualTo(Path.of("/run/lock"));
        assertThat(tree.resolve("lib")).doesNotExist();
        assertThat(tree.resolve("usr")).isEmptyDirectory();
        assertThat(mode("tmp")).isEqualTo("1777");
        assertThat(mode("var/tmp")).isEqualTo("1777");
        assertThat(mode("root")).isEqualTo("700");
        assertThat(mode("etc")).isEqualTo("755");
        for (String file : List.of("etc/passwd", "etc/shells", "etc/hostname", "etc/ld.so.cache")) {
            assertThat(mode(file)).as(file).isEqualTo("644");
        }
    }

    @Test
    void usr_is_shown_and_on_an_unmerged_host_the_directories_beside_it() throws IOException {
        Files.createDirectory(host.resolve("lib"));
        Files.writeString(host.resolve("lib32"), SECRET);

        HostSkeleton.Snapshot snapshot = write();

        assertThat(snapshot.binds())
                .containsExactly(new HostBind(host.resolve("usr"), "usr"), new HostBind(host.resolve("lib"), "lib"));
        assertThat(tree.resolve("lib")).isEmptyDirectory();
        assertThat(tree.resolve("lib32")).doesNotExist();
    }

    @Test
    void a_change_of_the_host_changes_the_version_and_nothing_else_does() throws IOException {
        var skeleton = skeleton();
        Digest first = skeleton.snapshot().version();
        assertThat(skeleton.snapshot().version()).isEqualTo(first);
        assertThat(skeleton().snapshot().version()).isEqualTo(first);

        write("etc/ssl/certs/Ő.pem", "certificatf", "rw-r--r--");
        Digest changed = skeleton.snapshot().version();
        assertThat(changed).isNotEqualTo(first);

        Files.createSymbolicLink(host.resolve("etc/alternatives/vi"), Path.of("/usr/bin/vim"));
        assertThat(skeleton.snapshot().version()).isNotEqualTo(changed);

        Digest before = skeleton.snapshot().version();
        write("etc/shadow", "other", "rw-r-----");
        assertThat(skeleton.snapshot().version()).isEqualTo(before);
    }

    @Test
    void the_next_process_reads_what_this_one_saw_unless_something_changed() throws Exception {
        HostSkeleton.Snapshot first = skeleton().snapshot();
        assertThat(new HostSnapshotFile(store).read())
                .as("a host that changed just now may change again without a trace")
                .isEmpty();

        Thread.sleep(2_100);
        assertThat(skeleton().snapshot()).isEqualTo(first);
        assertThat(new HostSnapshotFile(store).read()).contains(first);
        Files.createSymbolicLink(host.resolve("etc/alternatives/vi"), Path.of("/usr/bin/vim"));
        HostSkeleton.Snapshot other = skeleton().snapshot();
        assertThat(other.version()).isNotEqualTo(first.version());
        write("usr/bin/zsh", "#!", "rwxr-xr-x");
        assertThat(skeleton().snapshot().version()).isNotEqualTo(other.version());
    }

    @Test
    void a_kept_snapshot_is_what_is_used() throws Exception {
        Thread.sleep(2_100);
        HostSkeleton.Snapshot seen = skeleton().snapshot();
        var told = new HostSkeleton.Snapshot(Digest.of(new byte[] {1}), seen.binds(), seen.stamps());
        new HostSnapshotFile(store).write(told);

        assertThat(skeleton().snapshot()).isEqualTo(told);
    }

    /// A skeleton that another version of this code has kept is not used, whatever stands behind its name.
    @Test
    void a_kept_snapshot_of_another_format_is_none() throws Exception {
        Thread.sleep(2_100);
        skeleton().snapshot();
        Path kept = temporary.resolve("store/latest");
        byte[] whole = Files.readAllBytes(kept);
        assertThat(new HostSnapshotFile(store).read()).isPresent();
        assertThat(Files.getPosixFilePermissions(kept)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
        whole[2] ^= 1;
        Files.write(kept, whole);
        assertThat(new HostSnapshotFile(store).read()).isEmpty();
    }

    @Test
    void a_kept_snapshot_that_is_damaged_is_none() throws Exception {
        Thread.sleep(2_100);
        HostSkeleton.Snapshot first = skeleton().snapshot();
        Path kept = temporary.resolve("store/latest");
        byte[] whole = Files.readAllBytes(kept);
        for (int length = 0; length < whole.length; length += 7) {
            Files.write(kept, Arrays.copyOf(whole, length));
            assertThat(new HostSnapshotFile(store).read())
                    .as("of %d bytes", length)
                    .isEmpty();
        }
        assertThat(skeleton().snapshot()).isEqualTo(first);
    }
}
