package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.image.ProgressListener;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.ProfileMerge;
import dev.caisson.seccomp.RecordedProfile;
import dev.caisson.seccomp.Target;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.watch.SyscallRecorder;
import dev.caisson.watch.WatchException;
import java.util.ArrayList;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SyscallRecorderTest extends BusyboxEngine {
    private static final String WORKLOAD = "ls -l / >/dev/null; cat /etc/passwd 2>/dev/null | wc -l; (true); echo done";

    @Test
    void a_recording_holds_the_workload_and_not_the_launch() throws Exception {
        SyscallRecorder.Recording recording = record(busybox("true"));

        assertThat(recording.made().keySet()).contains("exit_group").hasSizeLessThan(30);
        // init's calls, before the program and after it
        assertThat(recording.made().keySet())
                .doesNotContain("execveat", "seccomp", "wait4", "ppoll", "setsid", "close_range", "signalfd4");
        assertThat(recording.foreign()).isZero();
    }

    @Test
    void a_denied_call_is_told_apart() throws Exception {
        SyscallRecorder.Recording recording = record(busybox("mount", "-t", "tmpfs", "none", "/tmp"));

        assertThat(recording.denied().keySet()).contains("mount");
        assertThat(recording.made().keySet()).doesNotContain("mount").contains("exit_group");
    }

    /// Number 20 is getpid for a 32-bit entry and writev for the other.
    @Test
    void a_call_by_the_32_bit_abi_of_a_64_bit_program_is_told_apart() throws Exception {
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "an x86_64 machine");
        FilterAttackTest.build(directory, root);
        ContainerSpec open = busybox("attack", "int80", "20")
                .seccomp(new SeccompChoice.Unconfined())
                .allow(Allowance.UNCONFINED_SECCOMP);
        assumeTrue(engine.run(open).isOk(), "a kernel with the 32-bit ABI");

        SyscallRecorder.Recording recording = record(open);

        assertThat(recording.foreign()).isEqualTo(1);
        assertThat(recording.made().keySet()).doesNotContain("writev").contains("exit_group");
    }

    @Test
    void a_recorded_profile_lets_the_workload_pass_twenty_runs_and_blocks_more() throws Exception {
        var profiles = new ArrayList<Profile>();
        for (int run = 0; run < 3; run++) {
            profiles.add(profile(record(busybox("sh", "-c", WORKLOAD))));
        }
        Profile merged = ProfileMerge.of(profiles);
        var choice = new SeccompChoice.Custom("recorded", Profile.parse(merged.toJson()));

        for (int run = 0; run < 20; run++) {
            RunResult result = engine.run(busybox("sh", "-c", WORKLOAD).seccomp(choice));
            assertThat(result.exitStatus()).as(result.stderr()).isZero();
            assertThat(result.stdout()).endsWith("done\n");
        }
        assertThat(engine.run(busybox("sh", "-c", WORKLOAD + "; mkdir /tmp/new").seccomp(choice))
                        .stderr())
                .contains("Operation not permitted");
        assertThat(engine.run(busybox("mount", "-t", "tmpfs", "none", "/tmp").seccomp(choice))
                        .exitStatus())
                .isNotZero();
    }

    @Test
    void a_running_container_is_recorded_by_any_of_its_processes() throws Exception {
        Container container = engine.start(
                busybox("sh", "-c", "while true; do stat /etc >/dev/null; sleep 0.05; done"), Streams.capture());
        try (SyscallRecorder recorder = SyscallRecorder.ofRunning(container.pid(), OPTIONS.state())) {
            // The shell makes it once for each of its children, so it comes.
            while (!recorder.recording().made().containsKey("wait4")) {
                Thread.sleep(20);
            }
        }
        container.kill();
        container.await();
        assertThatThrownBy(() -> SyscallRecorder.ofRunning(1 << 22, OPTIONS.state()))
                .isInstanceOf(WatchException.class);
    }

    /// Every orphan wakes it.
    @Test
    void of_a_running_container_its_init_is_not_recorded() throws Exception {
        Container container =
                engine.start(busybox("sh", "-c", "while true; do (true &); sleep 0.02; done"), Streams.capture());
        try (SyscallRecorder recorder = SyscallRecorder.ofRunning(container.pid(), OPTIONS.state())) {
            while (recorder.recording().made().getOrDefault("wait4", 0L) < 20) {
                Thread.sleep(20);
            }
            assertThat(recorder.recording().made()).doesNotContainKeys("ppoll", "signalfd4");
        }
        container.kill();
        container.await();
    }

    @Test
    void a_process_that_is_in_no_container_is_refused() {
        assertThatThrownBy(() ->
                        SyscallRecorder.ofRunning((int) ProcessHandle.current().pid(), OPTIONS.state()))
                .isInstanceOfSatisfying(
                        WatchException.class, e -> assertThat(e.code()).isEqualTo("HOST_PROCESS"));
    }

    private static Profile profile(SyscallRecorder.Recording recording) {
        var target = new Target(Architecture.host(), KernelVersion.parse(System.getProperty("os.version")), 0x405fbL);
        return RecordedProfile.of(
                Optional.of(Profile.standard()), target, recording.made().keySet());
    }

    private SyscallRecorder.Recording record(ContainerSpec spec) throws InterruptedException {
        var recorder = new AtomicReference<@org.jspecify.annotations.Nullable SyscallRecorder>();
        Container container = engine.start(
                spec,
                Streams.capture(),
                ProgressListener.none(),
                standing -> recorder.set(Recordings.ofStanding(standing)));
        container.await();
        try (SyscallRecorder recorded = java.util.Objects.requireNonNull(recorder.get())) {
            return recorded.recording();
        }
    }
}
