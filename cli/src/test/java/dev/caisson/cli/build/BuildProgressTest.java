package dev.caisson.cli.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `build --progress`, for an image without a `RUN`.
@Tag("root")
class BuildProgressTest {
    @TempDir
    private Path directory;

    private final String name =
            "caisson-test/progress-" + ProcessHandle.current().pid() + ":";

    @AfterEach
    void remove() {
        caisson("rmi", name + "plain", name + "tty", name + "auto", name + "quiet");
    }

    private static Answer caisson(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int status = Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments);
        return new Answer(status, out.toString(), err.toString());
    }

    private Answer build(String progress) throws IOException {
        Files.writeString(
                directory.resolve("Dockerfile"), "FROM scratch\nCOPY Dockerfile /" + System.nanoTime() + "\n");
        return caisson("build", "--progress", progress, "-t", name + progress, directory.toString());
    }

    @Test
    void it_is_shown_as_it_was_asked_for() throws IOException {
        assertThat(build("plain").err()).contains("#1 DONE ").doesNotContain("\u001b[");
        assertThat(build("tty").err()).contains("\u001b[").contains(" DONE ");
        assertThat(build("auto").err()).contains("#1 DONE ").doesNotContain("\u001b[");
        Answer quiet = build("quiet");
        assertThat(quiet.out()).matches("sha256:[0-9a-f]{64}\n");
        assertThat(quiet.err()).isEmpty();
        assertThat(build("rawjson").err()).contains("--progress is auto, plain, tty or quiet, not 'rawjson'");
    }
}
