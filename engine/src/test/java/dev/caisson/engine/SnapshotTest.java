package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageStore;
import dev.caisson.image.NewLayer;
import dev.caisson.image.Platform;
import dev.caisson.image.ProgressListener;
import dev.caisson.image.Snapshot;
import dev.caisson.image.SnapshotName;
import dev.caisson.image.StoredImage;
import dev.caisson.image.StoredSnapshots;
import dev.caisson.image.TarWriter;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Snapshots of containers, and what is started from them.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SnapshotTest {
    /// Directories of the test's own, because it removes images and snapshots that nobody uses.
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("snapshots"), OwnDirectories.data("snapshots"));

    private static final ImageReference BASE = ImageReference.parse("caisson-test/snapped:1");
    private static final Path STORE = OPTIONS.data().resolve("images/snapshots");
    private static final String TREE =
            "for f in $(find /srv/* /etc/kept -type d | sort); do stat -c '%n %A %u:%g %Y' $f; done;"
                    + " for f in $(find /srv /etc/kept ! -type d | sort); do stat -c '%n %A %u:%g %s %Y %h' $f; done";

    private final List<DetachedContainer> all = new ArrayList<>();
    private Snapshots snapshots;

    @TempDir
    private Path directory;

    private Path root;
    private Engine engine;

    @BeforeEach
    void open() throws IOException {
        root = BusyboxEngine.makeRoot(directory.resolve("root"));
        engine = Engine.open(OPTIONS);
        snapshots = Snapshots.of(OPTIONS);
        Files.writeString(root.resolve("srv/below"), "below");
        Files.createDirectories(root.resolve("srv/remade"));
        Files.writeString(root.resolve("srv/remade/old"), "old");
        Files.writeString(root.resolve("srv/gone"), "gone");
    }

    @AfterEach
    void remove() throws Exception {
        for (DetachedContainer one : all) {
            one.remove(true);
        }
        engine.close();
        assertThat(snapshots.prune()).isNotNull();
        assertThat(snapshots.list()).isEmpty();
    }

    private ContainerSpec busybox(String... command) {
        return ContainerSpec.of(Image.directory(root), command);
    }

    private static String sh(Session session, String script) throws InterruptedException {
        ExecResult result = session.exec(Exec.of("sh", "-c", script));
        assertThat(result.exitCode()).as(result.stderr()).isZero();
        return result.stdout();
    }

    private static AbstractThrowableAssert<?, ?> refused(String code, ThrowingCallable act) {
        return assertThatThrownBy(act)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private DetachedContainer sleeping(ContainerSpec spec) throws InterruptedException {
        DetachedContainer made = engine.create(spec, DetachedOptions.STANDARD);
        all.add(made);
        made.start();
        return made;
    }

    @Test
    void forks_of_a_session_have_its_files_and_are_apart_from_each_other() throws Exception {
        String before;
        Snapshot taken;
        try (Session session = engine.session(busybox())) {
            sh(
                    session,
                    "rm -r /srv/remade /srv/gone; mkdir /srv/remade; echo new >/srv/remade/new; mkdir /etc/kept;"
                            + " echo one >/srv/file; ln /srv/file /etc/kept/twin; ln -s file /srv/link; mkfifo /srv/pipe;"
                            + " chown 5:6 /srv/file; chmod 4750 /srv/file; touch -d '2001-02-03 04:05:06' /srv/file;"
                            + " dd if=/dev/zero of=/srv/holes bs=1 count=1 seek=1073741824; chmod 1777 /srv/remade");
            before = sh(session, TREE);
            taken = session.snapshot("prepared");
            sh(session, "echo later >/srv/later");
        }

        List<Session> forks = engine.fork(taken, 3, spec -> spec.pids(20));
        try {
            var names = new HashSet<String>();
            for (Session fork : forks) {
                assertThat(sh(fork, TREE)).isEqualTo(before);
                assertThat(sh(fork, "cat /srv/file /srv/below /srv/remade/new; ls /srv/remade; cat /etc/hosts"))
                        .startsWith("one\nbelownew\nnew\n")
                        .contains(fork.id().shortForm());
                names.add(sh(fork, "hostname; cat /proc/self/uid_map"));
                sh(fork, "test ! -e /srv/later; test ! -e /srv/mine; echo mine >/srv/mine; echo x >>/srv/file");
            }
            assertThat(names).hasSize(3);
        } finally {
            forks.forEach(Session::close);
        }
        assertThat(taken.bytes())
                .as("without holes, and what each start writes")
                .isEqualTo(9);
        assertThat(taken.image()).isEqualTo(Image.directory(root).toString());
    }

    @Test
    void a_container_in_the_background_stands_still_only_while_its_files_are_taken() throws Exception {
        DetachedContainer box = sleeping(busybox("sh", "-c", "echo a >/srv/a; sleep 1000")
                .name("snapped")
                .mount(new Mount.Tmpfs(InRootPath.of("scratch"), Bytes.mebibytes(1), 0777, false, false)));
        engine.exec("snapped", Exec.of("sh", "-c", "echo b >/srv/b; echo c >/scratch/c"), Streams.capture());
        snapshots.create("snapped", "running");

        assertThat(box.state()).isInstanceOf(ContainerState.Running.class);
        box.stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
        snapshots.create("snapped", "stopped");
        for (String name : List.of("running", "stopped")) {
            RunResult run =
                    engine.run(ContainerSpec.of(Image.snapshot(name), "sh", "-c", "cat /srv/a /srv/b; ls -A /scratch"));
            assertThat(run.stdout()).as(run.stderr()).isEqualTo("a\nb\n");
        }
        assertThat(snapshots.get("stopped").container()).isEqualTo("snapped");
    }

    private static DetachedPlace place(DetachedContainer box) {
        return DetachedPlace.find(box.name(), OPTIONS).orElseThrow();
    }

    /// The two files are far apart: the first and the last one that is copied.
    @Test
    void nothing_is_written_while_files_are_copied() throws Exception {
        DetachedContainer box = sleeping(busybox(
                "sh",
                "-c",
                "printf 00000000 >/srv/a; i=0; while [ $i -lt 3000 ]; do i=$((i+1)); : >/srv/f$i; done; i=0;"
                        + " while :; do i=$((i+1)); printf %08d $i 1<>/srv/a; printf %08d $i 1<>/srv/z; done"));
        while (engine.exec(box.name(), Exec.of("sh", "-c", "test -s /srv/z"), Streams.capture())
                        .exitCode()
                != 0) {
            Thread.onSpinWait();
        }
        snapshots.create(box.name(), "still");

        List<String> read = engine.run(
                        ContainerSpec.of(Image.snapshot("still"), "sh", "-c", "cat /srv/a; echo; cat /srv/z; echo"))
                .stdout()
                .lines()
                .toList();
        assertThat(Long.parseLong(read.get(0)) - Long.parseLong(read.get(1))).isBetween(0L, 1L);
    }

    @Test
    void a_second_snapshot_waits_for_the_first_which_lets_the_container_run_on() throws Exception {
        DetachedContainer box = sleeping(busybox("sleep", "1000").name("twice"));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Snapshot> second;
            try (DetachedChanges changes = DetachedChanges.open(place(box));
                    StillFiles first = StillFiles.of(place(box), changes)) {
                second = threads.submit(() -> snapshots.create("twice", "second"));
                assertThatThrownBy(() -> second.get(300, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
                first.requireSame();
            }
            assertThat(second.get().container()).isEqualTo("twice");
        }
        assertThat(box.state()).isInstanceOf(ContainerState.Running.class);
    }

    @Test
    void what_was_copied_while_the_container_ran_or_ended_is_refused() throws Exception {
        DetachedContainer box = sleeping(busybox("sleep", "1000"));
        try (DetachedChanges changes = DetachedChanges.open(place(box))) {
            try (StillFiles running = StillFiles.of(place(box), changes)) {
                assertThat(running.deadline()).isPresent();
                running.requireSame();
                box.resume();
                refused("FILE_CHANGED", running::requireSame);
            }
            box.pause();
            try (StillFiles paused = StillFiles.of(place(box), changes)) {
                paused.requireSame();
                box.resume();
                refused("FILE_CHANGED", paused::requireSame);
            }
            box.stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
            try (StillFiles stopped = StillFiles.of(place(box), changes)) {
                stopped.requireSame();
                box.start();
                refused("FILE_CHANGED", stopped::requireSame);
            }
            try (StillFiles removed = StillFiles.of(place(box), changes)) {
                box.remove(true);
                all.remove(box);
                refused("FILE_CHANGED", removed::requireSame);
            }
        }
    }

    @Test
    void sessions_take_their_snapshots_one_after_the_other_and_run_on() throws Exception {
        try (Session session = engine.session(busybox());
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            sh(session, "i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo $i >/srv/$i; done");
            var taken = new ArrayList<Future<Snapshot>>();
            for (int i = 0; i < 4; i++) {
                String name = "at-once-" + i;
                taken.add(threads.submit(() -> session.snapshot(name)));
            }
            for (Future<Snapshot> one : taken) {
                assertThat(one.get().bytes()).isEqualTo(9 * 2 + 90 * 3 + 401 * 4);
            }
            assertThat(sh(session, "echo on")).isEqualTo("on\n");
        }
    }

    @Test
    void a_snapshot_of_a_fork_is_above_the_first_which_stays_as_long_as_it() throws Exception {
        try (Session session = engine.session(busybox())) {
            sh(session, "echo 1 >/srv/first; echo x >/srv/dropped");
            session.snapshot("first");
        }
        try (Session fork = engine.fork(snapshots.get("first"), 1).getFirst()) {
            refused(
                            "SNAPSHOT_IN_USE",
                            () -> snapshots.remove(snapshots.get("first").name()))
                    .hasMessageContaining(fork.name());
            sh(fork, "echo 2 >/srv/second; rm /srv/dropped");
            assertThat(fork.snapshot("second").parent())
                    .contains(snapshots.get("first").name());
        }
        assertThatThrownBy(() -> snapshots.remove(snapshots.get("first").name()))
                .hasMessageContaining("is below second");

        RunResult run = engine.run(ContainerSpec.of(
                Image.snapshot("second"), "sh", "-c", "cat /srv/first /srv/second /srv/below; ls /srv/dropped"));
        assertThat(run.stdout()).isEqualTo("1\n2\nbelow");
        assertThat(snapshots.prune()).extracting(it -> it.name().value()).containsExactly("second", "first");
    }

    @Test
    void an_image_that_a_snapshot_is_above_stays_and_its_layers_outlive_its_name() throws Exception {
        try (Images images = Images.open(OPTIONS)) {
            StoredImage image = images.make(
                    Optional.empty(), List.of(new NewLayer(SnapshotTest::base, true)), SnapshotTest::config, BASE);
            DetachedContainer box =
                    sleeping(ContainerSpec.of(new Image.Named(BASE), "sh", "-c", "echo 1 >/one; sleep 1000"));
            while (engine.exec(box.name(), Exec.of("sh", "-c", "test -s /one"), Streams.capture())
                            .exitCode()
                    != 0) {
                Thread.onSpinWait();
            }
            snapshots.create(box.name(), "above");
            box.remove(true);
            all.remove(box);

            refused("IMAGE_IN_USE", () -> images.remove(image)).hasMessageContaining("the snapshot above");
            assertThat(images.prune(true)).doesNotContain(image);
            assertThat(images.remove(image, true)).isFalse();
            assertThat(images.prune(true)).isEmpty();
            RunResult run = engine.run(ContainerSpec.of(Image.snapshot("above"), "sh", "-c", "cat /one; echo $A"));
            assertThat(run.stdout()).as(run.stderr()).isEqualTo("1\n1\n");

            try (ImageStore store = ImageStore.open(OPTIONS.data().resolve("images"))) {
                Path layer = store.resolve(new Image.Snapshot(new SnapshotName("above")), ProgressListener.none())
                        .layers()
                        .getLast()
                        .path();
                store.remove(Set.copyOf(store.images()));
                store.removeUnused();
                assertThat(layer).exists();
                assertThat(engine.run(ContainerSpec.of(Image.snapshot("above"), "cat", "/one"))
                                .stdout())
                        .isEqualTo("1\n");
                snapshots.remove(snapshots.get("above").name());
                long before = store.sizes().all();
                store.removeUnused();
                assertThat(layer).doesNotExist();
                assertThat(before - store.sizes().all()).isGreaterThanOrEqualTo(Files.size(Path.of("/bin/busybox")));
            }
        }
    }

    @Test
    void a_name_is_free_once_and_what_is_asked_wrongly_is_told() throws Exception {
        try (Session session = engine.session(busybox())) {
            Snapshot first = session.snapshot("a");
            refused("SNAPSHOT_EXISTS", () -> session.snapshot("a"));
            assertThatThrownBy(() -> session.snapshot("../a")).hasMessageContaining("is not a name of a snapshot");
            assertThatThrownBy(() -> engine.fork(first, 0)).hasMessageContaining("0 sessions");
            refused("CONTAINER_NOT_KEPT", () -> snapshots.create(session.name(), "b"));
            refused("NAME_IN_USE", () -> engine.fork(first, 2, spec -> spec.name("twice")));
            assertThat(engine.containers()).extracting(Container::name).containsExactly(session.name());
            snapshots.remove(first.name());
            refused("SNAPSHOT_UNKNOWN", () -> engine.fork(first, 1));
            assertThat(session.snapshot("a").id()).isNotEqualTo(first.id());
        }
        refused("CONTAINER_UNKNOWN", () -> snapshots.create("nosuch", "b"));
    }

    @Test
    void what_a_kill_left_goes_and_what_others_make_meanwhile_stays() throws Exception {
        Path left = Files.createDirectories(
                STORE.resolve(".partial-" + "0".repeat(32)).resolve("tree"));
        Files.writeString(left.resolve("file"), "x");
        Files.createDirectories(STORE.resolve(".removed-" + "0".repeat(32)).resolve("tree"));
        Path damaged = Files.createDirectories(STORE.resolve("damaged"));

        assertThat(snapshots.list()).isEmpty();
        try (Stream<Path> entries = Files.list(STORE)) {
            assertThat(entries.map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder(".lock", "damaged");
        }
        Files.writeString(damaged.resolve("snapshot.json"), "{}");
        refused("SNAPSHOT_DAMAGED", () -> engine.run(ContainerSpec.of(Image.snapshot("damaged"), "true")));
        snapshots.remove(new SnapshotName("damaged"));
        assertThat(Files.exists(damaged)).isFalse();
    }

    @Test
    void one_that_cannot_be_copied_in_time_leaves_nothing() throws Exception {
        Path target = Files.createDirectory(directory.resolve("copy"));
        try (Fd from = FileSystem.open(root.toString(), FileSystem.O_RDONLY);
                Fd to = FileSystem.open(target.toString(), FileSystem.O_RDONLY);
                ImageStore store = ImageStore.open(OPTIONS.data().resolve("images"))) {
            var late = new LayerCopy(0, Set.of(), OptionalLong.of(System.nanoTime() - 1), to);
            refused("SNAPSHOT_SLOW", () -> late.copy(from));

            Image image = Image.directory(root);
            var source = new StoredSnapshots.Source("x", image, store.resolve(image, ProgressListener.none()));
            refused(
                    "FILE_CHANGED",
                    () -> store.snapshots().make(new SnapshotName("late"), source, tree -> {
                        throw FileFailures.changed("/x");
                    }));
        }
        try (Stream<Path> entries = Files.list(STORE)) {
            assertThat(entries.map(path -> path.getFileName().toString())).containsExactly(".lock");
        }
    }

    private static byte[] config(List<Digest> layers) {
        return ("{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"config\":{\"Cmd\":[\"sh\"],\"Env\":[\"A=1\"]},"
                        + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + layers.getFirst() + "\"]}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static void base(OutputStream to) throws IOException {
        var archive = new TarWriter(to);
        var plain = new TarWriter.Attributes(0755, 0, 0, Instant.ofEpochSecond(1_000_000_000));
        archive.directory("bin", plain);
        byte[] busybox = Files.readAllBytes(Path.of("/bin/busybox"));
        archive.file("bin/busybox", busybox.length, plain);
        archive.content(busybox, busybox.length);
        for (String program : new String[] {"sh", "sleep", "cat", "test"}) {
            archive.hardLink("bin/" + program, "bin/busybox", plain);
        }
        archive.finish();
    }
}
