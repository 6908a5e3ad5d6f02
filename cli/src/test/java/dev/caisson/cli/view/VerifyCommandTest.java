package dev.caisson.cli.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.Verifier;
import java.util.List;
import org.junit.jupiter.api.Test;

class VerifyCommandTest {
    @Test
    void columns_are_as_wide_as_what_stands_in_them() {
        assertThat(VerifyCommand.lines(
                        List.of(
                                new Verifier.Check("user", "0", "0", true),
                                new Verifier.Check("mount /sys/fs/cgroup/memory", "ro", "cgroup ro", true),
                                new Verifier.Check("supplementary groups", "", "", true),
                                new Verifier.Check("control group", "a", "x".repeat(90), true)),
                        false))
                .containsExactly(
                        "user                         0          as planned",
                        "mount /sys/fs/cgroup/memory  cgroup ro  as planned",
                        "supplementary groups         none       as planned",
                        "control group                " + "x".repeat(90) + "  as planned");
    }

    @Test
    void what_could_not_be_read_is_not_called_different() {
        var check = new Verifier.Check(
                "seccomp filter", "25 instructions", "EBUSY, it waits", Verifier.Outcome.NOT_EVALUATED);

        assertThat(VerifyCommand.lines(List.of(check), true))
                .containsExactly("seccomp filter  -  not evaluated, because: EBUSY, it waits");
    }

    @Test
    void what_is_not_as_planned_stands_out_and_cannot_write_on_the_terminal() {
        List<Verifier.Check> checks = List.of(new Verifier.Check("a", "1\u001b[2J", "2\u001b[2J", false));

        assertThat(VerifyCommand.lines(checks, true).getFirst())
                .startsWith("a  2")
                .contains("\u001b[31mNOT AS PLANNED: 1")
                .endsWith("\u001b[0m")
                .doesNotContain("\u001b[2J");
        assertThat(VerifyCommand.lines(checks, false).getFirst()).doesNotContain("\u001b");
    }
}
