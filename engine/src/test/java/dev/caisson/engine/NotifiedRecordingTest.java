package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ProgressListener;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.RecordedProfile;
import dev.caisson.seccomp.Target;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Denial;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.watch.DenialLog;
import dev.caisson.watch.DenialSubject;
import dev.caisson.watch.Listeners;
import dev.caisson.watch.LiveFilters;
import dev.caisson.watch.SyscallRecorder;
import dev.caisson.watch.WatchException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Recording where the kernel takes no eBPF program: the container's own filter asks about every call.
@Timeout(60)
class NotifiedRecordingTest extends BusyboxEngine {
    private static final String WORKLOAD = "ls -l / >/dev/null; cat /etc/none 2>/dev/null; (exit 3); "
            + "mount -t tmpfs none /tmp 2>/dev/null; mkdir /tmp/made; echo done";

    /// Allowed without a question, so that only eBPF sees them.
    private static final Set<String> BASE =
            Set.of("execveat", "exit", "exit_group", "rt_sigreturn", "restart_syscall", "futex", "sched_yield");

    private record Recorded(RunResult result, SyscallRecorder.Way way, SyscallRecorder.Recording recording) {}

    @Test
    void a_recording_has_the_calls_that_ebpf_sees_and_none_of_the_launch() throws Exception {
        Recorded notified = record(notified("sh", "-c", WORKLOAD));
        Recorded traced = record(busybox("sh", "-c", WORKLOAD));

        assertThat(notified.way()).isEqualTo(SyscallRecorder.Way.NOTIFICATION);
        assertThat(traced.way()).isEqualTo(SyscallRecorder.Way.EBPF);
        assertThat(notified.result().stdout()).isEqualTo("done\n");
        Set<String> seen = new HashSet<>(traced.recording().made().keySet());
        seen.removeAll(BASE);
        assertThat(notified.recording().made().keySet())
                .containsExactlyInAnyOrderElementsOf(seen)
                .doesNotContain("execveat", "seccomp", "setsid", "close_range");
        assertThat(notified.recording().denied().keySet())
                .contains("mount")
                .containsExactlyInAnyOrderElementsOf(traced.recording().denied().keySet());
        assertThat(notified.recording().made().get("execve"))
                .isEqualTo(traced.recording().made().get("execve"));
    }

    @Test
    void what_the_profile_denies_stays_denied_and_is_told() throws Exception {
        Recorded recorded = record(notified("sh", "-c", "mount -t tmpfs none /tmp; unshare -U true"));

        assertThat(recorded.result().stderr()).contains("permission denied").contains("Operation not permitted");
        assertThat(recorded.result().denials())
                .extracting(Denial::answer)
                .hasSize(2)
                .containsOnly("ERRNO(EPERM)");
    }

    @Test
    void the_program_runs_under_the_profile_that_was_recorded_and_is_kept_from_more() throws Exception {
        String script = "ls -l / >/dev/null; cat /etc/none 2>/dev/null; echo done";
        var target = new Target(Architecture.host(), KernelVersion.parse(System.getProperty("os.version")), 0x405fbL);
        Profile profile = RecordedProfile.of(
                Optional.of(Profile.standard()),
                target,
                record(notified("sh", "-c", script)).recording().made().keySet());
        var choice = new SeccompChoice.Custom("recorded", profile);

        for (int run = 0; run < 5; run++) {
            assertThat(engine.run(busybox("sh", "-c", script).seccomp(choice)).stdout())
                    .isEqualTo("done\n");
        }
        assertThat(engine.run(busybox("sh", "-c", "mkdir /tmp/made").seccomp(choice))
                        .stderr())
                .contains("Operation not permitted");
    }

    @Test
    void a_container_without_a_filter_is_recorded_too() throws Exception {
        ContainerSpec spec = busybox("sh", "-c", WORKLOAD)
                .seccomp(new SeccompChoice.Watched(new SeccompChoice.Unconfined(), SeccompChoice.Watch.RECORD))
                .allow(Allowance.UNCONFINED_SECCOMP);

        Recorded recorded = record(spec);

        assertThat(recorded.result().stdout()).isEqualTo("done\n");
        assertThat(recorded.recording().made()).containsKeys("mount", "mkdir", "execve");
        assertThat(recorded.recording().denied()).isEmpty();
    }

    /// 1,280 answers a second would do for none of it.
    @Test
    void the_limit_of_answers_is_for_denied_calls_only() throws Exception {
        Recorded recorded = record(notified("dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=20000"));

        assertThat(recorded.recording().made().getOrDefault("write", 0L)).isGreaterThanOrEqualTo(20_000);
        assertThat(recorded.result().wallClock()).isLessThan(java.time.Duration.ofSeconds(20));
    }

    @Test
    void without_the_listener_no_call_passes() throws Exception {
        Container container = engine.start(
                notified("sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.02; done; echo opened"), Streams.capture());
        int program = LiveFilters.programOf(container.id().value(), OPTIONS.data(), OPTIONS.state());
        while (!Files.readString(Path.of("/proc/" + program + "/comm")).equals("sh\n")) {
            Thread.sleep(5);
        }
        container.stopAnswering();
        try {
            Files.createFile(Path.of("/proc/" + program + "/root/tmp/go"));
        } catch (NoSuchFileException _) {
            // a call that nobody answered has ended it
        }
        Thread.sleep(300);
        container.kill();

        assertThat(container.await().stdout()).isEmpty();
    }

    @Test
    void a_question_that_cannot_be_answered_ends_the_container_and_breaks_the_recording() throws Exception {
        byte[] noInstruction = {0x7f, 0x7f, 0, 0, 0, 0, 0, 0};
        var opened = new AtomicReference<@Nullable SyscallRecorder>();
        try (var listeners = new Listeners(() -> {}, _ -> {})) {
            var broken = new DenialLog(
                    new DenialSubject(
                            Filter.of(Architecture.host(), noInstruction),
                            Profile::standard,
                            new Target(Architecture.host(), new KernelVersion(6, 1), 0L),
                            SeccompChoice.Watch.RECORD),
                    listeners);
            Consumer<Container> standing = container -> {
                container.answeredBy(broken);
                opened.set(Recordings.ofStanding(container));
            };

            RunResult result = engine.start(notified("ls", "/"), Streams.capture(), ProgressListener.none(), standing)
                    .await();

            assertThat(result.verdict()).isEqualTo(Verdict.KILLED);
            assertThat(result.stdout()).isEmpty();
            assertThatThrownBy(
                            () -> java.util.Objects.requireNonNull(opened.get()).recording())
                    .isInstanceOfSatisfying(
                            WatchException.class, e -> assertThat(e.code()).isEqualTo("RECORDING_BROKEN"));
        }
    }

    @Test
    void a_filter_that_is_loaded_before_the_program_is_no_recorder() {
        assertThatThrownBy(() -> engine.run(notified("true").newPrivileges(true).allow(Allowance.NEW_PRIVILEGES)))
                .isInstanceOfSatisfying(
                        WatchException.class, e -> assertThat(e.code()).isEqualTo("NOT_WATCHABLE"));
    }

    private ContainerSpec notified(String... command) {
        return busybox(command)
                .seccomp(new SeccompChoice.Watched(new SeccompChoice.Standard(), SeccompChoice.Watch.RECORD));
    }

    private Recorded record(ContainerSpec spec) throws InterruptedException {
        var opened = new AtomicReference<@Nullable SyscallRecorder>();
        Container container = engine.start(
                spec,
                Streams.capture(),
                ProgressListener.none(),
                standing -> opened.set(Recordings.ofStanding(standing)));
        RunResult result = container.await();
        try (SyscallRecorder recorder = java.util.Objects.requireNonNull(opened.get())) {
            return new Recorded(result, recorder.way(), recorder.recording());
        }
    }
}
