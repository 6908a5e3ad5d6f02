package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Image;
import dev.caisson.image.ProgressListener;
import dev.caisson.launch.LaunchException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Denial;
import dev.caisson.spec.DeniedDestination;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.WritableLayer;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptFile;
import dev.caisson.state.KeptRun;
import dev.caisson.state.LogEntry;
import dev.caisson.state.LogReader;
import dev.caisson.state.Names;
import dev.caisson.state.State;
import dev.caisson.state.StateException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers that are kept: their log and end stay, and nothing else.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class KeptContainerTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("kept"), Path.of("/var/lib/caisson-test"));
    private static final Path KEPT = OPTIONS.data().resolve("containers").resolve(State.lastingName(OPTIONS.state()));

    @AfterEach
    void removeAll() throws IOException {
        if (Files.exists(KEPT)) {
            BusyboxEngine.removeTree(KEPT);
        }
    }

    @Test
    void what_it_said_how_it_ended_and_what_it_was_denied_stays_and_nothing_else() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            ContainerSpec spec = watched(
                            shell("echo said; echo complained >&2; unshare --user true 2>/dev/null; exit 3"))
                    .name("denied");
            engine.run(spec);
            engine.run(spec); // from here on the next container is begun ahead
            Traces before = Traces.of(OPTIONS);

            RunResult result = engine.start(spec, Streams.capture().kept()).await();

            assertThat(result.stdout()).isEqualTo("said\n");
            assertThat(result.stderr()).isEqualTo("complained\n");
            assertThat(Traces.of(OPTIONS).open()).isEqualTo(before.open());
            KeptContainer kept = KeptContainer.find("denied", OPTIONS);
            assertThat(kept.isRunning()).isFalse();
            assertThat(kept.id()).isEqualTo(result.id());
            assertThat(kept.command()).startsWith("sh", "-c");
            assertThat(kept.logFailure()).isEmpty();
            assertThat(texts(kept)).containsExactlyInAnyOrder("STDOUT said\n", "STDERR complained\n");
            assertThat(kept.result()).hasValueSatisfying(end -> {
                assertThat(end.verdict()).isEqualTo(Verdict.EXIT);
                assertThat(end.exitStatus()).isEqualTo(3);
                assertThat(end.wallClock()).isEqualTo(result.wallClock());
                assertThat(end.denials()).isEqualTo(result.denials());
                assertThat(end.denials()).extracting(Denial::call).containsExactly("X86_64 unshare(CLONE_NEWUSER)");
            });
            assertThat(ContainerStatus.all(OPTIONS))
                    .extracting(status -> status.name().orElse("") + status.running() + status.kept())
                    .containsExactly("deniedfalsetrue");
        }
        Traces left = Traces.of(OPTIONS);
        assertThat(left.groups()).isEmpty();
        assertThat(left.records()).isEmpty();
    }

    @Test
    void a_denied_call_that_is_told_behind_the_end_changes_nothing() throws Exception {
        ContainerSpec spec = shell("true");
        try (Engine engine = Engine.open(OPTIONS)) {
            var denied = new DeniedDestination("api.example", "192.0.2.7", 443, "tcp", "it is not on its list");
            RunResult result = engine.run(spec).withDenied(List.of(denied));
            var among = new KeptDirectory(OPTIONS.data(), OPTIONS.state());
            Names.Taken name = names().take(Optional.of("late"), _ -> true);
            KeptRun run = KeptRun.begin(
                    among, result.id(), name, spec, 15, Engine.plan(spec, OPTIONS, ProgressListener.none()));
            run.end(true, result.denials(), failure -> new Ending(result, Instant.now(), failure).fields());

            run.denied(() -> {
                throw new AssertionError("the end has told them");
            });

            assertThat(KeptContainer.find(result.id().value(), OPTIONS).denials())
                    .isEmpty();
            assertThat(KeptContainer.find(result.id().value(), OPTIONS).deniedDestinations())
                    .containsExactly(denied);
        }
    }

    /// Also of a container that is not kept itself.
    @Test
    void the_name_of_one_that_is_kept_is_given_to_no_other_and_a_start_that_fails_keeps_none() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            ContainerSpec spec = shell("true").name("given");
            WritableLayer tooLarge = WritableLayer.STANDARD.size(Bytes.gibibytes(100_000));
            assertThatThrownBy(() -> engine.start(
                            spec.writableLayer(tooLarge), Streams.capture().kept()))
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.code()).isEqualTo("STORAGE_FULL"));
            assertThat(KEPT).isEmptyDirectory();

            engine.start(spec, Streams.capture().kept()).await();
            assertThatThrownBy(() -> engine.run(spec))
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.code()).isEqualTo("NAME_IN_USE"))
                    .hasMessageContaining("caisson rm given");
            assertThat(engine.run(shell("true").name("other")).verdict()).isEqualTo(Verdict.OK);
        }
    }

    @Test
    void a_log_that_is_not_whole_is_told_with_the_end_and_by_whoever_ran_it_when_all_is_removed() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            ContainerSpec spec = shell("read go; head -c 11000000 /dev/zero | tr '\\0' x")
                    .name("cut")
                    .outputLimit(Bytes.mebibytes(16));
            var input = new PipedInputStream();
            try (var go = new PipedOutputStream(input)) {
                var streams = new Streams.Copy(
                        Optional.of(input),
                        OutputStream.nullOutputStream(),
                        OutputStream.nullOutputStream(),
                        Bytes.mebibytes(16));
                Container container = engine.start(spec, streams.kept());
                Path log = KEPT.resolve(container.id() + ".cut").resolve(container.id() + "-json.log");
                for (String older : List.of(".1", ".2")) {
                    Files.createFile(Files.createDirectory(Path.of(log + older)).resolve("in-the-way"));
                }
                go.write('\n');
                go.flush();

                assertThat(container.await().verdict()).isEqualTo(Verdict.OK);
                KeptContainer kept = KeptContainer.find("cut", OPTIONS);
                assertThat(kept.logFailure())
                        .hasValueSatisfying(why -> assertThat(why).contains("ENOTEMPTY"));
                kept.remove();
                assertThat(container.logFailure())
                        .hasValueSatisfying(why -> assertThat(why).contains("ENOTEMPTY"));
            }
        }
    }

    @Test
    void only_what_was_asked_for_is_kept() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            engine.run(shell("echo said").name("gone"));
            assertThatThrownBy(() -> engine.start(
                                    ContainerSpec.of(Image.host(), "/no/such/program"),
                                    Streams.capture().kept())
                            .await())
                    .isInstanceOf(LaunchException.class);
            assertThatThrownBy(() -> engine.start(
                            shell(":"),
                            Streams.capture().kept(),
                            dev.caisson.image.ProgressListener.none(),
                            standing -> {
                                throw new IllegalStateException("the caller gives up");
                            }))
                    .isInstanceOf(IllegalStateException.class);
            while (!engine.containers().isEmpty()) {
                Thread.sleep(5);
            }

            assertThat(KeptContainer.all(OPTIONS)).isEmpty();
            assertThat(left()).isEmpty();
        }
    }

    @Test
    void one_that_runs_is_read_along_and_not_removed_and_its_name_is_its_own() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            Container container = engine.start(
                    shell("echo first; read line; sleep 100").name("box"),
                    new Streams.Copy(
                                    Optional.of(new java.io.ByteArrayInputStream(new byte[] {'\n'})),
                                    java.io.OutputStream.nullOutputStream(),
                                    java.io.OutputStream.nullOutputStream())
                            .kept());
            KeptContainer kept = KeptContainer.find(container.id().shortForm(), OPTIONS);
            assertThat(kept.isRunning()).isTrue();
            assertThat(kept.result()).isEmpty();
            try (LogReader log = kept.log(OptionalLong.empty())) {
                List<LogEntry> entries = log.next();
                while (entries.isEmpty()) {
                    Thread.sleep(5);
                    entries = log.next();
                }
                assertThat(entries).extracting(LogEntry::text).containsExactly("first\n");
            }
            assertThatThrownBy(kept::remove).hasMessageContaining("container is running");
            assertThatThrownBy(() -> engine.start(
                            shell(":").name("box"), Streams.capture().kept()))
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.code()).isEqualTo("NAME_IN_USE"));

            kept.kill();

            assertThat(kept.isRunning()).isFalse();
            assertThat(kept.result()).map(RunResult::exitStatus).contains(137);
            assertThat(container.await().verdict()).isEqualTo(Verdict.SIGNAL);
            assertThatThrownBy(() -> engine.run(shell(":").name("box")))
                    .isInstanceOfSatisfying(
                            StateException.class, e -> assertThat(e.code()).isEqualTo("NAME_IN_USE"))
                    .hasMessageContaining("caisson rm box");
            kept.remove();
            assertThat(engine.run(shell(":").name("box")).isOk()).isTrue();
            assertThatThrownBy(() -> KeptContainer.find("box", OPTIONS)).hasMessageContaining("caisson ps -a");
        }
    }

    @Test
    void one_that_is_not_kept_is_told_from_one_that_is_not_there() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            Container container = engine.start(shell("sleep 100").name("box"), Streams.capture());
            assertThatThrownBy(() -> KeptContainer.find("box", OPTIONS))
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo("CONTAINER_NOT_KEPT"));
            assertThatThrownBy(() -> engine.start(
                            shell(":").name("box"), Streams.capture().kept()))
                    .hasMessageContaining("has the name box");
            assertThat(ContainerStatus.all(OPTIONS))
                    .extracting(status -> status.name().orElse("") + status.running() + status.kept())
                    .containsExactly("boxtruefalse");
            container.kill();
        }
    }

    @Test
    void the_log_outlives_an_engine_that_is_killed_and_its_container_counts_as_ended() throws Exception {
        Process process = new EngineProcess(Keeping.class, OPTIONS, Path.of("/"), List.of()).start();
        KeptContainer kept;
        try (BufferedReader output = process.inputReader()) {
            assertThat(output.readLine()).isEqualTo(EngineProcess.OPENED);
            kept = KeptContainer.find("outlived", OPTIONS);
            assertThat(kept.isRunning()).isTrue();
            while (!texts(kept).contains("STDOUT 3\n")) {
                Thread.sleep(5);
            }
            while (kept.denials().isEmpty()) {
                Thread.sleep(5);
            }
        } finally {
            process.destroyForcibly();
        }
        process.waitFor();
        Files.createDirectory(KEPT.resolve("." + ContainerId.random()));

        Engine.open(OPTIONS).close();

        assertThat(kept.isRunning()).isFalse();
        assertThat(kept.result()).isEmpty();
        assertThat(kept.denials()).extracting(Denial::answer).containsExactly("ERRNO(EPERM)");
        assertThat(texts(kept)).startsWith("STDOUT 1\n", "STDOUT 2\n", "STDOUT 3\n");
        try (Engine next = Engine.open(OPTIONS)) {
            assertThat(next.start(shell(":").name("next"), Streams.capture().kept())
                            .await()
                            .isOk())
                    .isTrue();
        }
        assertThat(left()).hasSize(2).noneMatch(name -> name.startsWith("."));
        kept.remove();
        assertThat(left()).hasSize(1).allMatch(name -> name.endsWith(".next"));
    }

    /// The process of an engine that runs a kept container.
    static final class Keeping {
        public static void main(String[] arguments) throws InterruptedException {
            var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
            try (var engine = Engine.open(options)) {
                String script =
                        "unshare --user true 2>/dev/null; i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done";
                ContainerSpec spec = watched(shell(script)).name("outlived");
                Container container = engine.start(spec, Streams.capture().kept());
                System.out.println(EngineProcess.OPENED);
                container.await();
            }
        }
    }

    @Test
    void of_those_whose_name_was_made_up_the_first_that_ended_go_and_of_all_there_is_a_bound() {
        var among = new KeptDirectory(OPTIONS.data(), OPTIONS.state());
        var origin = new KeptFile.Origin("host", List.of("true"), Map.of(), Instant.now());
        Engine.open(OPTIONS).close(); // makes the directories
        var made = new ArrayList<KeptDirectory.Entry>();
        var running =
                new KeptDirectory.Entry(ContainerId.random(), Optional.of("made_up" + ContainerId.random()), true);
        var named = new KeptDirectory.Entry(ContainerId.random(), Optional.of("named"), false);
        try (Fd _ = among.make(running, origin)) {
            among.make(named, origin).close();
            for (int i = 0; i < 3 * KeptDirectory.MOST_NAMELESS; i++) {
                var entry = new KeptDirectory.Entry(
                        ContainerId.random(), Optional.of("made_up" + ContainerId.random()), true);
                among.make(entry, origin).close();
                made.add(entry);
                assertThat(among.entries()).hasSizeLessThanOrEqualTo(KeptDirectory.MOST_NAMELESS + 1);
            }
            assertThat(among.entries()).contains(running, named);
            assertThat(among.entries())
                    .containsAll(made.subList(made.size() - KeptDirectory.NAMELESS + 1, made.size()))
                    .doesNotContain(made.getFirst());

            for (int i = among.entries().size(); i < KeptDirectory.MOST; i++) {
                among.make(new KeptDirectory.Entry(ContainerId.random(), Optional.of("n" + i), false), origin)
                        .close();
            }
            assertThatThrownBy(() -> among.make(
                            new KeptDirectory.Entry(ContainerId.random(), Optional.of("more"), false), origin))
                    .hasMessageContaining("--rm");
        }
    }

    @Test
    void a_directory_that_is_open_to_others_is_not_used() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            engine.start(shell("echo secret").name("box"), Streams.capture().kept())
                    .await();
            Files.setPosixFilePermissions(KEPT, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
            try {
                assertThatThrownBy(() -> KeptContainer.find("box", OPTIONS)).hasMessageContaining("chmod 700");
                assertThatThrownBy(
                                () -> engine.start(shell(":"), Streams.capture().kept()))
                        .hasMessageContaining("chmod 700");
            } finally {
                Files.setPosixFilePermissions(
                        KEPT, java.nio.file.attribute.PosixFilePermissions.fromString("rwx------"));
            }
        }
    }

    @Test
    void what_cannot_be_kept_is_not_started() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            Files.createDirectories(KEPT.getParent());
            Files.createFile(KEPT);
            try {
                assertThatThrownBy(
                                () -> engine.start(shell(":"), Streams.capture().kept()))
                        .isInstanceOfSatisfying(
                                StateException.class, e -> assertThat(e.code()).isEqualTo("KEEP_FAILED"));
                assertThat(engine.run(shell(":")).isOk()).isTrue();
            } finally {
                Files.delete(KEPT);
            }
        }
        assertThat(Traces.of(OPTIONS).records()).isEmpty();
    }

    private static Names names() {
        return new Names(
                FileSystem.open(OPTIONS.state().toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY),
                "test",
                _ -> false);
    }

    private static ContainerSpec shell(String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script);
    }

    private static ContainerSpec watched(ContainerSpec spec) {
        return spec.seccomp(new SeccompChoice.Watched(new SeccompChoice.Standard(), SeccompChoice.Watch.TELL));
    }

    private static List<String> texts(KeptContainer kept) throws InterruptedException {
        var texts = new ArrayList<String>();
        try (LogReader log = kept.log(OptionalLong.empty())) {
            for (List<LogEntry> some = log.next(); !some.isEmpty(); some = log.next()) {
                some.forEach(entry -> texts.add(entry.stream() + " " + entry.text()));
            }
        }
        return texts;
    }

    private static List<String> left() {
        return Files.exists(KEPT) ? List.of(KEPT.toFile().list()) : List.of();
    }
}
