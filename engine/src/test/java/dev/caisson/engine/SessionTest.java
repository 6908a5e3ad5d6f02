package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Capability;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Sessions, and the files of containers.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SessionTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("session"), Path.of("/var/lib/caisson-test"));
    private static final Bytes LIMIT = Bytes.mebibytes(1);

    private static Engine engine;
    private static Session session;
    private static ContainerFiles files;

    @BeforeAll
    static void open() throws InterruptedException {
        engine = Engine.open(OPTIONS);
        session = engine.session(ContainerSpec.of(Image.host()).environment("COLOUR", "blue"));
        files = session.files();
        sh("mkdir /box; ln -s /etc /box/linked; ln -s /etc/passwd /box/link; mkfifo /box/pipe; echo hello >/box/file");
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static String sh(String script) throws InterruptedException {
        return session.exec(Exec.of("sh", "-c", script)).stdout();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void a_program_reads_what_was_written_and_its_output_is_read() throws InterruptedException {
        files.write("/work/deep/in.txt", bytes("21"));
        ExecResult result =
                session.exec(Exec.of("sh", "-c", "echo $(( $(cat /work/deep/in.txt) * 2 )) >/work/out.txt"));

        assertThat(result.verdict()).isEqualTo(Verdict.OK);
        assertThat(files.read("/work/out.txt", LIMIT)).isEqualTo(bytes("42\n"));
    }

    @Test
    void who_closes_the_files_of_a_session_gets_them_again() throws InterruptedException {
        try (Session other = engine.session(ContainerSpec.onHost())) {
            try (ContainerFiles once = other.files()) {
                once.write("/once", bytes("a"));
            }

            assertThat(other.files().read("/once", LIMIT)).isEqualTo(bytes("a"));
        }
    }

    @Test
    void a_file_that_no_array_holds_is_refused_before_it_is_read() throws InterruptedException {
        sh("truncate -s 1T /box/sparse");

        assertThatThrownBy(() -> files.read("/box/sparse", Bytes.UNLIMITED))
                .hasMessageContaining("it is larger than 2147483639 bytes");
    }

    @Test
    void what_no_path_program_or_signal_can_be_is_refused_with_a_code() {
        assertThat(refusal(() -> files.stat("/\ud800"))).isEqualTo("FILE_PATH");
        assertThat(refusal(() -> Exec.of("echo", "\ud800"))).isEqualTo("ARGUMENT_INVALID");
        assertThat(refusal(() -> engine.containers().getFirst().signal(99))).isEqualTo("ARGUMENT_INVALID");
    }

    private static String refusal(ThrowingCallable call) {
        return catchThrowableOfType(CaissonException.class, call).code();
    }

    @Test
    void programs_have_the_variables_of_the_spec() throws InterruptedException {
        assertThat(sh("echo $COLOUR")).isEqualTo("blue\n");
    }

    /// Process 2 is a child of init that sleeps; nothing of the image is mapped in it, and nobody
    /// inside may look.
    @Test
    void no_program_of_the_image_keeps_it_alive() throws InterruptedException {
        assertThat(sh("readlink /proc/1/exe /proc/2/exe; ls /proc | grep -c '^[12]$'"))
                .isEqualTo("2\n");
    }

    @ParameterizedTest
    @CsvSource({
        "/box/link, FILE_IS_LINK",
        "/box/linked/passwd, FILE_IS_LINK",
        "/box/pipe, FILE_SPECIAL",
        "/proc/version, FILE_SPECIAL",
        "/dev/null, FILE_SPECIAL",
        "/box/none, FILE_NOT_FOUND",
        "/box/file/below, FILE_NOT_DIRECTORY",
        "/box, FILE_IS_DIRECTORY",
        "relative, FILE_PATH"
    })
    void what_is_no_plain_file_is_not_read(String path, String code) {
        assertThatThrownBy(() -> files.read(path, LIMIT))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @ParameterizedTest
    @CsvSource({
        "/box/link, FILE_IS_LINK",
        "/box/linked/x, FILE_IS_LINK",
        "/box/pipe, FILE_SPECIAL",
        "/box, FILE_IS_DIRECTORY",
        "/usr/x, FILE_READ_ONLY"
    })
    void what_is_no_plain_file_is_not_written(String path, String code) {
        assertThatThrownBy(() -> files.write(path, bytes("x")))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void links_lead_on_inside_the_container_where_that_is_asked_for() {
        assertThat(files.followingLinks().read("/box/link", LIMIT)).isNotEmpty();
    }

    @Test
    void a_path_does_not_leave_the_root() {
        assertThat(files.stat("/../../box/./file").size()).isEqualTo(6);
    }

    @Test
    void a_file_larger_than_the_limit_is_not_read() {
        assertThatThrownBy(() -> files.read("/box/file", Bytes.of(5)))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo("FILE_TOO_LARGE"));
    }

    @Test
    void a_stream_that_throws_leaves_nothing() throws InterruptedException {
        InputStream broken = new InputStream() {
            private int left = 1000;

            @Override
            public int read() throws IOException {
                if (left-- <= 0) {
                    throw new IOException("broken");
                }
                return 'x';
            }

            @Override
            public int read(byte[] into, int from, int length) throws IOException {
                into[from] = (byte) read();
                return 1;
            }
        };
        files.mkdir("/broken");

        assertThatThrownBy(() -> files.write("/broken/file", broken, LIMIT)).hasMessage("broken");

        assertThat(sh("ls -A /broken")).isEmpty();
    }

    @Test
    void what_is_written_is_bounded_by_the_writable_layer_and_leaves_nothing() throws InterruptedException {
        files.mkdir("/full");

        assertThatThrownBy(() -> files.write("/full/file", new byte[600 << 20]))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo("FILE_SPACE"));

        assertThat(sh("ls -A /full")).isEmpty();
    }

    /// The service is in the container's group: its limit of memory is the bound.
    @Test
    void what_is_written_is_charged_to_the_container() throws InterruptedException {
        Container container = engine.start(ContainerSpec.onHost("sleep", "100").memory("64m"), Streams.capture());
        try (container) {
            long before =
                    container.usage().group().memory().orElseThrow().current().count();
            container.files().write("/tmp/file", new byte[24 << 20]);

            assertThat(container
                                    .usage()
                                    .group()
                                    .memory()
                                    .orElseThrow()
                                    .current()
                                    .count()
                            - before)
                    .isGreaterThan(20 << 20);
        }
    }

    @Test
    void a_file_that_is_replaced_keeps_its_owner_and_permissions() throws InterruptedException {
        sh("mkdir /own; echo a >/own/file; chown 5:6 /own/file; chmod 640 /own/file");
        files.write("/own/file", bytes("b"));

        assertThat(sh("stat -c '%u %g %a' /own/file; cat /own/file")).isEqualTo("5 6 640\nb");
    }

    @Test
    void a_tree_is_removed_and_links_in_it_are_not_followed() throws InterruptedException {
        sh("mkdir -p /tree/a/b /kept; echo x >/kept/file; ln -s /kept /tree/a/kept; echo y >/tree/a/b/c");
        files.remove("/tree");

        assertThat(sh("ls / | grep tree; cat /kept/file")).isEqualTo("x\n");
    }

    @Test
    void a_watch_tells_what_happens_and_ends() throws InterruptedException {
        var events = new LinkedBlockingQueue<FileEvent>();
        files.mkdir("/watched");
        try (FileWatch _ = files.watch("/watched", events::add)) {
            sh("echo x >/watched/new");

            assertThat(events.poll(5, TimeUnit.SECONDS)).isEqualTo(new FileEvent(FileEvent.Kind.CREATED, "new"));
            FileEvent event = events.poll(5, TimeUnit.SECONDS);
            while (event != null && event.kind() != FileEvent.Kind.WRITTEN) {
                assertThat(event.name()).isEqualTo("new");
                event = events.poll(5, TimeUnit.SECONDS);
            }
            assertThat(event).isEqualTo(new FileEvent(FileEvent.Kind.WRITTEN, "new"));
        }
        events.clear();
        sh("echo x >/watched/later");
        assertThat(events.poll(200, TimeUnit.MILLISECONDS)).isNull();
    }

    @Test
    void a_listener_that_blocks_does_not_hold_up_the_end_of_its_watch() throws InterruptedException {
        var called = new CountDownLatch(1);
        var never = new CountDownLatch(1);
        files.mkdir("/blocked");
        FileWatch watch = files.watch("/blocked", event -> {
            called.countDown();
            boolean waited = false;
            while (!waited) {
                try {
                    waited = never.await(60, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    waited = false; // as a listener that takes no notice
                }
            }
        });
        sh(": >/blocked/new");
        assertThat(called.await(5, TimeUnit.SECONDS)).isTrue();

        long begun = System.nanoTime();
        watch.close();

        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(10));
        never.countDown();
    }

    @Test
    void no_file_is_written_with_bits_that_give_its_owners_rights() throws InterruptedException {
        assertThatThrownBy(() -> files.write("/box/program", new byte[1], 04755))
                .hasMessageContaining("4755 are not within 0777");
        assertThatThrownBy(() -> files.stat("/box/program")).hasMessageContaining("\"/box/program\": there is none");
    }

    @Test
    void a_watch_that_was_too_slow_is_told_so() throws InterruptedException {
        var overflow = new CountDownLatch(1);
        var flooded = new CountDownLatch(1);
        files.mkdir("/flood");
        try (FileWatch _ = files.watch("/flood", event -> {
            try {
                flooded.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (event.kind() == FileEvent.Kind.OVERFLOW) {
                overflow.countDown();
            }
        })) {
            sh("i=0; while [ $i -lt 18000 ]; do : >/flood/$((i % 7)); i=$((i + 1)); done");
            flooded.countDown();

            assertThat(overflow.await(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void trees_are_copied_both_ways_without_following_links(@TempDir Path host) throws Exception {
        sh("mkdir -p /out/deep; echo a >/out/deep/file; ln -s /etc/shadow /out/link; mkfifo /out/pipe;"
                + " chmod 4755 /out/deep/file");
        files.copyOut("/out", host.resolve("copy"), LIMIT);

        assertThat(host.resolve("copy/deep/file")).hasContent("a");
        assertThat(Files.getAttribute(host.resolve("copy/deep/file"), "unix:mode"))
                .isEqualTo(0100755);
        assertThat(Files.readSymbolicLink(host.resolve("copy/link"))).isEqualTo(Path.of("/etc/shadow"));
        assertThat(host.resolve("copy/pipe")).doesNotExist();

        files.copyIn(host.resolve("copy"), "/back");
        assertThat(sh("cat /back/deep/file; readlink /back/link")).isEqualTo("a\n/etc/shadow\n");
    }

    @Test
    void the_files_of_a_paused_container_are_read_and_written() throws InterruptedException {
        try (Container container = engine.start(ContainerSpec.onHost("sleep", "100"), Streams.capture())) {
            container.files().write("/tmp/before", bytes("a"));
            container.pause();
            container.files().write("/tmp/paused", bytes("b"));
            assertThat(container.files().read("/tmp/before", LIMIT)).isEqualTo(bytes("a"));
            container.resume();

            assertThat(container.exec(Exec.of("cat", "/tmp/paused")).stdout()).isEqualTo("b");
        }
    }

    /// Without CAP_DAC_OVERRIDE it is as the container's user, who may write what is his.
    @Test
    void the_service_has_no_right_that_the_container_lacks() throws InterruptedException {
        ContainerSpec spec =
                ContainerSpec.onHost("sleep", "100").user("1000:1000").dropCapabilities(Set.of(Capability.values()));
        try (Container container = engine.start(spec, Streams.capture())) {
            container.files().write("/tmp/mine", bytes("a"));
            assertThat(container
                            .exec(Exec.of("stat", "-c", "%u %g", "/tmp/mine"))
                            .stdout())
                    .isEqualTo("1000 1000\n");
            assertThatThrownBy(() -> container.files().write("/etc/mine", bytes("a")))
                    .isInstanceOfSatisfying(
                            CaissonException.class, e -> assertThat(e.code()).isIn("FILE_DENIED", "FILE_READ_ONLY"));
        }
    }

    @Test
    void everything_is_gone_with_the_session() throws InterruptedException {
        Session other = engine.session(ContainerSpec.onHost());
        other.files().write("/tmp/file", bytes("a"));
        String group = other.id().value();
        other.close();

        assertThat(other.isRunning()).isFalse();
        assertThatThrownBy(() -> other.exec(Exec.of("true")))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo("CONTAINER_NOT_RUNNING"));
        assertThat(engine.containers())
                .noneMatch(container -> container.id().value().equals(group));
    }

    @Test
    void a_lease_that_nobody_renews_ends_it() throws InterruptedException {
        try (Session leased = engine.session(ContainerSpec.onHost(), Duration.ofMillis(1500))) {
            Thread.sleep(800);
            leased.renew();
            Thread.sleep(1000);
            assertThat(leased.isRunning()).isTrue();
            Thread.sleep(2000);
            assertThat(leased.isRunning()).isFalse();
        }
    }

    @Test
    void a_session_with_a_program_is_refused() {
        assertThatThrownBy(() -> engine.session(ContainerSpec.onHost("true")))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo("SESSION_PROGRAM"));
    }
}
