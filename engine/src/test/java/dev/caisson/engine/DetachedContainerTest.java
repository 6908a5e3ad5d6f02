package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.LogEntry;
import dev.caisson.state.LogReader;
import dev.caisson.state.State;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers that outlive the engine that created them.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class DetachedContainerTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("detached"), OwnDirectories.data("detached"));
    private static final int TERM = 15;
    private static final int KILL = 9;

    @AfterEach
    void removeAll() throws Exception {
        for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
            new DetachedContainer(place).remove(true);
        }
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
        assertThat(OPTIONS.state().resolve("names")).isEmptyDirectory();
    }

    private static DetachedContainer created(String name, DetachedOptions wanted, String script) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            return engine.create(ContainerSpec.onHost("sh", "-c", script).name(name), wanted);
        }
    }

    private static DetachedContainer created(String name, String script) throws Exception {
        return created(name, DetachedOptions.STANDARD, script);
    }

    /// Returns the monitors that hold something of this test's directories.
    private static List<Long> monitors() {
        return ProcessHandle.allProcesses()
                .filter(process -> {
                    try (var files = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
                        return process.pid() != ProcessHandle.current().pid() && files.anyMatch(file -> isOurs(file));
                    } catch (IOException | UncheckedIOException e) {
                        return false; // it has ended
                    }
                })
                .map(ProcessHandle::pid)
                .toList();
    }

    private static boolean isOurs(Path file) {
        try {
            return Files.readSymbolicLink(file).toString().startsWith(OPTIONS.state() + "/engines/");
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void nobody_is_left_of_a_container_whose_creation_was_interrupted() throws Exception {
        var unexpected = new ConcurrentLinkedQueue<Throwable>();
        int interrupted = 0;
        try (Engine engine = Engine.open(OPTIONS)) {
            for (int i = 0; i < 60; i++) {
                var made = new AtomicReference<DetachedContainer>();
                Thread thread = Thread.ofPlatform().start(() -> {
                    try {
                        made.set(engine.create(ContainerSpec.onHost("true"), DetachedOptions.STANDARD));
                    } catch (InterruptedException e) {
                        // as it should be
                    } catch (Throwable e) {
                        unexpected.add(e);
                    }
                });
                TimeUnit.MICROSECONDS.sleep(ThreadLocalRandom.current().nextInt(60_000));
                thread.interrupt();
                thread.join();
                if (made.get() == null) {
                    interrupted++;
                } else {
                    made.get().remove(true);
                }
            }
        }
        assertThat(unexpected).isEmpty();
        assertThat(interrupted).isPositive();
        await(() -> monitors().isEmpty());
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long begun = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(10));
            Thread.sleep(20);
        }
    }

    private static DetachedContainer find(String name) {
        return DetachedContainer.find(name, OPTIONS).orElseThrow();
    }

    private static String log(DetachedContainer container) throws InterruptedException {
        var text = new StringBuilder();
        try (LogReader log = container.log(OptionalLong.empty())) {
            for (List<LogEntry> next = log.next(); !next.isEmpty(); next = log.next()) {
                next.forEach(entry -> text.append(entry.text()));
            }
        }
        return text.toString();
    }

    private static void awaitLog(DetachedContainer container, String expected) throws InterruptedException {
        long begun = System.nanoTime();
        while (!log(container).contains(expected)) {
            assertThat(System.nanoTime() - begun).as(log(container)).isLessThan(TimeUnit.SECONDS.toNanos(30));
            Thread.sleep(20);
        }
    }

    @Test
    void one_runs_on_after_its_engine_and_is_stopped_started_and_removed_by_its_name() throws Exception {
        DetachedContainer made = created(
                "web",
                "trap 'echo asked; exit 3' TERM; echo up >> /count; cat /count; echo ready; while :; do sleep 0.1; done");
        assertThat(made.state()).isInstanceOf(ContainerState.Created.class);

        made.start();
        awaitLog(find("web"), "ready");
        assertThat(find("web").state()).isInstanceOf(ContainerState.Running.class);
        assertThat(find(made.id().shortForm()).name()).isEqualTo("web");
        assertThatThrownBy(() -> find("web").remove(false)).hasMessageContaining("container is running");
        find("web").start(); // it runs already

        find("web").stop(OptionalInt.empty(), Optional.empty());

        assertThat(find("web").state().lastEnd().orElseThrow().status()).isEqualTo(3);
        assertThat(log(find("web"))).isEqualTo("up\nready\nasked\n");
        assertThat(find("web").await().orElseThrow().status()).isEqualTo(3);
        assertThatThrownBy(() -> find("web").signal(TERM)).hasMessageContaining("is not running");

        find("web").start(); // with what it had written
        awaitLog(find("web"), "up\nup\nready");
        find("web").signal(KILL);
        assertThat(find("web").await().orElseThrow().status()).isEqualTo(137);

        find("web").remove(false);
        assertThat(DetachedContainer.find("web", OPTIONS)).isEmpty();
    }

    @Test
    void what_cannot_be_run_is_refused_as_a_launch_refuses_it_and_stays_created() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer made =
                    engine.create(ContainerSpec.onHost("no-such-program").name("none"), DetachedOptions.STANDARD);

            assertThatThrownBy(made::start)
                    .hasMessageContaining("no-such-program")
                    .extracting(e -> ((dev.caisson.error.CaissonException) e).exitStatus())
                    .isEqualTo(127);

            assertThat(made.state()).isInstanceOf(ContainerState.Created.class);
            assertThatThrownBy(() -> engine.create(ContainerSpec.onHost("true").name("none"), DetachedOptions.STANDARD))
                    .hasMessageContaining("name");
        }
    }

    /// A monitor hands a descriptor of the program's first process with each start.
    @Test
    void what_is_asked_of_a_monitor_leaves_no_descriptor_open() throws Exception {
        DetachedContainer made = created("often", "exec sleep 1000");
        startAndKill(made);
        long before = descriptors();

        for (int run = 0; run < 6; run++) {
            startAndKill(made);
        }

        assertThat(descriptors()).isLessThanOrEqualTo(before + 2); // others in this process open files too
    }

    private static void startAndKill(DetachedContainer container) throws Exception {
        container.start();
        container.signal(KILL);
        assertThat(container.await().orElseThrow().status()).isEqualTo(137);
    }

    private static long descriptors() throws Exception {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }

    @Test
    void containers_of_different_engines_share_the_memory_of_their_monitors_program() throws Exception {
        DetachedContainer one = created("one", "exec sleep 1000");
        one.start();
        DetachedContainer other = created("other", "exec sleep 1000");
        other.start();

        assertThat(program(other)).isEqualTo(program(one));
    }

    private static Object program(DetachedContainer container) throws Exception {
        long monitor = ProcessHandle.of(container.state().pid())
                .flatMap(ProcessHandle::parent)
                .orElseThrow()
                .pid();
        return Files.getAttribute(Path.of("/proc/" + monitor + "/exe"), "unix:ino");
    }

    @Test
    void one_more_program_runs_in_it_also_after_its_policy_has_started_it_again() throws Exception {
        DetachedContainer made = created(
                "again", DetachedOptions.STANDARD.restart(RestartPolicy.parse("always")), "echo up; exec sleep 1000");
        made.start();
        awaitLog(made, "up");
        try (Engine engine = Engine.open(OPTIONS)) {
            assertThat(engine.exec("again", Exec.of("echo", "first"), Streams.capture())
                            .stdout())
                    .isEqualTo("first\n");
            int before = made.state().pid();
            engine.exec("again", Exec.of("sh", "-c", "kill -KILL 2"), Streams.capture());
            awaitLog(made, "up\nup");
            assertThat(made.state().pid()).isNotEqualTo(before);

            assertThat(engine.exec("again", Exec.of("echo", "second"), Streams.capture())
                            .stdout())
                    .isEqualTo("second\n");
        }
    }

    @Test
    void one_that_does_not_run_cannot_be_verified_and_is_not_said_to_be_unknown() throws Exception {
        DetachedContainer made = created("idle", "sleep 1000");
        assertRefused("CONTAINER_NOT_RUNNING", () -> Verification.of("idle", OPTIONS));
        made.start();
        assertThat(Verification.of("idle", OPTIONS).isAsPlanned()).isTrue();
        made.pause();
        assertThat(Verification.of("idle", OPTIONS).id()).isEqualTo(made.id().value());
        made.signal(KILL);
        assertThat(made.await()).isPresent();
        assertRefused("CONTAINER_NOT_RUNNING", () -> Verification.of("idle", OPTIONS));
        assertRefused("CONTAINER_UNKNOWN", () -> Verification.of("none", OPTIONS));
    }

    private static void assertRefused(String code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void it_is_frozen_renamed_and_started_again() throws Exception {
        DetachedContainer made = created("first", "while :; do echo tick; sleep 0.05; done");
        made.start();
        awaitLog(made, "tick");

        made.pause();
        assertThat(find("first").state()).isInstanceOf(ContainerState.Paused.class);
        assertThatThrownBy(made::pause).hasMessageContaining("already paused");
        assertThatThrownBy(made::start).hasMessageContaining("try unpause instead");
        assertThatThrownBy(() -> made.remove(false)).hasMessageContaining("must be unpaused first");
        made.resume();
        assertThatThrownBy(made::resume).hasMessageContaining("is not paused");

        assertRefused("NAME_INVALID", () -> made.rename("../first"));
        made.rename("second");
        assertThat(DetachedContainer.find("first", OPTIONS)).isEmpty();
        int pid = find("second").state().pid();

        find("second").restart(OptionalInt.of(KILL), Optional.empty());

        assertThat(find("second").state()).isInstanceOf(ContainerState.Running.class);
        assertThat(find("second").state().pid()).isNotEqualTo(pid);
        created("first", "true").remove(false); // the name is free again
    }

    @Test
    void its_policy_starts_it_again_until_it_is_stopped() throws Exception {
        DetachedContainer made = created(
                "again", DetachedOptions.STANDARD.restart(RestartPolicy.parse("on-failure:2")), "echo run; exit 7");
        made.start();

        assertThat(made.await().orElseThrow().status()).isEqualTo(7);

        assertThat(log(made)).isEqualTo("run\nrun\nrun\n");
        assertThat(made.restarts()).isEqualTo(2);
    }

    @Test
    void a_lost_monitor_ends_the_container_and_the_next_command_clears_up() throws Exception {
        DetachedContainer made = created("lost", "echo ready; sleep 1000");
        made.start();
        awaitLog(made, "ready");
        int pid = made.state().pid();
        int monitor = Integer.parseInt(Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                .filter(line -> line.startsWith("PPid:"))
                .findFirst()
                .orElseThrow()
                .substring(5)
                .strip());

        new ProcessBuilder("kill", "-9", Integer.toString(monitor)).start().waitFor();
        long begun = System.nanoTime();
        while (ProcessHandle.of(pid).isPresent()) {
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(20));
            Thread.sleep(10);
        }
        Leftovers.clear(OPTIONS);

        assertThat(made.state()).isEqualTo(new ContainerState.Lost(ContainerState.Lost.Cause.MONITOR_KILLED));
        assertThatThrownBy(made::pause).hasMessageContaining("is not running");
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
        made.remove(false);
    }

    @Test
    void one_that_is_removed_at_its_end_or_not_renewed_is_gone_with_the_next_command() throws Exception {
        DetachedContainer brief = created("brief", DetachedOptions.STANDARD.removedAtEnd(true), "true");
        brief.start();
        DetachedContainer leased =
                created("leased", DetachedOptions.STANDARD.lease(Duration.ofSeconds(1)), "sleep 1000");
        leased.start();
        leased.renew(Duration.ofMillis(300));
        brief.await();
        leased.await();

        Leftovers.clear(OPTIONS);

        assertThat(DetachedContainer.find("brief", OPTIONS)).isEmpty();
        assertThat(DetachedContainer.find("leased", OPTIONS)).isEmpty();
    }

    @Test
    void one_that_was_never_started_is_gone_with_the_next_command_when_its_lease_is_over() throws Exception {
        created("leased", DetachedOptions.STANDARD.lease(Duration.ofMillis(300)), "sleep 1000");
        created("other", "sleep 1000");
        long begun = System.nanoTime();

        while (DetachedContainer.find("leased", OPTIONS).isPresent()) {
            Leftovers.clear(OPTIONS);
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(20));
            Thread.sleep(10);
        }

        assertThat(find("other").state()).isInstanceOf(ContainerState.Created.class);
    }

    @Test
    void who_attaches_reads_what_comes_from_then_on_and_writes_its_input() throws Exception {
        DetachedContainer made;
        try (Engine engine = Engine.open(OPTIONS)) {
            made = engine.create(
                    ContainerSpec.onHost("sh", "-c", "read line; echo got $line; read rest; echo end; exit 4")
                            .interactive(true)
                            .name("talk"),
                    DetachedOptions.STANDARD);
        }
        var said = new ArrayList<String>();
        try (Attachment attachment = made.attachBeforeStart()) {
            made.start();
            attachment.write("hello\n".getBytes(java.nio.charset.StandardCharsets.UTF_8), 6);
            attachment.endInput();

            ContainerState end = attachment.follow(entries -> entries.forEach(e -> said.add(e.text())), () -> true);

            assertThat(end.lastEnd().orElseThrow().status()).isEqualTo(4);
        }
        assertThat(said).containsExactly("got hello\n", "end\n");
    }

    @Test
    void whoever_writes_more_than_a_pipe_holds_waits_and_nothing_is_lost() throws Exception {
        byte[] bytes = new byte[(3 << 20) + 5];
        new Random(1).nextBytes(bytes);
        int count = bytes.length - 2;
        String digest =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Arrays.copyOf(bytes, count)));
        DetachedContainer made;
        try (Engine engine = Engine.open(OPTIONS)) {
            made = engine.create(
                    ContainerSpec.onHost("sh", "-c", "sleep 0.3; sha256sum; sleep 0.3")
                            .interactive(true)
                            .name("reader"),
                    DetachedOptions.STANDARD);
        }
        var said = new ArrayList<String>();
        try (Attachment attachment = made.attachBeforeStart()) {
            made.start();
            assertThat(attachment.write(bytes, 0)).isTrue();
            assertThat(attachment.write(bytes, count)).isTrue();
            attachment.endInput();
            assertThat(attachment.write(bytes, 1)).isFalse();
            for (int wrong : new int[] {-1, bytes.length + 1}) {
                assertThatThrownBy(() -> attachment.write(bytes, wrong))
                        .isInstanceOfSatisfying(
                                CaissonException.class,
                                e -> assertThat(e.code()).isEqualTo("ARGUMENT_INVALID"));
            }
            attachment.follow(entries -> entries.forEach(e -> said.add(e.text())), () -> true);
        }
        assertThat(said).containsExactly(digest + "  -\n");
    }
}
