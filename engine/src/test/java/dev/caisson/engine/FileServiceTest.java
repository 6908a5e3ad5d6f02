package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The process that serves a container's files: what it is, what it makes, and when it ends.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class FileServiceTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("file-service"), Path.of("/var/lib/caisson-test"));

    private static Engine engine;

    @BeforeAll
    static void open() {
        engine = Engine.open(OPTIONS);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    /// The directories in /proc of a container's file services.
    static List<Path> services(ContainerId id) throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            return all.filter(process -> text(process.resolve("comm")).equals("caisson-files\n"))
                    .filter(process -> text(process.resolve("cgroup")).contains(id.value()))
                    .toList();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return ""; // it is no process, or has ended
        }
    }

    private static void awaitNone(ContainerId id) throws Exception {
        long begun = System.nanoTime();
        while (!services(id).isEmpty() && System.nanoTime() - begun < 5_000_000_000L) {
            Thread.sleep(10);
        }
        assertThat(services(id)).isEmpty();
    }

    @Test
    void it_has_a_filter_and_no_new_privileges() throws Exception {
        try (Session session = engine.session(ContainerSpec.onHost())) {
            session.files().list("/");

            assertThat(services(session.id()))
                    .singleElement()
                    .satisfies(process -> assertThat(text(process.resolve("status")))
                            .contains("\nSeccomp:\t2\n")
                            .contains("\nNoNewPrivs:\t1\n"));
        }
    }

    @Test
    void it_ends_with_its_container_also_when_another_process_holds_it() throws Exception {
        Session session = engine.session(ContainerSpec.onHost());
        try (Engine other = Engine.open(OPTIONS);
                ContainerFiles files = other.files(session.name())) {
            files.list("/");
            assertThat(services(session.id())).hasSize(1);

            session.close();

            awaitNone(session.id());
            assertThatThrownBy(() -> files.list("/"))
                    .isInstanceOfSatisfying(
                            CaissonException.class, e -> assertThat(e.code()).isEqualTo("CONTAINER_NOT_RUNNING"));
        }
    }

    @Test
    void it_ends_with_its_session() throws Exception {
        Session session = engine.session(ContainerSpec.onHost());
        session.files().list("/");
        assertThat(services(session.id())).hasSize(1);

        session.close();

        awaitNone(session.id());
    }

    @Test
    void what_is_mounted_into_a_tree_is_not_removed_with_it() throws Exception {
        var mounted = new Mount.Tmpfs(InRootPath.parse("/tree/data"), Bytes.mebibytes(1), 0700, false, false);
        try (Session session = engine.session(ContainerSpec.onHost().mount(mounted))) {
            session.files().write("/tree/data/file", new byte[] {'a'});

            assertThatThrownBy(() -> session.files().remove("/tree"))
                    .isInstanceOfSatisfying(
                            CaissonException.class, e -> assertThat(e.code()).isEqualTo("FILE_BUSY"));

            assertThat(session.files().read("/tree/data/file", Bytes.of(1))).containsExactly('a');
        }
    }

    @Test
    void new_files_and_directories_are_the_users_with_the_permissions_that_were_asked_for() throws Exception {
        try (Session session = engine.session(ContainerSpec.onHost().user("1000:1001"))) {
            session.files().write("/box/plain", new byte[1]);
            session.files().write("/box/secret", new byte[1], 0640);

            assertThat(session.files().stat("/box/plain"))
                    .satisfies(entry -> assertThat(entry.mode()).isEqualTo(0644))
                    .satisfies(entry -> assertThat(entry.uid()).isEqualTo(1000))
                    .satisfies(entry -> assertThat(entry.gid()).isEqualTo(1001));
            assertThat(session.files().stat("/box/secret").mode()).isEqualTo(0640);
            assertThat(session.files().stat("/box").uid()).isEqualTo(1000);
        }
    }

    @Test
    void a_stream_that_gives_more_than_its_limit_leaves_no_file() throws Exception {
        try (Session session = engine.session(ContainerSpec.onHost())) {
            var larger = new ByteArrayInputStream(new byte[6]);

            assertThatThrownBy(() -> session.files().write("/box/file", larger, Bytes.of(5)))
                    .isInstanceOfSatisfying(
                            CaissonException.class, e -> assertThat(e.code()).isEqualTo("FILE_TOO_LARGE"));

            assertThat(session.files().list("/box")).isEmpty();
        }
    }

    @Test
    void what_is_copied_out_takes_the_place_of_what_was_there(@TempDir Path host) throws Exception {
        Path other = Files.writeString(host.resolve("other"), "other");
        Path copy = Files.createSymbolicLink(host.resolve("copy"), other);
        try (Session session = engine.session(ContainerSpec.onHost())) {
            session.files().write("/box/file", new byte[] {'a'});

            session.files().copyOut("/box/file", copy, Bytes.of(10));
        }
        assertThat(copy).isRegularFile().hasContent("a");
        assertThat(Files.isSymbolicLink(copy)).isFalse();
        assertThat(other).hasContent("other");
    }
}
