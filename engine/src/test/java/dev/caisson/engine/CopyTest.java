package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.image.TarWriter;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Trees that are copied between a container, the host and archives.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class CopyTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("copy"), Path.of("/var/lib/caisson-test"));
    private static final Instant TIME = Instant.ofEpochSecond(1_000_000_000);
    private static final TarWriter.Attributes PLAIN = new TarWriter.Attributes(0644, 0, 0, TIME);

    private static Engine engine;
    private static Session session;
    private static ContainerFiles files;

    @BeforeAll
    static void open() throws Exception {
        engine = Engine.open(OPTIONS);
        session = engine.session(ContainerSpec.onHost());
        files = session.files();
    }

    @AfterAll
    static void close() {
        session.close();
        engine.close();
    }

    private static String sh(String script) throws InterruptedException {
        ExecResult result = session.exec(Exec.of("sh", "-c", script));
        assertThat(result.stderr()).isEmpty();
        return result.stdout();
    }

    private static void onHost(String... command) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor())
                .as("%s", (Object) command)
                .isZero();
    }

    private static void assertCode(String code, ThrowingCallable work) {
        assertThatThrownBy(work)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private interface Members {
        void to(TarWriter archive) throws IOException;
    }

    private static ByteArrayInputStream archive(Members members) throws IOException {
        var bytes = new ByteArrayOutputStream();
        var archive = new TarWriter(bytes);
        members.to(archive);
        archive.finish();
        return new ByteArrayInputStream(bytes.toByteArray());
    }

    @Test
    void a_tree_keeps_names_links_permissions_owners_and_times_through_an_archive() throws Exception {
        String name = "n".repeat(200);
        sh("mkdir -p /tree/" + name + "; echo a >/tree/" + name + "/file; ln -s ../x /tree/link; : >/tree/empty;"
                + " chown 5:6 /tree/empty; chmod 4750 /tree/empty; touch -d @1000000000 /tree/" + name
                + "/file /tree/" + name + "; mkfifo /tree/pipe");
        var bytes = new ByteArrayOutputStream();

        CopyReport packed = files.pack("/tree", "top", bytes, CopyOptions.STANDARD);
        files.mkdir("/unpacked");
        CopyReport unpacked = files.unpack(
                new ByteArrayInputStream(bytes.toByteArray()),
                "/unpacked",
                CopyOptions.STANDARD.owner(CopyOptions.Owner.SOURCE));

        assertThat(packed).isEqualTo(new CopyReport(2, 5, 1));
        assertThat(unpacked).isEqualTo(new CopyReport(2, 5, 0));
        assertThat(sh("cd /unpacked/top; cat " + name + "/file; readlink link; stat -c '%a %u %g' empty; stat -c %Y "
                        + name + "/file " + name))
                .isEqualTo("a\n../x\n750 5 6\n1000000000\n1000000000\n");
    }

    @Test
    void tar_reads_an_archive_of_ours() throws Exception {
        sh("mkdir /listed; echo a >/listed/file");
        Path file = Files.createTempFile("archive", ".tar");
        try (OutputStream to = Files.newOutputStream(file)) {
            files.pack("/listed", ".", to, CopyOptions.STANDARD);
        }
        Process tar = new ProcessBuilder("tar", "-tf", file.toString()).start();
        assertThat(tar.inputReader().readAllLines()).containsExactly("./", "./file");
        Files.delete(file);
    }

    @Test
    void an_archive_leads_nowhere_else() throws Exception {
        files.mkdir("/inside");
        files.mkdir("/outside");
        for (String name : new String[] {"../outside/file", "a/../../outside/file", ".."}) {
            assertCode(
                    "ARCHIVE",
                    () -> files.unpack(archive(tar -> tar.file(name, 0, PLAIN)), "/inside", CopyOptions.STANDARD));
        }
        assertCode(
                "FILE_IS_LINK",
                () -> files.unpack(
                        archive(tar -> {
                            tar.symbolicLink("link", "/outside", PLAIN);
                            tar.file("link/file", 0, PLAIN);
                        }),
                        "/inside",
                        CopyOptions.STANDARD));
        assertCode(
                "ARCHIVE",
                () -> files.unpack(
                        archive(tar -> tar.hardLink("shadow", "../etc/shadow", PLAIN)),
                        "/inside",
                        CopyOptions.STANDARD));
        assertThat(files.list("/outside")).isEmpty();
    }

    @Test
    void an_absolute_name_of_an_archive_is_taken_below_the_directory() throws Exception {
        files.mkdir("/below");
        files.unpack(archive(tar -> tar.file("/etc/file", 0, PLAIN)), "/below", CopyOptions.STANDARD);
        assertThat(files.stat("/below/etc/file").isFile()).isTrue();
    }

    @Test
    void an_archive_that_is_cut_off_leaves_no_half_file() throws Exception {
        files.mkdir("/cut");
        byte[] whole = archive(tar -> {
                    tar.file("file", 100_000, PLAIN);
                    tar.content(new byte[100_000], 100_000);
                })
                .readAllBytes();
        var cut = new ByteArrayInputStream(whole, 0, 50_000);
        assertCode("ARCHIVE", () -> files.unpack(cut, "/cut", CopyOptions.STANDARD));
        assertThat(files.list("/cut")).isEmpty();
    }

    @Test
    void a_file_larger_than_the_hosts_disk_is_refused_before_anything_is_written(@TempDir Path host) throws Exception {
        sh("mkdir /sparse; truncate -s 1P /sparse/file");
        onHost("mount", "-t", "tmpfs", "-o", "size=1m", "small", host.toString());
        try {
            assertCode(
                    "FILE_TOO_LARGE", () -> files.copyOut("/sparse/file", host.resolve("file"), CopyOptions.STANDARD));
            assertThat(host).isEmptyDirectory();
        } finally {
            onHost("umount", host.toString());
        }
    }

    @Test
    void a_copy_that_fails_leaves_no_file_and_what_was_there(@TempDir Path host) throws Exception {
        sh("mkdir /half; head -c 1000000 /dev/zero >/half/file");
        Path before = Files.writeString(host.resolve("file"), "before");
        CopyOptions failing = CopyOptions.STANDARD.progress(bytes -> {
            if (bytes > 500_000) {
                throw new IllegalStateException("enough");
            }
        });

        assertThatThrownBy(() -> files.copyOut("/half/file", before, failing)).hasMessageContaining("enough");

        assertThat(host.toFile().list()).containsExactly("file");
        assertThat(before).hasContent("before");
    }

    @Test
    void owners_are_kept_when_they_are_asked_for(@TempDir Path host) throws Exception {
        sh("mkdir /owned; : >/owned/file; chown 7:8 /owned/file");
        CopyOptions kept = CopyOptions.STANDARD.owner(CopyOptions.Owner.SOURCE);

        files.copyOut("/owned", host.resolve("kept"), kept);
        files.copyOut("/owned", host.resolve("mine"), CopyOptions.STANDARD);
        assertThat(Files.getAttribute(host.resolve("kept/file"), "unix:uid")).isEqualTo(7);
        assertThat(Files.getAttribute(host.resolve("kept/file"), "unix:gid")).isEqualTo(8);
        assertThat(Files.getAttribute(host.resolve("mine/file"), "unix:uid")).isEqualTo(0);

        files.copyIn(host.resolve("kept"), "/owned-again", kept);
        assertThat(files.stat("/owned-again/file").uid()).isEqualTo(7);
        Files.setAttribute(host.resolve("kept/file"), "unix:uid", 100_000);
        assertCode("FILE_OWNER", () -> files.copyIn(host.resolve("kept"), "/owned-again", kept));
    }

    @Test
    void a_directory_of_the_host_that_is_there_keeps_its_permissions_and_a_link_is_not_filled(@TempDir Path host)
            throws Exception {
        sh("mkdir -m 700 /filled; echo a >/filled/file");
        Path there = Files.createDirectory(host.resolve("there"));
        Files.setAttribute(there, "unix:mode", 0755);
        files.copyOut("/filled", there, CopyOptions.STANDARD);
        assertThat(Files.getAttribute(there, "unix:mode")).isEqualTo(040755);

        Path other = Files.createDirectory(host.resolve("other"));
        Path link = Files.createSymbolicLink(host.resolve("link"), other);
        assertCode("HOST_FILE_KIND", () -> files.copyOut("/filled", link, CopyOptions.STANDARD));
        assertThat(other).isEmptyDirectory();
    }

    @Test
    void the_kernels_file_systems_are_left_out(@TempDir Path host) throws Exception {
        CopyReport report = files.copyOut("/dev", host.resolve("dev"), CopyOptions.STANDARD);
        assertThat(report.leftOut()).isPositive();
        assertThat(host.resolve("dev/pts")).isEmptyDirectory();
        BusyboxEngine.removeTree(host.resolve("dev")); // links that lead out of it are not JUnit's to remove
        assertCode("FILE_SPECIAL", () -> files.copyOut("/proc/version", host.resolve("v"), CopyOptions.STANDARD));
    }

    @Test
    void links_are_resolved_inside_of_the_container() throws Exception {
        sh("mkdir -p /r/real/deep; ln -s real /r/link; ln -s /r/link/deep /r/abs; ln -s ../../../.. /r/real/up;"
                + " ln -s loop /r/loop; ln -s nothing /r/dangling");
        assertThat(files.resolve("/r/link/deep", false)).isEqualTo("/r/real/deep");
        assertThat(files.resolve("/r/abs", false)).isEqualTo("/r/abs");
        assertThat(files.resolve("/r/abs", true)).isEqualTo("/r/real/deep");
        assertThat(files.resolve("/r/link/up/r/link/x", true)).isEqualTo("/r/real/x");
        assertThat(files.resolve("/r/dangling", true)).isEqualTo("/r/nothing");
        assertCode("FILE_IS_LINK", () -> files.resolve("/r/loop", true));
        assertCode("FILE_NOT_FOUND", () -> files.resolve("/r/none/x", true));
    }

    @Test
    void what_is_too_much_for_its_limit_is_refused(@TempDir Path host) throws Exception {
        sh("mkdir /much; head -c 1000 /dev/zero >/much/a; head -c 1000 /dev/zero >/much/b");
        assertCode(
                "FILE_TOO_LARGE",
                () -> files.copyOut("/much", host.resolve("much"), CopyOptions.STANDARD.limit(Bytes.of(1999))));
        assertThat(files.copyOut("/much", host.resolve("all"), CopyOptions.STANDARD.limit(Bytes.of(2000)))
                        .bytes())
                .isEqualTo(2000);
    }
}
