package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.seccomp.Condition.Operator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Each comparison with each width of argument, at and around its constant.
class ArgumentsTest {
    private static final List<Architecture> MACHINES = List.of(Architecture.X86_64, Architecture.S390X);
    private static final List<Long> CONSTANTS = List.of(
            0L,
            1L,
            8L,
            0xffffL,
            0x10000L,
            0x7fffffffL,
            0x80000000L,
            0xffffffffL,
            1L << 32,
            (5L << 32) | 7,
            Long.MAX_VALUE,
            Long.MIN_VALUE,
            -1L,
            -2L,
            -65536L);
    private static final List<Long> MASKS = List.of(0L, 1L, 6L, 0xffffL, 0xffffffffL, 1L << 40, 3L << 31, -1L, -2L);

    /// A call and an argument of it.
    private record Argument(String call, int index, int bits) {}

    private static final List<Argument> ARGUMENTS =
            List.of(new Argument("chmod", 1, 16), new Argument("personality", 0, 32), new Argument("lseek", 1, 64));

    @Test
    void the_arguments_have_the_widths_that_are_tried() {
        for (Argument argument : ARGUMENTS) {
            assertThat(SyscallTable.get()
                            .byName(argument.call())
                            .orElseThrow()
                            .bits(Architecture.X86_64, argument.index()))
                    .isEqualTo(argument.bits());
        }
    }

    @ParameterizedTest
    @EnumSource(value = Operator.class, names = "MASKED_EQ", mode = EnumSource.Mode.EXCLUDE)
    void a_comparison_comes_out_as_the_profile_says(Operator operator) {
        for (Argument argument : ARGUMENTS) {
            for (long constant : CONSTANTS) {
                check(argument, Condition.of(argument.index(), operator, constant));
            }
        }
    }

    @Test
    void a_masked_comparison_comes_out_as_the_profile_says() {
        for (Argument argument : ARGUMENTS) {
            for (long mask : MASKS) {
                for (long value : List.of(0L, mask, mask & -mask, 1L, 2L, 1L << 32, -2L)) {
                    check(argument, Condition.masked(argument.index(), mask, value));
                }
            }
        }
    }

    private static void check(Argument argument, Condition condition) {
        Profile profile =
                CompilerTest.profileOf(Action.errno(1), Rule.of(Action.ALLOW, List.of(condition), argument.call()));
        for (Architecture machine : MACHINES) {
            Target target = Calls.target(machine);
            Filter filter = Compiler.compile(profile, target);
            var evaluator = new ProfileEvaluator(profile, target);
            int number = SyscallTable.get().number(machine, argument.call()).orElseThrow();
            for (long value : values(condition)) {
                long[] registers = new long[6];
                registers[argument.index()] = value;
                SeccompData call = SeccompData.of(machine, number, registers);
                assertThat(filter.decide(call))
                        .as("%s with %x", condition, value)
                        .isEqualTo(evaluator.decide(call));
            }
        }
    }

    private static Set<Long> values(Condition condition) {
        var values = new TreeSet<>(CONSTANTS);
        for (long constant : List.of(condition.value(), condition.valueTwo())) {
            for (long near : List.of(constant - 1, constant, constant + 1)) {
                values.addAll(List.of(near, near ^ 1L << 32, near ^ 1L << 63, near ^ 1L << 16, ~near));
            }
        }
        return values;
    }

    /// The reference itself, by examples.
    @Test
    void the_kernel_reads_no_more_than_an_argument_s_width() {
        assertThat(allowed("chmod", 1, Condition.of(1, Operator.EQ, 0600), 0x10000L | 0600))
                .isTrue();
        assertThat(allowed("chmod", 1, Condition.of(1, Operator.GT, 0xfffe), 0xffff))
                .isTrue();
        assertThat(allowed("chmod", 1, Condition.of(1, Operator.GT, 0xffff), -1))
                .isFalse();
        assertThat(allowed("personality", 0, Condition.of(0, Operator.EQ, -1), 0xffffffffL))
                .isTrue();
        assertThat(allowed("personality", 0, Condition.of(0, Operator.GE, 0x80000000L), 0x7fffffffL | 1L << 32))
                .isFalse();
        assertThat(allowed("lseek", 1, Condition.of(1, Operator.EQ, 1L << 32), 1L << 32))
                .isTrue();
        assertThat(allowed("lseek", 1, Condition.of(1, Operator.LT, 1L << 32), (1L << 32) - 1))
                .isTrue();
        assertThat(allowed("lseek", 1, Condition.of(1, Operator.LE, 1L << 32), 1L << 32))
                .isTrue();
        assertThat(allowed("lseek", 1, Condition.of(1, Operator.NE, -1), 0xffffffffL))
                .isTrue();
    }

    private static boolean allowed(String call, int index, Condition condition, long value) {
        Profile profile = CompilerTest.profileOf(Action.errno(1), Rule.of(Action.ALLOW, List.of(condition), call));
        Target target = Calls.target(Architecture.X86_64);
        long[] registers = new long[6];
        registers[index] = value;
        int number = SyscallTable.get().number(Architecture.X86_64, call).orElseThrow();
        Action decided =
                new ProfileEvaluator(profile, target).decide(SeccompData.of(Architecture.X86_64, number, registers));
        assertThat(Compiler.compile(profile, target).decide(Architecture.X86_64, call, registers))
                .isEqualTo(decided);
        return decided.equals(Action.ALLOW);
    }

    /// A comparison that always holds has no instruction, because the kernel runs each of them at every call.
    @Test
    void a_comparison_takes_no_instruction_more_than_it_needs() {
        int always = length("personality", Condition.masked(0, 0, 0));
        int never = length("personality", Condition.of(0, Operator.EQ, 1L << 32));
        assertThat(length("personality", Condition.of(0, Operator.GE, 0))).isEqualTo(always);
        assertThat(length("lseek", Condition.of(1, Operator.GE, 0))).isEqualTo(always);
        assertThat(length("personality", Condition.of(0, Operator.GT, 1L << 32)))
                .isEqualTo(never);
        for (Condition simple : List.of(
                Condition.of(0, Operator.EQ, 5),
                Condition.masked(0, 8, 8),
                Condition.masked(0, 8, 0),
                Condition.masked(0, 9, 0))) {
            assertThat(length("personality", simple)).as("%s", simple).isEqualTo(always + 2);
        }
        assertThat(length("personality", Condition.masked(0, 9, 1))).isEqualTo(always + 3);
        assertThat(length("lseek", Condition.of(1, Operator.GE, 1L << 32))).isEqualTo(always + 3);
        assertThat(length("lseek", Condition.of(1, Operator.GE, (1L << 32) + 1)))
                .isEqualTo(always + 5);
    }

    private static int length(String call, Condition condition) {
        return Compiler.compile(
                        CompilerTest.profileOf(Action.errno(1), Rule.of(Action.ALLOW, List.of(condition), call)),
                        Calls.target(Architecture.X86_64))
                .length();
    }
}
