package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What cannot be told to libseccomp, and what a user of an export should know.
class ProfileExportTest {
    private static final Target TARGET = Calls.target(Architecture.X86_64);
    /// Of this and all that follow, each value takes six instructions: three for each half.
    private static final long WIDE = 1L << 40;

    private static ProfileExport exported(long first, int values) {
        var rules = new ArrayList<Rule>();
        for (int i = 0; i < values; i++) {
            rules.add(Rule.of(Action.ALLOW, List.of(Condition.of(2, Condition.Operator.EQ, first + 2L * i)), "ioctl"));
        }
        return ProfileExport.of(CompilerTest.profileOf(Action.errno(1), rules.toArray(Rule[]::new)), TARGET);
    }

    @Test
    void a_filter_may_have_as_many_instructions_as_the_kernel_takes() {
        int calls = SyscallTable.get().calls(Architecture.X86_64).size(); // of which each takes one
        int most = (4096 - calls) / 6;
        assertThat(exported(WIDE, most).profile().rules()).hasSizeGreaterThanOrEqualTo(most);
        assertThatThrownBy(() -> exported(WIDE, most + 1))
                .isInstanceOf(SeccompException.class)
                .hasMessageContaining("all calls in the 4096 instructions")
                .hasMessageEndingWith("above all for ioctl");
    }

    @ParameterizedTest
    @CsvSource({"1024,true", "1025,false"})
    void a_call_may_have_so_many_cases(int values, boolean taken) {
        if (taken) {
            assertThatThrownBy(() -> exported(WIDE, values)).hasMessageContaining("all calls in the");
        } else {
            assertThatThrownBy(() -> exported(WIDE, values))
                    .hasMessageContaining("ioctl, whose rules make more than 1024 cases");
        }
    }

    private static ProfileExport x86(String rules) {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ERRNO", "archMap": [
                  {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
                 "syscalls": [{"names": ["execveat"], "action": "SCMP_ACT_ALLOW"}%s]}""".formatted(rules));
        return ProfileExport.of(profile, TARGET);
    }

    @Test
    void calls_that_come_in_by_another_are_told_or_refused() {
        String socket = ", {\"names\": [\"socket\", \"bind\"], \"action\": \"SCMP_ACT_ALLOW\"}";
        String first = "\"args\": [{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]}";
        String carrier = ", {\"names\": [\"socketcall\"], \"action\": \"SCMP_ACT_ALLOW\"";

        assertThat(x86("").notes()).noneMatch(note -> note.contains("socketcall"));
        assertThat(x86(socket).notes())
                .contains("X86: libseccomp decides bind, socket in the same way when they come in by socketcall");
        assertThat(x86(socket + carrier + "}").notes()).noneMatch(note -> note.contains("in the same way"));
        String some = ", {\"names\": [\"socket\"], \"action\": \"SCMP_ACT_ALLOW\", " + first
                + ", {\"names\": [\"bind\"], \"action\": \"SCMP_ACT_ALLOW\"}";
        assertThatThrownBy(() -> x86(some))
                .hasMessageContaining("of socket, which libseccomp decides by socketcall too under X86");
        assertThatThrownBy(() -> x86(socket + carrier + ", " + first))
                .hasMessageContaining("of bind, socket, which libseccomp decides by socketcall too under X86");
    }
}
