package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Denial;
import dev.caisson.spec.SeccompChoice;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The monitor of a container that outlives its command answers what the filter asks, and notes what was denied.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class DetachedDenialTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("denials"), OwnDirectories.data("denials"));
    private static final SeccompChoice WATCHED =
            new SeccompChoice.Watched(new SeccompChoice.Standard(), SeccompChoice.Watch.TELL);
    private static final int UNSHARE = System.getProperty("os.arch").equals("amd64") ? 272 : 97;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @AfterEach
    void remove() throws InterruptedException {
        for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
            new DetachedContainer(place).remove(true);
        }
    }

    private static DetachedContainer started(SeccompChoice choice, String... command) throws InterruptedException {
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer box =
                    engine.create(ContainerSpec.onHost(command).name("box").seccomp(choice), DetachedOptions.STANDARD);
            box.start();
            return box;
        }
    }

    private static List<Denial> denials() {
        return KeptContainer.find("box", OPTIONS).denials();
    }

    private static List<Denial> denialsAtEnd(DetachedContainer box) throws InterruptedException {
        assertThat(box.await(PATIENCE).lastEnd()).isPresent();
        List<Denial> atEnd =
                KeptContainer.find("box", OPTIONS).result().orElseThrow().denials();
        assertThat(atEnd).isEqualTo(denials());
        return atEnd;
    }

    @Test
    void denied_calls_are_noted_once_each_with_their_number_while_no_engine_is_there() throws Exception {
        DetachedContainer box = started(
                WATCHED,
                "sh",
                "-c",
                "for i in 1 2 3 4 5; do unshare -m true; done 2>/dev/null; unshare -U true; exit 3");

        List<Denial> denials = denialsAtEnd(box);
        assertThat(box.state().lastEnd().orElseThrow().code()).isEqualTo(3);
        assertThat(denials).hasSize(2);
        assertThat(denials.getFirst().call()).contains("unshare(CLONE_NEWNS)");
        assertThat(denials.getFirst().answer()).isEqualTo("ERRNO(EPERM)");
        assertThat(denials.getFirst().count()).isEqualTo(5);
        assertThat(String.join(" ", denials.getFirst().reasons())).contains("--cap-add SYS_ADMIN");
        assertThat(denials.getLast().call()).contains("unshare(CLONE_NEWUSER)");
        assertThat(denials.getLast().count()).isEqualTo(1);
    }

    @Test
    void they_are_there_while_it_runs_and_after_another_start() throws Exception {
        DetachedContainer box = started(WATCHED, "sh", "-c", "unshare -U true; sleep 1000");
        awaitCount(1);
        assertThat(denials()).singleElement().extracting(Denial::count).isEqualTo(1L);

        box.stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
        box.start();
        awaitCount(2);
        assertThat(denials()).singleElement().extracting(Denial::count).isEqualTo(2L);
    }

    @Test
    void they_stay_when_its_monitor_is_killed_and_another_one_goes_on() throws Exception {
        DetachedContainer box = started(WATCHED, "sh", "-c", "unshare -U true; sleep 1000");
        awaitCount(1);
        try (var monitor =
                DetachedPlace.find("box", OPTIONS).orElseThrow().connect().orElseThrow()) {
            ProcessHandle process =
                    ProcessHandle.of(monitor.state().monitorPid()).orElseThrow();
            process.destroyForcibly();
            process.onExit().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }

        box.start();
        awaitCount(2);
        assertThat(denials()).singleElement().extracting(Denial::count).isEqualTo(2L);
    }

    private static void awaitCount(long least) throws InterruptedException {
        long begun = System.nanoTime();
        while (denials().stream().noneMatch(denial -> denial.count() >= least)) {
            assertThat(System.nanoTime() - begun).isLessThan(PATIENCE.toNanos());
            Thread.sleep(20);
        }
    }

    @Test
    void one_that_is_denied_nothing_has_none_and_a_quiet_one_notes_nothing() throws Exception {
        DetachedContainer box = started(WATCHED, "sh", "-c", "cat /etc/none 2>/dev/null; exit 4");
        assertThat(denialsAtEnd(box)).isEmpty();
        assertThat(box.state().lastEnd().orElseThrow().code()).isEqualTo(4);
        box.remove(true);

        assertThat(denialsAtEnd(started(new SeccompChoice.Standard(), "sh", "-c", "unshare -U true; exit 4")))
                .isEmpty();
    }

    @Test
    void whoever_asks_without_end_waits_and_its_monitor_still_answers() throws Exception {
        DetachedContainer box = started(
                WATCHED,
                "perl",
                "-e",
                "my $n = 0; my $end = time + 2; while (time < $end) { syscall(%d, 0x10000000); $n++ } print qq($n\\n)"
                        .formatted(UNSHARE));
        long begun = System.nanoTime();
        box.pause();
        box.resume();
        assertThat(System.nanoTime() - begun).isLessThan(Duration.ofSeconds(2).toNanos());

        long count = denialsAtEnd(box).getFirst().count();
        assertThat(count).isBetween(1L, 64L * 20 * 4);
        assertThat(Files.readString(box.logPath().orElseThrow())).contains(Long.toString(count));
    }

    @Test
    void ever_new_kinds_are_counted_only() throws Exception {
        DetachedContainer box = started(
                WATCHED,
                "perl",
                "-e",
                "for my $flags (1 .. 200) { syscall(%d, 0x10000000 | $flags) } exit 0".formatted(UNSHARE));

        List<Denial> denials = denialsAtEnd(box);
        assertThat(denials).hasSize(65);
        assertThat(denials.getLast().count()).isEqualTo(200 - 64);
    }

    @Test
    void a_program_under_a_profile_that_does_not_let_it_send_messages_is_denied_in_silence() throws Exception {
        String json =
                "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"sendmsg\",\"unshare\"],\"action\":\"SCMP_ACT_ERRNO\"}]}";
        var custom = new SeccompChoice.Custom("own", json);
        DetachedContainer box = started(
                new SeccompChoice.Watched(custom, SeccompChoice.Watch.TELL), "sh", "-c", "unshare -U true; exit $?");

        assertThat(denialsAtEnd(box)).isEmpty();
        assertThat(box.state().lastEnd().orElseThrow().code()).isEqualTo(1);
    }
}
