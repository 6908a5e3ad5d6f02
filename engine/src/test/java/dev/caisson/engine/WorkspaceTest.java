package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.WorkspaceSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Workspaces: what containers share, and the host reads.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class WorkspaceTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("workspace"), Path.of("/var/lib/caisson-test"));
    private static final Bytes LIMIT = Bytes.mebibytes(1);

    private static Engine engine;

    @BeforeAll
    static void open() {
        engine = Engine.open(OPTIONS);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        engine.workspaces().prune();
        assertThat(engine.workspaces().list()).isEmpty();
        assertThat(disks()).isEmpty();
    }

    /// Devices that stand for files of workspaces, after a moment in which the kernel takes the last mount down.
    private static List<String> disks() throws IOException, InterruptedException {
        List<String> left = attached();
        for (int i = 0; i < 100 && !left.isEmpty(); i++) {
            TimeUnit.MILLISECONDS.sleep(20);
            left = attached();
        }
        return left;
    }

    private static List<String> attached() throws IOException {
        try (Stream<Path> disks = Files.list(Path.of("/sys/block"))) {
            return disks.map(disk -> disk.resolve("loop/backing_file"))
                    .map(WorkspaceTest::text)
                    .filter(file -> file.contains("/caisson-test/workspaces/"))
                    .toList();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            return ""; // it stands for no file, or lets go at this moment
        }
    }

    private static Workspace make(String name) {
        return engine.workspaces().create(WorkspaceSpec.named(name).size("32m").inodes(1000));
    }

    private static RunResult sh(Workspace workspace, String script) throws InterruptedException {
        return engine.run(
                ContainerSpec.onHost("sh", "-c", script).memory("128m").mount(workspace.at("/work")));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void assertCode(String code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void a_thread_that_is_interrupted_makes_one_and_stays_interrupted() {
        for (int i = 0; i < 10; i++) {
            WorkspaceSpec wanted = WorkspaceSpec.named("interrupted-" + i).size("16m");
            Thread.currentThread().interrupt();
            try {
                assertThat(engine.workspaces().create(wanted).name().value()).isEqualTo("interrupted-" + i);
            } finally {
                assertThat(Thread.interrupted()).isTrue();
            }
        }
    }

    @Test
    void one_step_reads_what_another_wrote_and_so_does_the_host() throws InterruptedException {
        Workspace box = make("steps");

        assertThat(sh(box, "echo 20 >/work/in; mkdir /work/deep; chown 7:8 /work/deep")
                        .verdict())
                .isEqualTo(Verdict.OK);
        assertThat(sh(box, "expr $(cat /work/in) + 22 >/work/deep/out; stat -c '%u %g' /work/deep; ls -A /work")
                        .stdout())
                .isEqualTo("7 8\ndeep\nin\n");

        try (ContainerFiles files = engine.files(box.name())) {
            assertThat(files.read("/deep/out", LIMIT)).isEqualTo(bytes("42\n"));
            assertThat(files.list("/")).extracting(FileEntry::name).containsExactly("deep", "in");
            files.write("/from/host", bytes("hello"));
        }
        assertThat(sh(box, "cat /work/from/host; stat -c ' %u %a' /work/from/host")
                        .stdout())
                .isEqualTo("hello 0 644\n");
    }

    @Test
    void users_of_containers_write_in_it_whoever_they_are() throws InterruptedException {
        Workspace box = make("users");
        ContainerSpec spec =
                ContainerSpec.onHost("sh", "-c", "id -u >>/work/who").mount(box.at("/work"));

        assertThat(engine.run(spec.user("1234:1234")).verdict()).isEqualTo(Verdict.OK);
        assertThat(engine.run(spec).verdict()).isEqualTo(Verdict.OK);

        try (ContainerFiles files = engine.files(box.name())) {
            assertThat(files.read("/who", LIMIT)).isEqualTo(bytes("1234\n0\n"));
            assertThat(files.stat("/who").uid()).isEqualTo(1234);
        }
    }

    @Test
    void bytes_and_files_are_bounded_for_containers_and_for_the_host() throws InterruptedException {
        Workspace box = make("bounds");

        RunResult full = sh(box, "head -c 64m /dev/zero >/work/fill; stat -c %s /work/fill");
        assertThat(full.stderr()).contains("No space left on device");
        assertThat(Long.parseLong(full.stdout().strip())).isBetween(20L << 20, 32L << 20);
        try (ContainerFiles files = engine.files(box.name())) {
            assertCode("FILE_SPACE", () -> files.write("/more", new byte[1 << 20]));
            files.remove("/fill");
            files.write("/more", new byte[1 << 20]);
        }
        RunResult many = sh(box, "i=0; while true >/work/f$i; do i=$((i+1)); done 2>/dev/null; ls /work | wc -l");
        assertThat(Long.parseLong(many.stdout().strip())).isBetween(900L, 1000L);
        assertThat(engine.workspaces().use(box.name()).inodes()).isBetween(900L, 1000L);
    }

    @Test
    void no_link_of_a_container_leads_out() throws InterruptedException {
        Workspace box = make("links");
        sh(
                box,
                "cd /work; ln -s /etc/passwd abs; ln -s ../../../../etc/passwd rel; ln -s /proc/self/root/etc/passwd magic;"
                        + " ln -s / root; mkdir etc; echo inside >etc/passwd; mkfifo pipe; ln -s /usr/bin/sh sh");
        try (ContainerFiles files = engine.files(box.name())) {
            for (String link : List.of("/abs", "/rel", "/magic", "/root/etc/passwd", "/sh")) {
                assertCode("FILE_IS_LINK", () -> files.read(link, LIMIT));
                assertCode("FILE_IS_LINK", () -> files.write(link, bytes("x")));
            }
            assertCode("FILE_SPECIAL", () -> files.read("/pipe", LIMIT));
            assertCode("FILE_NOT_FOUND", () -> files.read("/../../proc/version", LIMIT));
            // The workspace is the root of what is followed.
            ContainerFiles following = files.followingLinks();
            for (String link : List.of("/abs", "/rel", "/root/etc/passwd")) {
                assertThat(following.read(link, LIMIT)).isEqualTo(bytes("inside\n"));
            }
            assertCode("FILE_NOT_FOUND", () -> following.read("/magic", LIMIT));
            assertCode("FILE_NOT_FOUND", () -> following.read("/sh", LIMIT));
        }
    }

    @Test
    void a_read_only_mount_cannot_be_written_to() throws InterruptedException {
        Workspace box = make("readonly");
        sh(box, "echo kept >/work/file");

        RunResult result = engine.run(ContainerSpec.onHost("sh", "-c", "cat /in/file; echo x >/in/file")
                .mount(box.readOnlyAt("/in")));

        assertThat(result.stdout()).isEqualTo("kept\n");
        assertThat(result.stderr()).contains("Read-only file system");
    }

    /// A lease would keep others from opening the file for as long as 45 s.
    @Test
    void a_container_cannot_hold_up_the_others_by_a_lease_and_gets_no_rights_by_a_file() throws InterruptedException {
        Workspace box = make("leases");
        RunResult result = sh(
                box,
                "cd /work; echo x >f; perl -e 'open(F, \"<\", \"f\"); fcntl(F, 1024, 0) or print \"$!\\n\"'; cp /usr/bin/id id;"
                        + " chmod 4755 id && stat -c %a id; grep ' /work ' /proc/self/mountinfo | cut -d' ' -f6");

        assertThat(result.stdout()).isEqualTo("Operation not permitted\n4755\nrw,nosuid,nodev,relatime,idmapped\n");
    }

    @Test
    void several_containers_and_engines_share_one_at_once() throws Exception {
        Workspace box = make("shared");
        try (Engine other = Engine.open(OPTIONS);
                Session one = engine.session(ContainerSpec.onHost().mount(box.at("/work")));
                Session two =
                        other.session(ContainerSpec.onHost().mount(box.at("/w")).mount(box.readOnlyAt("/r")));
                ContainerFiles files = engine.files(box.name())) {
            for (int i = 0; i < 20; i++) {
                String number = i + "\n";
                one.exec(Exec.of("sh", "-c", "echo " + i + " >/work/number"));
                assertThat(two.exec(Exec.of("cat", "/r/number")).stdout()).isEqualTo(number);
                assertThat(files.read("/number", LIMIT)).isEqualTo(bytes(number));
                two.exec(Exec.of("rm", "/w/number"));
            }
            assertThat(attached()).hasSizeLessThan(2); // two devices on one file would be two file systems
        }
    }

    @Test
    void a_watch_sees_what_a_container_does() throws InterruptedException {
        Workspace box = make("watched");
        var events = new LinkedBlockingQueue<FileEvent>();
        try (ContainerFiles files = engine.files(box.name());
                FileWatch _ = files.watch("/", events::add)) {
            sh(box, "echo x >/work/new");

            assertThat(events.poll(5, TimeUnit.SECONDS)).isEqualTo(new FileEvent(FileEvent.Kind.CREATED, "new"));
        }
    }

    @Test
    void trees_are_copied_in_and_out(@TempDir Path directory) throws IOException, InterruptedException {
        Workspace box = make("copies");
        Path from = Files.createDirectories(directory.resolve("from/a"));
        Files.writeString(from.resolve("file"), "content");
        try (ContainerFiles files = engine.files(box.name())) {
            files.copyIn(directory.resolve("from"), "/in");
            assertThat(sh(box, "cat /work/in/a/file; echo more >/work/in/b; ln -s /etc/shadow /work/in/link")
                            .stdout())
                    .isEqualTo("content");
            files.copyOut("/in", directory.resolve("to"), LIMIT);
        }
        assertThat(directory.resolve("to/a/file")).hasContent("content");
        assertThat(directory.resolve("to/b")).hasContent("more\n");
        assertThat(directory.resolve("to/link")).isSymbolicLink();
    }

    @Test
    void one_that_is_in_use_is_not_removed() throws InterruptedException {
        Workspace box = make("used");
        try (Session _ = engine.session(ContainerSpec.onHost().mount(box.at("/work")))) {
            assertCode("WORKSPACE_IN_USE", () -> engine.workspaces().remove(box.name()));
            assertThat(engine.workspaces().prune()).isEmpty();
            assertThat(engine.workspaces().use(box.name()).inUse()).isTrue();
        }
        try (ContainerFiles files = engine.files(box.name())) {
            files.write("/x", bytes("x"));
            assertCode("WORKSPACE_IN_USE", () -> engine.workspaces().remove(box.name()));
        }
        assertThat(engine.workspaces().use(box.name()).inUse()).isFalse();

        engine.workspaces().remove(box.name());

        assertCode("WORKSPACE_UNKNOWN", () -> engine.workspaces().remove(box.name()));
        assertCode("WORKSPACE_UNKNOWN", () -> engine.files(box.name()));
        assertCode("WORKSPACE_UNKNOWN", () -> sh(box, "true"));
        assertThat(make("used").name()).isEqualTo(box.name());
    }

    @Test
    void a_container_that_outlives_its_engine_keeps_it() throws InterruptedException {
        Workspace box = make("outlived");
        DetachedContainer container;
        try (Engine other = Engine.open(OPTIONS)) {
            container = other.create(
                    ContainerSpec.onHost("sh", "-c", "echo run >>/work/runs; exec sleep 100")
                            .mount(box.at("/work")),
                    DetachedOptions.STANDARD);
            assertCode("WORKSPACE_IN_USE", () -> engine.workspaces().remove(box.name()));
            container.start();
        }
        try (ContainerFiles files = engine.files(box.name());
                ContainerFiles inside = engine.files(container.id().value())) {
            awaitRuns(files, "run\n");
            assertThat(inside.read("/work/runs", LIMIT)).isEqualTo(bytes("run\n"));
            container.restart(OptionalInt.of(9), Optional.empty());
            awaitRuns(files, "run\nrun\n");
        }
        container.signal(9);
        assertCode("WORKSPACE_IN_USE", () -> engine.workspaces().remove(box.name()));
        container.remove(true);

        engine.workspaces().remove(box.name());
    }

    private static void awaitRuns(ContainerFiles files, String runs) throws InterruptedException {
        for (int i = 0; i < 100; i++) {
            if (files.list("/").stream().anyMatch(entry -> entry.name().equals("runs"))
                    && new String(files.read("/runs", LIMIT), StandardCharsets.UTF_8).equals(runs)) {
                return;
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
        assertThat(files.read("/runs", LIMIT)).isEqualTo(bytes(runs));
    }

    @Test
    void it_stays_when_the_engine_ends_and_needs_none() throws InterruptedException {
        try (Engine other = Engine.open(OPTIONS)) {
            Workspace box =
                    other.workspaces().create(WorkspaceSpec.named("stays").size("32m"));
            other.run(ContainerSpec.onHost("sh", "-c", "echo kept >/w/file").mount(box.at("/w")));
        }
        Workspaces all = Workspaces.of(OPTIONS);
        Workspace found = all.get("stays");
        assertThat(all.list()).containsExactly(found);
        assertThat(found.size()).isEqualTo(Bytes.mebibytes(32));
        try (ContainerFiles files = engine.files(found.name())) {
            assertThat(files.read("/file", LIMIT)).isEqualTo(bytes("kept\n"));
        }
        assertCode("WORKSPACE_EXISTS", () -> make("stays"));
    }

    /// Where nobody uses it, it costs disk alone: no device, no mount, no memory that somebody is charged for.
    @Test
    void what_is_removed_is_given_back_to_the_disk_and_an_unused_one_costs_nothing_else() throws Exception {
        Workspace box = make("cost");
        long empty = engine.workspaces().use(box.name()).onDisk().count();
        assertThat(empty).isLessThan(8 << 20);
        sh(box, "head -c 16m /dev/urandom >/work/fill; sync /work/fill");
        long full = engine.workspaces().use(box.name()).onDisk().count();
        assertThat(full - empty).isGreaterThan(15 << 20);

        sh(box, "rm /work/fill; sync /work");

        assertThat(disks()).isEmpty();
        assertThat(engine.workspaces().use(box.name()).onDisk().count()).isLessThan(empty + (4 << 20));
    }

    /// A container that writes is charged for the pages; they are written back or taken away at its own limit.
    @Test
    void what_a_container_writes_is_charged_to_it_and_ends_at_its_limit() throws InterruptedException {
        Workspace box =
                engine.workspaces().create(WorkspaceSpec.named("charged").size("256m"));
        try (Container container = engine.start(
                ContainerSpec.onHost("sh", "-c", "head -c 128m /dev/zero >/work/fill && exec sleep 100")
                        .memory("64m")
                        .mount(box.at("/work")),
                Streams.capture())) {
            long most = 0;
            for (int i = 0;
                    i < 200 && engine.workspaces().use(box.name()).used().count() < 128 << 20;
                    i++) {
                most = Math.max(most, memory(container));
                TimeUnit.MILLISECONDS.sleep(20);
            }
            most = Math.max(most, memory(container));
            assertThat(container.hasEnded()).isFalse(); // it was not killed for it
            assertThat(most).isBetween(16L << 20, 64L << 20);
        }
    }

    private static long memory(Container container) {
        return container.usage().group().memory().orElseThrow().current().count();
    }

    @Test
    void what_was_not_finished_goes_with_the_next_and_what_is_being_made_stays() throws Exception {
        make("first");
        Path all = OPTIONS.data().resolve("workspaces");
        try (Stream<Path> parents = Files.walk(all)) {
            Path first =
                    parents.filter(path -> path.endsWith("first")).findFirst().orElseThrow();
            Path left = first.resolveSibling(".0123456789abcdef");
            Path deep = Files.createDirectories(left.resolve("files/deep"));
            Files.writeString(deep.resolve("file"), "content");

            make("second");

            assertThat(left).doesNotExist();
            assertThat(first).exists();
        }
    }

    @Test
    void names_and_sizes_that_are_none_are_refused() {
        for (String name : List.of("", ".", "..", ".hidden", "a/b", "x".repeat(65), "a b", "a\n")) {
            assertCode("ARGUMENT_INVALID", () -> engine.workspaces().get(name));
        }
        assertCode("ARGUMENT_INVALID", () -> WorkspaceSpec.named("a").size("15m"));
        assertCode("ARGUMENT_INVALID", () -> WorkspaceSpec.named("a").inodes(63));
        assertCode(
                "STORAGE_FULL",
                () -> engine.workspaces().create(WorkspaceSpec.named("a").size(Bytes.gibibytes(1 << 20))));
        assertCode("WORKSPACE_UNKNOWN", () -> engine.workspaces().get("none"));
    }
}
