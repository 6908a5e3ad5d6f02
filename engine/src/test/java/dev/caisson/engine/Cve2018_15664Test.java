package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// CVE-2018-15664 (docker cp), CVE-2019-10152 (podman cp): a container exchanged a directory for a
/// symbolic link while files were copied, and the copy went to the host's root. Here a process in the
/// container's own mount namespace resolves every name, and on the host each name is one component
/// below a directory that is held open, with no link followed.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class Cve2018_15664Test {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("cve-2018-15664"), Path.of("/var/lib/caisson-test"));

    @Test
    void a_directory_that_becomes_a_link_leads_nowhere_else() throws Exception {
        try (Engine engine = Engine.open(OPTIONS);
                Session session = engine.session(ContainerSpec.onHost())) {
            session.exec(Exec.of(
                    "sh",
                    "-c",
                    "mkdir -p /box/real /elsewhere; ln -s /elsewhere /box/trap; (while :; do"
                            + " mv -T /box/real /box/x; mv -T /box/trap /box/real; mv -T /box/real /box/trap;"
                            + " mv -T /box/x /box/real; done) >/dev/null 2>&1 &"));
            int written = 0;
            for (int i = 0; i < 300; i++) {
                try {
                    session.files().write("/box/real/file" + i, new byte[1]);
                    written++;
                } catch (EngineException e) {
                    assertThat(e.code()).startsWith("FILE_");
                }
            }
            assertThat(written).isPositive();
            assertThat(session.files().list("/elsewhere")).isEmpty();
        }
    }

    @Test
    void a_link_that_was_copied_out_is_not_followed_by_the_next_copy(@TempDir Path host) throws Exception {
        Path canary = Files.createDirectory(host.resolve("canary"));
        try (Engine engine = Engine.open(OPTIONS);
                Session session = engine.session(ContainerSpec.onHost())) {
            session.exec(Exec.of("sh", "-c", "mkdir /box; ln -s " + canary + " /box/trap"));
            session.files().copyOut("/box", host.resolve("out"), Bytes.mebibytes(1));
            session.exec(Exec.of("sh", "-c", "rm /box/trap; mkdir /box/trap; echo x >/box/trap/file"));

            assertThatThrownBy(() -> session.files().copyOut("/box", host.resolve("out"), Bytes.mebibytes(1)))
                    .isInstanceOf(CaissonException.class);
        }
        assertThat(canary).isEmptyDirectory();
    }

    @Test
    void a_directory_of_the_host_that_becomes_a_link_leads_nowhere_else(@TempDir Path host) throws Exception {
        var canary = new Canary(host.resolve("canary"));
        Path shared = Files.createDirectory(host.resolve("shared"));
        try (Engine engine = Engine.open(OPTIONS);
                Session session = engine.session(ContainerSpec.onHost());
                var exchange = new Exchange(shared, canary.directory())) {
            session.exec(
                    Exec.of("sh", "-c", "mkdir -p /box/target/self; echo x >/box/target/bird; : >/box/target/self/x"));
            int copied = 0;
            for (int i = 0; i < 300; i++) {
                try {
                    session.files().copyOut("/box", shared, CopyOptions.STANDARD);
                    copied++;
                } catch (EngineException e) {
                    assertThat(e.code()).startsWith("HOST_FILE_");
                }
            }
            exchange.assertGoesOn();
            assertThat(copied).isPositive();
        }
        canary.assertUnchanged();
    }

    @Test
    void a_source_of_the_host_that_becomes_a_link_gives_nothing_else(@TempDir Path host) throws Exception {
        var canary = new Canary(host.resolve("canary"));
        Path shared = Files.createDirectory(host.resolve("shared"));
        try (Engine engine = Engine.open(OPTIONS);
                Session session = engine.session(ContainerSpec.onHost());
                var exchange = new Exchange(shared, canary.directory())) {
            for (int i = 0; i < 300; i++) {
                try {
                    session.files().copyIn(shared, "/box", CopyOptions.STANDARD);
                } catch (EngineException e) {
                    assertThat(e.code()).matches("HOST_FILE_.*|FILE_.*");
                }
            }
            exchange.assertGoesOn();
            assertThat(session.exec(Exec.of("find", "/box", "-name", "bird")).stdout())
                    .isEmpty();
        }
    }

    @Test
    void an_archive_of_a_directory_that_becomes_a_link_holds_nothing_else() throws Exception {
        try (Engine engine = Engine.open(OPTIONS);
                Session session = engine.session(ContainerSpec.onHost())) {
            session.exec(Exec.of(
                    "sh",
                    "-c",
                    "mkdir -p /box/real /elsewhere; : >/elsewhere/secret; ln -s /elsewhere /box/trap; (while :; do"
                            + " mv -T --exchange /box/real /box/trap; done) >/dev/null 2>&1 &"));
            for (int i = 0; i < 200; i++) {
                var archive = new java.io.ByteArrayOutputStream();
                try {
                    session.files().pack("/box", "box", archive, CopyOptions.STANDARD);
                } catch (EngineException e) {
                    assertThat(e.code()).startsWith("FILE_");
                }
                assertThat(archive.toString(java.nio.charset.StandardCharsets.ISO_8859_1))
                        .doesNotContain("secret");
            }
        }
    }
}
