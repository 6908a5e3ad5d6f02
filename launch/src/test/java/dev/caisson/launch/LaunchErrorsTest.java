package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Image;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Sockets;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Rlimit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What init and the kernel say against a launch, as the error that a caller gets.
class LaunchErrorsTest {
    private static final int INVALID = Errno.EINVAL;

    private static void assertCode(String code, ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        LaunchException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void what_is_no_report_of_init_is_not_taken_for_one() {
        byte[] unknown = ByteBuffer.allocate(Report.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(PlanCodec.MAGIC)
                .putInt(99)
                .array();

        assertCode("INIT_PROTOCOL", () -> Report.decode(new byte[Report.BYTES - 1]));
        assertCode("INIT_PROTOCOL", () -> Report.decode(new byte[Report.BYTES]));
        assertCode("INIT_PROTOCOL", () -> Report.decode(unknown));
    }

    @Test
    void a_failure_before_the_first_step_is_told_as_one_of_init() {
        LaunchPlan plan = Samples.plan();

        for (int step : new int[] {-1, plan.steps().size()}) {
            var report = new Report(Report.Kind.ERROR, 0, step, INVALID, 7, 0, 0, 0, List.of());
            LaunchException failure = InitFailures.of(plan.steps(), report);

            assertThat(failure.code()).isEqualTo("INIT_FAILED");
            assertThat(failure).hasMessageContaining("EINVAL").hasMessageContaining("plan rule 7");
        }
    }

    @Test
    void a_step_that_the_kernel_refuses_is_named() {
        var limit = new Step.SetResourceLimit(new Rlimit(Rlimit.Resource.NOFILE, 1, 2));

        assertThat(StepFailedException.of(limit, Errno.EPERM).code()).isEqualTo("RLIMIT_REFUSED");
        assertThat(StepFailedException.of(limit, Errno.EPERM)).hasMessageContaining("nofile");
        assertThat(StepFailedException.of(new Step.MakePrivate(), Errno.EPERM).code())
                .isEqualTo("STEP_FAILED");
        assertThat(StepFailedException.of(new Step.MakePrivate(), Errno.EPERM))
                .hasMessageContaining("MakePrivate")
                .hasMessageContaining("PRIVATE");
    }

    @Test
    void a_filter_for_which_the_host_has_no_memory_left_is_told_as_such() {
        Step.Execute execute = Samples.plan().only(Step.Execute.class);
        var early = new Step.InstallFilter(new FilterProgram(new byte[8], "one instruction"), true);

        for (Step step : List.of(execute, early)) {
            StepFailedException failure = StepFailedException.of(step, Errno.ENOTSUPP);
            assertThat(failure.code()).isEqualTo("FILTER_REFUSED");
            assertThat(failure).hasMessageContaining("ENOTSUPP").hasMessageContaining("bpf_jit_limit");
            assertThat(failure.exitStatus()).isEqualTo(125);
        }
        assertThat(StepFailedException.of(early, Errno.EINVAL))
                .hasMessageContaining("EINVAL")
                .hasMessageNotContaining("bpf_jit_limit");
    }

    @Test
    void limits_that_the_kernel_does_not_tell_are_missed() {
        assertCode("PROC_UNREADABLE", () -> HostFacts.limits("Limit Soft Hard Units\n"));
        assertCode("PROC_UNREADABLE", () -> HostFacts.text("/proc/sys/kernel/there-is-none"));
    }

    @Test
    void an_init_that_says_nothing_or_is_gone_is_not_waited_for() {
        Sockets.Pair control = Sockets.pair();
        Sockets.receiveTimeout(control.ours(), 20);

        assertCode("LAUNCH_TIMEOUT", () -> InitSocket.receive(control.ours()));
        control.theirs().close();
        assertCode("INIT_DIED", () -> InitSocket.receive(control.ours()));
        control.ours().close();
    }

    @Test
    void a_process_that_is_gone_cannot_be_verified() {
        var verifier = new Verifier(Samples.plan());

        assertCode("PROGRAM_ENDED", () -> verifier.beforeStart(Integer.MAX_VALUE));
        assertCode("PROGRAM_ENDED", () -> verifier.program(Integer.MAX_VALUE));
    }

    @Test
    void a_build_without_the_native_program_says_how_to_get_one() {
        assertThatThrownBy(() -> Zygote.program("no-such-program"))
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.code()).isEqualTo("PROGRAM_ABSENT"))
                .hasMessageContaining("./caisson version");
    }

    @Test
    void an_answer_of_the_zygote_that_is_none_is_told() {
        Sockets.Pair pair = Sockets.pair();
        try (Fd theirs = pair.theirs();
                var zygote = new Zygote(pair.ours(), Thread.currentThread(), 0)) {
            assertCode("ZYGOTE_PROTOCOL", () -> answered(zygote, theirs, reply(0, 0)));
            assertCode("ZYGOTE_FAILED", () -> answered(zygote, theirs, reply(-Errno.ENOSPC, 3)));
            assertThatThrownBy(() -> answered(zygote, theirs, reply(-Errno.EPERM, 6)))
                    .hasMessageContaining("making a device node (EPERM): the engine's own control group");
            assertCode("ZYGOTE_GONE", () -> answered(zygote, theirs, new byte[0]));
        }
    }

    /// What the other end of a zygote's socket makes of its answer.
    private static void answered(Zygote zygote, Fd theirs, byte[] reply) {
        Sockets.send(theirs, reply, List.of());
        zygote.userNamespace(new IdRange(IdRange.FIRST, IdRange.WIDTH));
    }

    private static byte[] reply(int status, int stage) {
        return ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(PlanCodec.MAGIC)
                .putInt(status)
                .putInt(0)
                .putInt(stage)
                .array();
    }

    @Test
    @Tag("root")
    void what_the_kernel_refuses_the_zygote_is_told_with_its_stage() {
        try (var zygote = Zygote.start();
                Fd file = FileSystem.open("/etc/passwd", FileSystem.O_PATH);
                Zygote.Answer answer = zygote.device(new IdRange(IdRange.FIRST, IdRange.WIDTH), file)) {
            assertThatThrownBy(answer::descriptor)
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.code()).isEqualTo("ZYGOTE_FAILED"))
                    .hasMessageContaining("making a device node (ENODEV)");
        }
    }

    @Test
    void an_image_that_names_no_program_needs_one() {
        RootImage image = Samples.image();
        var silent = new RootImage(
                image.layers(), image.binds(), List.of(), List.of(), List.of(), image.workingDirectory(), image.user());

        assertCode(
                "PROGRAM_MISSING",
                () -> ProgramChoice.of(ContainerSpec.of(Image.host()), silent, "box", GuestNetwork.NONE));
    }
}
