package dev.caisson.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/// The tests of a service that uses sessions need neither root nor an engine.
class ScriptedSessionTest {
    private static final ContainerSpec SPEC = ContainerSpec.onHost();
    private static final Bytes LIMIT = Bytes.kibibytes(1);

    private final ScriptedSession scripted = new ScriptedSession();
    private final ContainerFiles files = scripted.files();

    /// A service as it could be, which asks for no more than it needs.
    private static String answer(SessionOpener opener) throws InterruptedException {
        try (Session session = opener.session(SPEC)) {
            session.files().write("/box/a.py", "print(42)".getBytes(UTF_8));
            ExecResult result = session.exec(Exec.of("python3", "/box/a.py"));
            return result.isOk() ? new String(session.files().read("/box/out", LIMIT), UTF_8) : result.stderr();
        }
    }

    private static void assertRefused(String code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void a_service_gets_its_answers_in_order_and_the_test_sees_what_it_asked() throws Exception {
        scripted.answer(exec -> {
            files.write("/box/out", "42\n".getBytes(UTF_8));
            return ExecResult.of(Verdict.OK, 0, "", "");
        });
        var failing = new ScriptedSession().then(ExecResult.of(Verdict.EXIT, 1, "", "no python"));
        var runner = new ScriptedRunner().open(scripted).open(failing);

        assertThat(answer(runner)).isEqualTo("42\n");
        assertThat(answer(runner)).isEqualTo("no python");

        assertThat(scripted.execs()).containsExactly(Exec.of("python3", "/box/a.py"));
        assertThat(files.read("/box/a.py", LIMIT)).asString(UTF_8).isEqualTo("print(42)");
        assertThat(scripted.isRunning()).isFalse();
        assertThat(runner.sessions()).containsExactly(SPEC, SPEC);
        assertThatIllegalStateException().isThrownBy(() -> answer(runner)).withMessageContaining("open");
    }

    @Test
    void one_that_has_ended_or_has_no_answer_says_so() throws Exception {
        var refused = new EngineException("CONTAINER_PAUSED", "it is paused: let it run on");
        scripted.fail(refused);
        assertThatThrownBy(() -> scripted.exec(Exec.of("true"))).isSameAs(refused);
        assertThatIllegalStateException()
                .isThrownBy(() -> scripted.exec(Exec.of("true")))
                .withMessageContaining("then");
        scripted.renew();
        assertThat(scripted.renewals()).isEqualTo(1);
        assertThat(scripted.isRunning()).isTrue();

        scripted.then(ExecResult.of(Verdict.OK, 0, "", "")).end();

        assertThat(scripted.isRunning()).isFalse();
        assertRefused("CONTAINER_NOT_RUNNING", () -> scripted.exec(Exec.of("true")));
        assertRefused("CONTAINER_NOT_RUNNING", scripted::renew);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> new ScriptedSession().exec(Exec.of("true"))).isInstanceOf(InterruptedException.class);
    }

    @Test
    void what_is_copied_goes_to_the_callers_streams_and_a_stream_that_fails_is_told() throws Exception {
        ExecResult said = ExecResult.of(Verdict.EXIT, 3, "out", "err");
        scripted.then(said).then(said).then(said);
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();

        ExecResult copied = scripted.exec(Exec.of("a"), new Streams.Copy(Optional.empty(), out, err));

        assertThat(out).hasToString("out");
        assertThat(err).hasToString("err");
        assertThat(copied.exitStatus()).isEqualTo(3);
        assertThat(copied.stdout() + copied.stderr()).isEmpty();
        assertThat(scripted.exec(Exec.of("a"), Streams.capture())).isEqualTo(said);
        var broken = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("gone");
            }
        };
        assertThat(scripted.exec(Exec.of("a"), new Streams.Copy(Optional.empty(), broken, err))
                        .streamFailures())
                .hasSize(1);
    }

    @Test
    void its_files_are_written_listed_renamed_and_removed_as_those_of_a_container() throws Exception {
        files.write("/a/b/one", new byte[3], 0755);
        files.write("/a/b/one", new byte[] {1});
        files.mkdir("/a/c");
        assertThat(files.write("/a/two", new ByteArrayInputStream(new byte[5]), Bytes.of(5)))
                .isEqualTo(5);
        assertThat(files.list("/a")).extracting(FileEntry::name).containsExactly("b", "c", "two");
        assertThat(files.list("/")).extracting(FileEntry::name).containsExactly("a");
        assertThat(files.stat("/a/b/../b/one"))
                .satisfies(one -> assertThat(one.mode()).isEqualTo(0755))
                .satisfies(one -> assertThat(one.size()).isEqualTo(1))
                .satisfies(one -> assertThat(one.isFile()).isTrue());
        assertThat(files.stat("/a/c").isDirectory()).isTrue();
        var copy = new ByteArrayOutputStream();
        assertThat(files.read("/a/two", copy, LIMIT)).isEqualTo(5);
        assertThat(copy.size()).isEqualTo(5);

        files.rename("/a/b", "/a/d");
        assertThat(files.read("/a/d/one", LIMIT)).containsExactly(1);
        files.rename("/a/d/one", "/a/two");
        assertThat(files.read("/a/two", LIMIT)).containsExactly(1);
        files.remove("/a");
        assertThat(files.list("/")).isEmpty();
        assertThat(files.resolve("/x/../y", true)).isEqualTo("/y");
    }

    @Test
    void what_a_container_refuses_of_files_is_refused() {
        files.write("/a/one", new byte[2]);
        assertRefused("FILE_NOT_FOUND", () -> files.read("/none", LIMIT));
        assertRefused("FILE_NOT_FOUND", () -> files.remove("/none"));
        assertRefused("FILE_NOT_FOUND", () -> files.rename("/a", "/none/b"));
        assertRefused("FILE_IS_DIRECTORY", () -> files.read("/a", LIMIT));
        assertRefused("FILE_IS_DIRECTORY", () -> files.write("/a", new byte[0]));
        assertRefused("FILE_NOT_DIRECTORY", () -> files.write("/a/one/two", new byte[0]));
        assertRefused("FILE_NOT_DIRECTORY", () -> files.list("/a/one"));
        assertRefused("FILE_TOO_LARGE", () -> files.read("/a/one", Bytes.of(1)));
        assertRefused("FILE_TOO_LARGE", () -> files.write("/b", new ByteArrayInputStream(new byte[3]), Bytes.of(2)));
        assertRefused("FILE_PATH", () -> files.stat("a"));
        assertRefused("FILE_BUSY", () -> files.remove("/"));
        assertRefused("FILE_BUSY", () -> files.rename("/a", "/a/b"));
        files.mkdir("/c/d");
        assertRefused("FILE_NOT_EMPTY", () -> files.rename("/a", "/c"));
        assertRefused("FILE_IS_DIRECTORY", () -> files.rename("/a/one", "/c/d"));
        assertRefused("ARGUMENT_INVALID", () -> files.write("/a/one", new byte[0], 01000));
        assertThatThrownBy(() -> files.copyIn(Path.of("/etc"), "/etc"))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("test those with an engine");
        assertThatThrownBy(() -> scripted.snapshot("x"))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("test those with an engine");
        assertThat(files.read("/a/one", LIMIT)).hasSize(2);
    }
}
