package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The counts of a filter, from its profile and read back from the program, and what a cache stores of both.
class SummaryTest {
    private static final Target TARGET = Calls.target(Architecture.X86_64);
    private static final Profile PROFILE = new Profile(
            Action.errno(1),
            java.util.Map.of(Architecture.X86_64, java.util.Set.of(Architecture.X86)),
            java.util.Set.of(),
            "",
            "",
            List.of(
                    Rule.of(Action.ALLOW, List.of(), "read", "write", "raed", "uprobe"),
                    Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.EQ, 2)), "socket"),
                    Rule.of(Action.errno(5), List.of(), "mount")));

    @Test
    void a_profile_s_decisions_are_counted() {
        Summary summary = Compiler.compile(PROFILE, TARGET).summary();

        assertThat(summary.allowed()).isEqualTo(2);
        assertThat(summary.byArgument()).isEqualTo(1);
        assertThat(summary.refused())
                .isEqualTo(SyscallTable.get().calls(Architecture.X86_64).size() - 2 - 1 - 2);
        assertThat(summary.unknownNames()).containsExactly("raed");
        assertThat(summary.unfilterable()).containsExactly("uprobe", "uretprobe");
        assertThat(summary.abis()).containsExactly(Architecture.X86_64, Architecture.X86);
        assertThat(summary.defaultAction()).isEqualTo(Action.errno(1));
        assertThat(summary.unknownAction()).isEqualTo(Action.errno(38));
        assertThat(summary).hasToString("2 calls allowed, 1 by argument, the rest ERRNO(EPERM), unknown ERRNO(ENOSYS)");
    }

    @Test
    void a_program_read_back_is_counted_the_same_but_for_names() {
        Filter filter = Compiler.compile(PROFILE, TARGET);
        Summary read = Filter.of(Architecture.X86_64, filter.bytes()).summary();

        assertThat(read)
                .usingRecursiveComparison()
                .ignoringFields("unknownNames")
                .isEqualTo(filter.summary());
        assertThat(read.unknownNames()).isEmpty();
    }

    /// A default that allows, with two denials of one kind and one of another.
    @Test
    void the_commonest_refusal_is_taken_for_the_default() {
        Profile denies = CompilerTest.profileOf(
                Action.ALLOW,
                Rule.of(Action.errno(7), List.of(), "bpf"),
                Rule.of(Action.errno(5), List.of(), "mount", "kcmp"));
        Summary read = Filter.of(
                        Architecture.X86_64, Compiler.compile(denies, TARGET).bytes())
                .summary();

        assertThat(read.defaultAction()).isEqualTo(Action.errno(5));
        assertThat(read.unknownAction()).isEqualTo(Action.ALLOW);
        assertThat(Filter.allowing(Architecture.X86_64).summary().defaultAction())
                .isEqualTo(Action.ALLOW);
        assertThat(Filter.allowing(Architecture.X86_64).summary().abis())
                .containsExactly(Architecture.X86_64, Architecture.X86, Architecture.X32);
    }

    @ParameterizedTest
    @ValueSource(strings = {"standard", "strict", "own"})
    void what_is_stored_is_read_again(String name) {
        Profile profile = switch (name) {
            case "standard" -> Profile.standard().withCompatibleAbis();
            case "strict" -> Profile.strict();
            default -> PROFILE;
        };
        Summary summary = Compiler.compile(profile, TARGET).summary();

        assertThat(Summary.parse(summary.stored())).isEqualTo(summary);
        assertThat(Summary.sentence(summary.stored())).isEqualTo(summary.toString());
    }

    @Test
    void what_is_asked_before_a_start_is_stored_as_a_digit() {
        for (int bits = 0; bits < 8; bits++) {
            var traits = new FilterTraits((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0);
            assertThat(traits.stored()).isEqualTo((char) ('0' + bits));
            assertThat(FilterTraits.parse(traits.stored())).isEqualTo(traits);
        }
    }

    @Test
    void traits_are_those_of_the_program() {
        assertThat(FilterTraits.of(Filter.allowing(Architecture.X86_64))).isEqualTo(new FilterTraits(true, true, true));
        assertThat(FilterTraits.of(compile(Action.errno(1)))).isEqualTo(new FilterTraits(false, true, false));
        assertThat(FilterTraits.of(compile(Action.KILL_PROCESS))).isEqualTo(new FilterTraits(false, false, false));
        assertThat(FilterTraits.of(compile(Action.LOG))).isEqualTo(new FilterTraits(true, false, false));
        assertThat(FilterTraits.of(compile(Action.errno(1), Rule.of(Action.ALLOW, List.of(), "execveat"))))
                .isEqualTo(new FilterTraits(true, true, false));
        assertThat(FilterTraits.of(compile(Action.errno(1), Rule.of(Action.ALLOW, List.of(), "seccomp"))))
                .isEqualTo(new FilterTraits(false, true, true));
        assertThat(FilterTraits.of(compile(
                        Action.errno(1),
                        Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.EQ, 1)), "seccomp"))))
                .isEqualTo(new FilterTraits(false, true, false));
        // init starts a program relative to no directory
        assertThat(FilterTraits.of(compile(
                                Action.errno(1),
                                Rule.of(
                                        Action.ALLOW,
                                        List.of(Condition.of(0, Condition.Operator.EQ, -100)),
                                        "execveat")))
                        .starts())
                .isTrue();
    }

    private static Filter compile(Action action, Rule... rules) {
        return Compiler.compile(CompilerTest.profileOf(action, rules), TARGET);
    }
}
