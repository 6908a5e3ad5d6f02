package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.IdRange;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Namespace;
import dev.caisson.launch.Step;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.secret.Redaction;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Denial;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is kept of one container, from before its launch to behind its end.
@Tag("root")
class KeptRunTest {
    private static final ContainerId ID = new ContainerId("ab".repeat(32));
    private static final Denial DENIAL = new Denial("mount", "EPERM", "sh", "/bin/sh", "", List.of(), 1);
    private static final LaunchPlan PLAN = new LaunchPlan(
            new IdRange(IdRange.FIRST, IdRange.WIDTH),
            Set.of(Namespace.USER),
            new LaunchPlan.RootAssembly(1, 1, 1),
            List.of(),
            List.of(new Step.Execute(true, false, "", List.of("sleep", "1"), List.of())));

    @TempDir
    private Path data;

    private KeptDirectory among;
    private Fd root;
    private Names names;

    @BeforeEach
    void open() {
        among = new KeptDirectory(data, State.STANDARD);
        root = FileSystem.open(data.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY);
        names = new Names(root, "engine", _ -> true);
    }

    @AfterEach
    void close() {
        root.close();
    }

    private KeptRun begin() {
        return KeptRun.begin(
                among,
                ID,
                names.take(Optional.of("web"), _ -> true),
                ContainerSpec.onHost("sleep", "1").label("kind", "test"),
                10,
                PLAN);
    }

    private KeptDirectory.Entry only() {
        assertThat(among.entries()).hasSize(1);
        return among.entries().getFirst();
    }

    private Path file(String name) {
        return among.path().resolve(only().directory()).resolve(name);
    }

    private static void say(KeptRun run, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        run.log().write(LogEntry.Stream.STDOUT, bytes, bytes.length);
    }

    private static Map<String, Object> ending(String failure) {
        return Map.of("failure", failure);
    }

    private long openFiles() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(link -> {
                        try {
                            return Files.readSymbolicLink(link).startsWith(among.path());
                        } catch (IOException e) {
                            return false; // another thread's, closed meanwhile
                        }
                    })
                    .count();
        }
    }

    @Test
    void what_it_is_stands_there_before_its_launch_and_it_counts_as_running() throws IOException {
        KeptRun run = begin();

        assertThat(only()).isEqualTo(new KeptDirectory.Entry(ID, Optional.of("web"), false));
        assertThat(among.isRunning(only())).isTrue();
        try (Fd directory = among.open(only()).orElseThrow()) {
            KeptFile.Origin origin = KeptFile.origin(directory).orElseThrow();
            assertThat(origin.command()).containsExactly("sleep", "1");
            assertThat(origin.image()).isEqualTo("host");
            assertThat(origin.labels()).containsEntry("kind", "test");
            assertThat(origin.stopSignal()).isEqualTo(10);
        }
        say(run, "said\n");
        assertThat(Files.readString(file(ID + "-json.log"))).contains("said");
        assertThat(KeptRun.logName(ID)).isEqualTo(ID + "-json.log");
        run.lose();
        assertThat(openFiles()).isZero();
    }

    @Test
    void a_made_up_name_stays_one() {
        Names.Taken name = names.take(Optional.empty(), _ -> true);
        KeptRun run = KeptRun.begin(among, ID, name, ContainerSpec.onHost("true"), 15, PLAN);

        assertThat(only()).isEqualTo(new KeptDirectory.Entry(ID, Optional.of(name.name()), true));
        run.lose();
    }

    @Test
    void its_end_and_what_it_was_denied_stay_with_the_last_of_its_log() throws IOException {
        KeptRun run = begin();
        say(run, "no end of a line");
        run.end(true, List.of(DENIAL), KeptRunTest::ending);

        assertThat(among.isRunning(only())).isFalse();
        assertThat(Files.readString(file(ID + "-json.log"))).contains("no end of a line");
        assertThat(Files.readString(file(KeptFile.ENDING))).isEqualTo("{\"failure\":\"\"}");
        try (Fd directory = among.open(only()).orElseThrow()) {
            assertThat(KeptFile.denials(directory)).containsExactly(DENIAL);
        }
        assertThat(openFiles()).isZero();
        say(run, "late\n");
        assertThat(Files.readString(file(ID + "-json.log"))).doesNotContain("late");
    }

    @Test
    void where_nothing_was_denied_nothing_is_written_of_it() {
        begin().end(true, List.of(), KeptRunTest::ending);

        assertThat(file("denials.json")).doesNotExist();
        assertThat(file(KeptFile.ENDING)).exists();
    }

    @Test
    void one_that_did_not_run_is_not_kept() throws IOException {
        KeptRun run = begin();
        say(run, "said\n");
        run.end(false, List.of(DENIAL), _ -> {
            throw new AssertionError("it has no end");
        });

        assertThat(among.entries()).isEmpty();
        assertThat(among.path()).isEmptyDirectory();
        assertThat(openFiles()).isZero();
    }

    @Test
    void one_whose_end_nobody_knows_stays_without_one() throws IOException {
        KeptRun run = begin();
        say(run, "said\n");
        run.lose();

        assertThat(among.isRunning(only())).isFalse();
        assertThat(file(KeptFile.ENDING)).doesNotExist();
        assertThat(Files.readString(file(ID + "-json.log"))).contains("said");
        say(run, "late\n");
        assertThat(Files.readString(file(ID + "-json.log"))).doesNotContain("late");
        assertThat(openFiles()).isZero();
    }

    @Test
    void what_was_denied_so_far_is_there_before_the_end_and_not_changed_behind_it() throws IOException {
        KeptRun run = begin();
        run.denied(() -> List.of(DENIAL));
        try (Fd directory = among.open(only()).orElseThrow()) {
            assertThat(KeptFile.denials(directory)).containsExactly(DENIAL);
        }
        run.end(true, List.of(), KeptRunTest::ending);

        run.denied(() -> {
            throw new AssertionError("nobody asks any more");
        });
    }

    /// Its directory is somebody else's to remove, too: the container's end does not depend on it.
    @Test
    void what_cannot_be_written_does_not_hold_up_the_end() throws IOException {
        KeptRun run = begin();
        Files.createDirectory(file("denials.json"));
        Files.createFile(file("denials.json").resolve("in-the-way"));
        run.denied(() -> List.of(DENIAL));
        run.end(true, List.of(DENIAL), KeptRunTest::ending);
        assertThat(among.isRunning(only())).isFalse();
        assertThat(openFiles()).isZero();
    }

    @Test
    void one_that_cannot_be_removed_is_let_go_all_the_same() throws IOException {
        KeptRun run = begin();
        Files.setAttribute(among.path(), "unix:mode", 0755); // no longer closed to others
        run.discard();

        assertThat(openFiles()).isZero();
        Files.setAttribute(among.path(), "unix:mode", 0700);
        assertThat(among.isRunning(only())).isFalse();
    }

    @Test
    void where_nothing_can_be_kept_that_is_told() throws IOException {
        Files.createFile(data.resolve("containers"));

        assertThatThrownBy(this::begin)
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo("KEEP_FAILED"))
                .hasMessageContaining("ENOTDIR");
    }

    @Test
    void a_secret_is_not_in_the_log() throws IOException {
        KeptRun run = begin();
        try (var secret = SecretValue.of("correct-horse".getBytes(StandardCharsets.US_ASCII))) {
            run.redact(Redaction.of(Map.of(new SecretName("password"), secret)));
        }
        say(run, "a correct-horse b\n");
        run.end(true, List.of(), KeptRunTest::ending);

        assertThat(Files.readString(file(ID + "-json.log")))
                .contains("a [secret:password] b")
                .doesNotContain("correct-horse");
    }
}
