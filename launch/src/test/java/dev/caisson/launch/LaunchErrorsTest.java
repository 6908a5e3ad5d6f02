package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Image;
import dev.caisson.linux.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
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
            var report = new Report(Report.Kind.ERROR, 0, step, INVALID, 7, 0, 0, List.of());
            LaunchException failure = Launcher.failure(plan, report);

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
    void limits_that_the_kernel_does_not_tell_are_missed() {
        assertCode("PROC_UNREADABLE", () -> HostFacts.limits("Limit Soft Hard Units\n"));
    }

    @Test
    void an_image_that_names_no_program_needs_one() {
        RootImage image = Samples.image();
        var silent = new RootImage(
                image.layers(), image.binds(), List.of(), List.of(), List.of(), image.workingDirectory(), image.user());

        assertCode("PROGRAM_MISSING", () -> ProgramChoice.of(ContainerSpec.of(Image.host()), silent, "box"));
    }
}
