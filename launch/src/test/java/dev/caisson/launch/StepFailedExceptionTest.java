package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.Errno;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.InRootPath;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Which error a caller gets for a step that failed: its code, what it says to do, and the exit status.
class StepFailedExceptionTest {
    private static final Step.Execute EXECUTE =
            new Step.Execute(true, false, "/bin", List.of("prog", "arg"), List.of());
    private static final InRootPath PLACE = InRootPath.of("a/b");

    @ParameterizedTest
    @CsvSource({
        "2,PROGRAM_NOT_FOUND,127,check the name",
        "20,PROGRAM_NOT_FOUND,127,no directory",
        "7,ARGUMENTS_TOO_LONG,126,raise --ulimit stack",
        "11,PIDS_TOO_FEW,125,raise --pids-limit",
        "21,PROGRAM_NOT_EXECUTABLE,126,may not execute",
        "13,PROGRAM_NOT_EXECUTABLE,126,may not execute",
        "8,PROGRAM_FORMAT,126,a first line",
        "5,PROGRAM_NOT_EXECUTABLE,126,EIO"
    })
    void a_program_that_cannot_be_run_has_the_status_that_a_shell_gives_it(
            int errno, String code, int status, String advice) {
        StepFailedException failure = StepFailedException.of(EXECUTE, errno);

        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure.exitStatus()).isEqualTo(status);
        assertThat(failure).hasMessageContaining("prog").hasMessageContaining(advice);
        assertThat(failure.errno()).isEqualTo(errno);
        assertThat(failure.phase()).isEqualTo(Phase.READY);
        assertThat(failure.httpStatus()).isEqualTo(status == 125 ? 500 : 400);
    }

    @Test
    void a_start_that_is_short_of_open_files_names_both_limits() {
        for (Step step : List.of(EXECUTE, new Step.MakePrivate())) {
            StepFailedException failure = StepFailedException.of(step, Errno.EMFILE);
            assertThat(failure.code()).isEqualTo("OPEN_FILES");
            assertThat(failure).hasMessageContaining("--ulimit nofile").hasMessageContaining("ulimit -n");
            assertThat(failure.exitStatus()).isEqualTo(125);
        }
    }

    @Test
    void an_interpreter_that_is_missing_is_told_from_a_program_that_is() {
        assertThat(StepFailedException.of(EXECUTE, Phase.FILTER, Errno.ENOENT).code())
                .isEqualTo("INTERPRETER_NOT_FOUND");
        assertThat(StepFailedException.of(EXECUTE, Phase.FILTER, Errno.ENOENT).exitStatus())
                .isEqualTo(127);
        assertThat(StepFailedException.of(EXECUTE, Phase.READY, Errno.ENOENT).code())
                .isEqualTo("PROGRAM_NOT_FOUND");
        assertThat(StepFailedException.of(EXECUTE, Phase.FILTER, Errno.EACCES).code())
                .isEqualTo("PROGRAM_NOT_EXECUTABLE");
        assertThat(StepFailedException.of(new Step.MakePrivate(), Phase.FILTER, Errno.ENOENT)
                        .code())
                .isEqualTo("STEP_FAILED");
        assertThat(StepFailedException.programNotFound("p").code()).isEqualTo("PROGRAM_NOT_FOUND");
        assertThat(StepFailedException.programNotExecutable("p").code()).isEqualTo("PROGRAM_NOT_EXECUTABLE");
    }

    static Stream<Arguments> steps() {
        return Stream.of(
                Arguments.of(new Step.Ready("/work"), "WORKING_DIRECTORY", "/work"),
                Arguments.of(new Step.MountSlot(new Slot(5), false, PLACE), "MOUNT_TARGET", "/a/b"),
                Arguments.of(
                        new Step.PlaceDevice(
                                new Slot(5),
                                new DeviceNode(DeviceRule.Kind.CHARACTER, 10, 229),
                                InRootPath.of("dev/x")),
                        "DEVICE_TARGET",
                        "/dev/x"),
                Arguments.of(new Step.WriteFile(0644, PLACE, "x"), "IMAGE_PATH", "/a/b"),
                Arguments.of(new Step.MakeDirectory(0755, PLACE), "IMAGE_PATH", "/a/b"),
                Arguments.of(new Step.SetSysctl(InRootPath.of("net/ipv4/x"), "1"), "SYSCTL_REFUSED", "net.ipv4.x"),
                Arguments.of(
                        new Step.Netlink(NetlinkProtocol.NETFILTER, Samples.requests(1)),
                        "NETWORK_SETUP",
                        "netlink NETFILTER"));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void a_step_that_the_image_or_the_kernel_refuses_is_the_engine_s_failure(Step step, String code, String what) {
        StepFailedException failure = StepFailedException.of(step, Errno.EIO);

        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure).hasMessageContaining(what).hasMessageContaining("EIO");
        assertThat(failure.exitStatus()).isEqualTo(125);
        assertThat(failure.httpStatus()).isEqualTo(500);
        assertThat(failure.phase()).isEqualTo(step.phase());
        assertThat(failure.errno()).isEqualTo(Errno.EIO);
    }

    @Test
    void a_place_that_a_link_leads_away_from_is_explained() {
        Step step = new Step.MountSlot(new Slot(5), false, PLACE);

        assertThat(StepFailedException.of(step, Errno.ELOOP)).hasMessageContaining("could lead out of it");
        assertThat(StepFailedException.of(step, Errno.EBUSY)).hasMessageContaining("choose another path");
        assertThat(StepFailedException.of(step, Errno.EIO)).hasMessageContaining("see how the image looks");
    }
}
