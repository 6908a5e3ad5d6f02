package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Filters from bytes: which lengths are one's, and what a cache stores beside them.
class FilterBytesTest {
    private static final int INSTRUCTION = 8;
    private static final int MOST = 4096;
    private static final short RETURN = 0x06;

    /// So many times "return ALLOW".
    private static byte[] program(int instructions) {
        ByteBuffer bytes = ByteBuffer.allocate(instructions * INSTRUCTION).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            bytes.putShort(RETURN).putShort((short) 0).putInt(Action.ALLOW.returnValue());
        }
        return bytes.array();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 9, 8 * MOST + 1, 8 * MOST + 8})
    void what_has_no_length_of_a_filter_is_none(int length) {
        byte[] bytes = java.util.Arrays.copyOf(program(MOST + 2), length);

        assertThatExceptionOfType(SeccompException.class)
                .isThrownBy(() -> Filter.of(Architecture.X86_64, bytes))
                .satisfies(refused -> assertThat(refused.reason()).isEqualTo(SeccompException.Code.FILTER_INVALID));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, MOST})
    void a_filter_has_1_to_4096_instructions(int length) {
        assertThat(Filter.of(Architecture.X86_64, program(length)).length()).isEqualTo(length);
    }

    /// That of an `int` is one, with or without a mask.
    @Test
    void a_word_that_is_there_already_is_not_loaded_again() {
        int load = 0x20;
        int firstArgument = 16;
        Filter filter = Compiler.compile(
                CompilerTest.profileOf(
                        Action.errno(1),
                        Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.EQ, 7)), "socket"),
                        Rule.of(Action.ALLOW, List.of(Condition.masked(0, 15, 3)), "socket")),
                Calls.target(Architecture.X86_64));
        assertThat(IntStream.range(0, filter.length())
                        .filter(at -> filter.code(at) == load && filter.constant(at) == firstArgument))
                .hasSize(1);
    }

    /// The kernel looks at them in jumps alone; another reader need not.
    @Test
    void only_jumps_have_distances() {
        int jump = 0x05;
        Filter filter = Compiler.compile(Profile.standard(), Calls.target(Architecture.X86_64));
        for (int at = 0; at < filter.length(); at++) {
            if ((filter.code(at) & 0x07) != jump) {
                assertThat(filter.jumpIfTrue(at)).as("%d", at).isZero();
                assertThat(filter.jumpIfFalse(at)).as("%d", at).isZero();
            }
        }
    }

    @Test
    void what_is_stored_beside_a_filter_says_the_same_of_it() {
        byte[] program = program(1);
        Filter filter = Filter.of(Architecture.X86_64, program);
        String stored = filter.stored();
        Filter again = Filter.of(Architecture.X86_64, program, stored);

        assertThat(stored).hasSizeGreaterThan(1);
        assertThat(again.stored()).isEqualTo(stored);
        assertThat(again.sentence())
                .isEqualTo(filter.sentence())
                .isEqualTo(filter.summary().toString());
    }

    @Test
    void bytes_that_change_later_are_not_the_filter_s() {
        byte[] program = program(1);
        Filter filter = Filter.of(Architecture.X86_64, program);
        program[0] = 0;

        assertThat(filter.decide(Architecture.X86_64, "getpid")).isEqualTo(Action.ALLOW);
    }
}
