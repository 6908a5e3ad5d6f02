package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Programs of a few instructions, as the kernel's interpreter would run them, and such as it would not load.
class SimulatorTest {
    private static final SeccompData DATA = new SeccompData(
            7,
            Architecture.X86_64.auditValue(),
            0x3333333344444444L,
            0x1111111122222222L,
            1,
            2,
            3,
            4,
            0x5555555566666666L);
    private static final long[] ALLOW = {0x06, 0, 0, 0x7fff0000};
    private static final long[] KILL = {0x06, 0, 0, 0x80000000L};

    /// @param instructions code, jump if true, jump if false, constant
    private static Filter filter(Architecture architecture, long[]... instructions) {
        ByteBuffer program = ByteBuffer.allocate(8 * instructions.length).order(architecture.byteOrder());
        for (long[] each : instructions) {
            program.putShort((short) each[0])
                    .put((byte) each[1])
                    .put((byte) each[2])
                    .putInt((int) each[3]);
        }
        return Filter.of(architecture, program.array());
    }

    private static Filter filter(long[]... instructions) {
        return filter(Architecture.X86_64, instructions);
    }

    private static boolean allows(long[]... instructions) {
        return Simulator.run(filter(instructions), DATA).action().equals(Action.ALLOW);
    }

    /// What is loaded from an offset.
    private static boolean loads(Architecture architecture, int offset, int value) {
        Filter filter =
                filter(architecture, new long[] {0x20, 0, 0, offset}, new long[] {0x15, 0, 1, value}, ALLOW, KILL);
        return Simulator.run(filter, DATA).action().equals(Action.ALLOW);
    }

    @Test
    void words_of_a_call_are_where_the_kernel_has_them() {
        for (Architecture architecture : List.of(Architecture.X86_64, Architecture.S390X)) {
            int low = architecture == Architecture.X86_64 ? 0 : 4;
            assertThat(loads(architecture, 0, 7)).isTrue();
            assertThat(loads(architecture, 4, DATA.arch())).isTrue();
            assertThat(loads(architecture, 8 + low, 0x44444444)).isTrue();
            assertThat(loads(architecture, 12 - low, 0x33333333)).isTrue();
            assertThat(loads(architecture, 16 + low, 0x22222222)).isTrue();
            assertThat(loads(architecture, 20 - low, 0x11111111)).isTrue();
            assertThat(loads(architecture, 24 + low, 1)).isTrue();
            assertThat(loads(architecture, 56 + low, 0x66666666)).isTrue();
            assertThat(loads(architecture, 60 - low, 0x55555555)).isTrue();
        }
    }

    @Test
    void comparisons_are_unsigned_and_bounds_are_exact() {
        long[] number = {0x20, 0, 0, 0};
        long[] high = {0x20, 0, 0, 4};

        assertThat(allows(number, new long[] {0x25, 0, 1, 6}, ALLOW, KILL)).isTrue();
        assertThat(allows(number, new long[] {0x25, 0, 1, 7}, ALLOW, KILL)).isFalse();
        assertThat(allows(number, new long[] {0x35, 0, 1, 7}, ALLOW, KILL)).isTrue();
        assertThat(allows(number, new long[] {0x35, 0, 1, 8}, ALLOW, KILL)).isFalse();
        assertThat(allows(high, new long[] {0x25, 0, 1, 1}, ALLOW, KILL)).isTrue();
        assertThat(allows(number, new long[] {0x45, 0, 1, 4}, ALLOW, KILL)).isTrue();
        assertThat(allows(number, new long[] {0x45, 0, 1, 8}, ALLOW, KILL)).isFalse();
        assertThat(allows(number, new long[] {0x54, 0, 0, 5}, new long[] {0x15, 0, 1, 5}, ALLOW, KILL))
                .isTrue();
        assertThat(allows(new long[] {0x05, 0, 0, 1}, KILL, ALLOW)).isTrue();
        assertThat(Simulator.run(filter(new long[] {0x05, 0, 0, 1}, KILL, ALLOW), DATA)
                        .executed())
                .isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {-4, -1, 1, 2, 63, 64, 65, 68})
    void a_load_from_elsewhere_is_refused(int offset) {
        assertThatThrownBy(() -> allows(new long[] {0x20, 0, 0, offset}, ALLOW))
                .isInstanceOfSatisfying(
                        SeccompException.class, e -> assertThat(e.code()).isEqualTo("FILTER_INVALID"));
    }

    @Test
    void a_program_that_no_kernel_loads_is_refused() {
        assertThatThrownBy(() -> allows(new long[] {0x05, 0, 0, -1}, ALLOW))
                .hasMessageContaining("a jump of 4294967295");
        assertThatThrownBy(() -> allows(new long[] {0x05, 0, 0, 5000}, ALLOW)).hasMessageContaining("a jump of 5000");
        assertThatThrownBy(() -> allows(new long[] {0x20, 0, 0, 0})).hasMessageContaining("does not end");
        assertThatThrownBy(() -> allows(new long[] {0x1f, 0, 0, 0}, ALLOW)).hasMessageContaining("0x1f");
    }

    @Test
    void what_a_filter_looks_at_is_known() {
        Filter byNumber = filter(new long[] {0x20, 0, 0, 4}, new long[] {0x20, 0, 0, 0}, ALLOW);
        Filter byArgument = filter(new long[] {0x20, 0, 0, 16}, ALLOW);
        Filter byPointer = filter(new long[] {0x20, 0, 0, 8}, ALLOW);

        assertThat(Simulator.allowsWithoutArguments(byNumber, DATA)).isTrue();
        assertThat(Simulator.allowsWithoutArguments(byArgument, DATA)).isFalse();
        assertThat(Simulator.allowsWithoutArguments(byPointer, DATA)).isFalse();
        assertThat(Simulator.allowsWithoutArguments(filter(KILL), DATA)).isFalse();
        assertThat(Simulator.examined(byNumber, DATA)).isEmpty();
        assertThat(Simulator.examined(byArgument, DATA)).containsExactly(16L << 32 | 0x22222222L);
        assertThat(Simulator.examined(filter(new long[] {0x20, 0, 0, 60}, ALLOW), DATA))
                .containsExactly(60L << 32 | 0x55555555L);
    }
}
