package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A filter that differs from its profile in one place is found, wherever that place is.
class ProfileProofTest {
    private static final Target TARGET = Calls.target(Architecture.X86_64);
    private static final int ARCH = Architecture.X86_64.auditValue();

    private static Profile profile(Condition condition) {
        return CompilerTest.profileOf(Action.errno(1), Rule.of(Action.ALLOW, List.of(condition), "lseek"));
    }

    /// The filter of a profile behind instructions that decide one case in another way.
    private static Filter differing(Filter filter, long[]... head) {
        ByteBuffer program =
                ByteBuffer.allocate(8 * head.length + filter.bytes().length).order(ByteOrder.LITTLE_ENDIAN);
        for (long[] each : head) {
            program.putShort((short) each[0])
                    .put((byte) each[1])
                    .put((byte) each[2])
                    .putInt((int) each[3]);
        }
        return Filter.of(Architecture.X86_64, program.put(filter.bytes()).array());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 333, 471, 500, 520, 0x3fffffff, 0x7fffffff, 0x80000000, -1, 512 | 0x40000000})
    void a_number_that_is_decided_otherwise_is_found(int number) {
        Profile profile = profile(Condition.of(1, Condition.Operator.EQ, 5));
        Filter other = differing(
                Compiler.compile(profile, TARGET),
                new long[] {0x20, 0, 0, 4},
                new long[] {0x15, 0, 3, ARCH},
                new long[] {0x20, 0, 0, 0},
                new long[] {0x15, 0, 1, number},
                new long[] {0x06, 0, 0, 0x7ffc0000});

        ProfileProof.Result result = ProfileProof.of(profile, TARGET, other);

        assertThat(result.holds()).isFalse();
        assertThat(result.mismatches())
                .allMatch(line -> line.endsWith("the filter LOG"))
                .hasSizeLessThanOrEqualTo(20);
        assertThat(ProfileProof.of(profile, TARGET).holds()).isTrue();
    }

    /// Wrong for the argument right below, at or above the constant, or in its upper half.
    @ParameterizedTest
    @ValueSource(longs = {4, 5, 6, 5 | 1L << 32, 5 | 1L << 63, ~5L, 0, 1, -1, 0xffff, 0xffffffffL})
    void an_argument_that_is_decided_otherwise_is_found(long value) {
        Profile profile = profile(Condition.of(1, Condition.Operator.EQ, 5));
        Filter other = differing(
                Compiler.compile(profile, TARGET),
                new long[] {0x20, 0, 0, 0},
                new long[] {0x15, 0, 5, 8},
                new long[] {0x20, 0, 0, 24},
                new long[] {0x15, 0, 3, (int) value},
                new long[] {0x20, 0, 0, 28},
                new long[] {0x15, 0, 1, (int) (value >>> 32)},
                new long[] {0x06, 0, 0, 0x7ffc0000});

        assertThat(ProfileProof.of(profile, TARGET, other).holds()).isFalse();
    }

    /// Each number of the table of each ABI, 64 beyond its last one, and four that are far out, with 24 picks of
    /// arguments.
    @Test
    void every_number_of_every_abi_is_compared() {
        Profile profile = profile(Condition.of(1, Condition.Operator.EQ, 5));
        Filter filter = Compiler.compile(profile, TARGET);
        long numbers = 0;
        for (Architecture abi : List.of(Architecture.X86_64, Architecture.X86, Architecture.X32)) {
            var all = new TreeSet<>(Paths.numbers(filter, abi));
            all.addAll(List.of(0x3fffffff, Integer.MAX_VALUE, Integer.MIN_VALUE, -1));
            int last = SyscallTable.get().calls(abi).keySet().stream()
                    .filter(number -> number < 65_536)
                    .max(Integer::compare)
                    .orElseThrow();
            IntStream.range(0, last + 64).forEach(all::add);
            numbers += all.size();
        }

        ProfileProof.Result result = ProfileProof.of(profile, TARGET, filter);

        assertThat(result.decisions()).isEqualTo(24 * numbers);
        assertThat(result.mismatches()).isEmpty();
    }

    @Test
    void no_more_than_twenty_are_shown() {
        Profile profile = profile(Condition.of(1, Condition.Operator.EQ, 5));

        assertThat(ProfileProof.of(profile, TARGET, Filter.allowing(Architecture.X86_64))
                        .mismatches())
                .hasSize(20);
    }

    /// Of two filters that both deny, with different errors.
    @Test
    void a_difference_says_whether_it_is_of_errors_alone_and_which_is_looser() {
        var rules = new ArrayList<FilterDifference>();
        Filter strict = compile(Action.errno(1), Rule.of(Action.ALLOW, List.of(), "read"));
        Filter other = compile(Action.errno(2), Rule.of(Action.errno(2), List.of(), "read"));
        rules.addAll(FilterDifference.between(strict, other));
        assertThat(rules).isNotEmpty().allSatisfy(difference -> {
            boolean read = difference.name().equals(java.util.Optional.of("read"));
            assertThat(difference.isOfErrorsAlone()).isEqualTo(!read);
            assertThat(difference.loosens()).isFalse();
        });
        assertThat(FilterDifference.between(other, strict))
                .filteredOn(FilterDifference::loosens)
                .singleElement()
                .satisfies(difference -> {
                    assertThat(difference.name()).contains("read");
                    assertThat(difference.isOfErrorsAlone()).isFalse();
                });
    }

    private static Filter compile(Action action, Rule... rules) {
        return Compiler.compile(CompilerTest.profileOf(action, rules), TARGET);
    }
}
