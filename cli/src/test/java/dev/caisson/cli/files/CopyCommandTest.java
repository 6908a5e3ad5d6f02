package dev.caisson.cli.files;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.CommandProcess;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.spec.ContainerId;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `cp` by docker's table of sources and destinations, for containers in each state.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class CopyCommandTest {
    private final String name = "copy-" + ContainerId.random().shortForm();

    @TempDir
    private Path host;

    private record Answer(int status, String out, String err) {}

    @BeforeEach
    void create() throws Exception {
        assertThat(caisson(
                                "create",
                                "--name",
                                name,
                                "host",
                                "--",
                                "sh",
                                "-c",
                                "trap 'exit 0' TERM; mkdir -p /box/dir; echo in >/box/file; echo deep >/box/dir/file;"
                                        + " ln -s dir /box/link; echo ready; while :; do sleep 0.1; done")
                        .status())
                .isZero();
        Files.createDirectories(host.resolve("src/sub"));
        Files.writeString(host.resolve("src/a"), "a");
        Files.writeString(host.resolve("src/sub/b"), "b");
        Files.writeString(host.resolve("file"), "new");
        Files.createSymbolicLink(host.resolve("link"), Path.of("src"));
    }

    @AfterEach
    void remove() {
        caisson("rm", "-f", name);
    }

    private static Answer caisson(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int status = Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments);
        return new Answer(status, out.toString(), err.toString());
    }

    private void start() throws InterruptedException {
        caisson("start", name);
        long begun = System.nanoTime();
        while (!caisson("logs", name).out().contains("ready")) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(60));
            Thread.sleep(50);
        }
    }

    private void bring(String state) throws InterruptedException {
        if (!state.equals("created")) {
            start();
        }
        if (state.equals("paused")) {
            assertThat(caisson("pause", name).status()).isZero();
        }
        if (state.equals("stopped")) {
            assertThat(caisson("stop", name).status()).isZero();
        }
    }

    private String at(String path) {
        return host.resolve(path).toString();
    }

    private String in(String path) {
        return name + ":" + path;
    }

    /// Copies, and expects no word.
    private void copy(String... arguments) {
        var words = new java.util.ArrayList<>(List.of("cp"));
        words.addAll(List.of(arguments));
        assertThat(caisson(words.toArray(String[]::new))).isEqualTo(new Answer(0, "", ""));
    }

    private void refused(String code, String... arguments) {
        var words = new java.util.ArrayList<>(List.of("cp"));
        words.addAll(List.of(arguments));
        Answer answer = caisson(words.toArray(String[]::new));
        assertThat(answer.err()).startsWith("caisson: " + code + ": ").hasLineCount(1);
        assertThat(answer.status()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"created", "running", "paused", "stopped"})
    void files_go_both_ways_in_every_state(String state) throws Exception {
        bring(state);

        copy(at("src"), in("/tmp"));
        copy(at("file"), in("/tmp/src/sub/c"));
        copy(in("/tmp/src"), at("back"));

        assertThat(host.resolve("back/a")).hasContent("a");
        assertThat(host.resolve("back/sub/b")).hasContent("b");
        assertThat(host.resolve("back/sub/c")).hasContent("new");
        if (!state.equals("created")) {
            copy(in("/box/file"), at("seen"));
            assertThat(host.resolve("seen")).hasContent("in");
        }
    }

    @Test
    void what_is_copied_into_a_stopped_container_is_what_its_next_start_sees() throws Exception {
        bring("stopped");
        copy(at("file"), in("/box/next"));
        start();
        assertThat(caisson("exec", name, "cat", "/box/next").status()).isZero();
        copy(in("/box/next"), at("next"));
        assertThat(host.resolve("next")).hasContent("new");
    }

    /// The table of `docker cp`.
    @ParameterizedTest
    @CsvSource({
        "file,    /box/new,     /box/new",
        "file,    /box/file,    /box/file",
        "file,    /box,         /box/file",
        "file,    /box/dir/,    /box/dir/file",
        "file,    /box/link,    /box/dir/file",
        "src,     /box/new,     /box/new/a",
        "src,     /box/dir,     /box/dir/src/a",
        "src/,    /box/dir,     /box/dir/src/a",
        "src/.,   /box/dir,     /box/dir/a",
        "src/.,   /box/new/,    /box/new/a",
        "link/,   /box/dir,     /box/dir/link/a",
        "src/a,   box/rel,      /box/rel",
    })
    void a_source_of_the_host_takes_the_name_or_goes_into_the_directory(String from, String to, String expected)
            throws Exception {
        bring("running");
        copy(at("") + "/" + from, in(to));
        copy(in(expected), at("result"));
        assertThat(host.resolve("result")).content().isIn("new", "a");
    }

    @ParameterizedTest
    @CsvSource({
        "/box/file,  out,        out",
        "/box/file,  there,      there/file",
        "/box/file,  there/,     there/file",
        "/box/file,  over,       over",
        "/box/dir,   out,        out/file",
        "/box/dir,   there,      there/dir/file",
        "/box/dir/., there,      there/file",
        "/box/dir/., out/,       out/file",
        "/box/link/, there,      there/link/file",
        "/box/file,  pointer,    over",
        "/box/file,  dangling,   later",
    })
    void a_source_of_the_container_takes_the_name_or_goes_into_the_directory(String from, String to, String expected)
            throws Exception {
        bring("running");
        Files.createDirectory(host.resolve("there"));
        Files.writeString(host.resolve("over"), "old");
        Files.createSymbolicLink(host.resolve("pointer"), Path.of("over"));
        Files.createSymbolicLink(host.resolve("dangling"), Path.of("later"));
        copy(in(from), at("") + "/" + to);
        assertThat(host.resolve(expected)).content().isIn("in\n", "deep\n");
    }

    @Test
    void links_are_copied_as_links_unless_they_are_to_be_followed() throws Exception {
        bring("running");
        copy(in("/box/link"), at("as-link"));
        assertThat(Files.readSymbolicLink(host.resolve("as-link"))).isEqualTo(Path.of("dir"));
        copy("-L", in("/box/link"), at("followed"));
        assertThat(host.resolve("followed/file")).hasContent("deep");

        copy(at("link"), in("/box/as-link"));
        copy("--follow-link", at("link"), in("/box/followed"));
        assertThat(caisson("exec", name, "test", "-L", "/box/as-link").status()).isZero();
        assertThat(caisson("exec", name, "test", "-f", "/box/followed/a").status())
                .isZero();
    }

    @Test
    void owners_are_root_in_the_container_unless_they_are_to_be_kept() throws Exception {
        bring("running");
        Files.setAttribute(host.resolve("file"), "unix:uid", 1234);
        copy(at("file"), in("/box/root"));
        copy("-a", at("file"), in("/box/kept"));
        assertThat(caisson("exec", name, "sh", "-c", "test $(stat -c %u /box/root /box/kept | tr '\\n' ,) = 0,1234,")
                        .status())
                .isZero();
    }

    @Test
    void what_docker_refuses_is_refused() throws Exception {
        bring("running");
        refused("COPY_FORM", in("/a"), in("/b"));
        refused("COPY_FORM", at("a"), at("b"));
        refused("COPY_FORM", ":/a", at("b"));
        refused("COPY_FORM", in(""), at("b"));
        refused("COPY_FORM", at("a"), in(""));
        refused("FILE_NOT_FOUND", in("/none"), at("b"));
        refused("COPY_SOURCE", at("none"), in("/b"));
        refused("COPY_SOURCE", at("file") + "/", in("/b"));
        refused("COPY_SOURCE", in("/box/file/"), at("b"));
        refused("COPY_DESTINATION", at("file"), in("/box/none/"));
        refused("FILE_NOT_FOUND", at("file"), in("/none/none"));
        refused("COPY_DESTINATION", at("src"), in("/box/file"));
        refused("COPY_DESTINATION", at("file"), in("/box/file/"));
        refused("COPY_DESTINATION", "-", in("/box/file"));
        refused("COPY_DESTINATION", in("/box/dir"), at("file"));
        refused("COPY_DESTINATION", in("/box/file"), at("none") + "/");
        refused("HOST_FILE_NOT_FOUND", in("/box/file"), at("none/none"));
        refused("CONTAINER_UNKNOWN: no such container: no-such", "no-such:/a", at("b"));
        refused("CONTAINER_UNKNOWN: no such container: no-such", at("file"), "no-such:/b");
        Files.createDirectories(host.resolve("into/file"));
        refused("HOST_FILE_KIND", in("/box/file"), at("into"));
        assertThat(host.resolve("b")).doesNotExist();
    }

    @Test
    void archives_go_through_standard_input_and_output() throws Exception {
        bring("running");
        Process out = new ProcessBuilder(CommandProcess.words("cp", in("/box"), "-")).start();
        byte[] archive = out.getInputStream().readAllBytes();
        assertThat(out.waitFor()).isZero();
        Files.write(host.resolve("box.tar"), archive);
        Process tar = new ProcessBuilder("tar", "-tf", at("box.tar")).start();
        assertThat(tar.inputReader().readAllLines())
                .containsExactlyInAnyOrder("box/", "box/dir/", "box/dir/file", "box/file", "box/link");

        Process into = new ProcessBuilder(CommandProcess.words("cp", "-", in("/tmp")))
                .redirectInput(host.resolve("box.tar").toFile())
                .start();
        assertThat(into.errorReader().readAllLines()).isEmpty();
        assertThat(into.waitFor()).isZero();
        copy(in("/tmp/box/dir/file"), at("again"));
        assertThat(host.resolve("again")).hasContent("deep");
    }

    @Test
    void nothing_that_is_half_written_stays_when_the_command_is_killed() throws Exception {
        start();
        Files.write(host.resolve("big"), new byte[1 << 20]);
        Process tar = new ProcessBuilder("tar", "-C", host.toString(), "-c", "big").start();
        byte[] archive = tar.getInputStream().readAllBytes();
        Process copy = new ProcessBuilder(CommandProcess.words("cp", "-", in("/box"))).start();
        copy.getOutputStream().write(archive, 0, archive.length / 2);
        copy.getOutputStream().flush();
        awaitHalfWritten(0);

        copy.destroyForcibly().waitFor();

        awaitHalfWritten(1);
        assertThat(caisson("exec", name, "test", "-e", "/box/big").status()).isEqualTo(1);
    }

    /// @param status 0 if there is one, 1 if there is none
    private void awaitHalfWritten(int status) throws InterruptedException {
        long begun = System.nanoTime();
        while (caisson("exec", name, "sh", "-c", "ls -A /box | grep -q ^.caisson-")
                        .status()
                != status) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(20));
            Thread.sleep(50);
        }
    }

    @Test
    void an_archive_that_cannot_be_written_is_told_once() throws Exception {
        var words = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" >/dev/full", "sh"));
        words.addAll(CommandProcess.words("cp", in("/etc/hostname"), "-"));
        Process full = new ProcessBuilder(words).start();

        assertThat(new String(full.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
                .startsWith("caisson: OUTPUT_FAILED: ")
                .hasLineCount(1);
        assertThat(full.waitFor()).isEqualTo(125);
    }

    @Test
    void sizes_are_shown_as_docker_shows_them() {
        assertThat(List.of(0L, 999L, 1000L, 2048L, 10_240L, 123_456L, 5_000_000_000L).stream()
                        .map(CopyProgress::size))
                .containsExactly("0B", "999B", "1kB", "2.05kB", "10.2kB", "123kB", "5GB");
    }
}
