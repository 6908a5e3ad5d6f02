package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Ways through programs of a few instructions, and programs that cannot be followed.
class PathsTest {
    private static final long[] ALLOW = {0x06, 0, 0, 0x7fff0000};
    private static final long[] KILL = {0x06, 0, 0, 0x80000000L};
    private static final int ARCH = Architecture.X86_64.auditValue();

    /// @param instructions code, jump if true, jump if false, constant
    private static Filter filter(Architecture architecture, List<long[]> instructions) {
        ByteBuffer program = ByteBuffer.allocate(8 * instructions.size()).order(architecture.byteOrder());
        for (long[] each : instructions) {
            program.putShort((short) each[0])
                    .put((byte) each[1])
                    .put((byte) each[2])
                    .putInt((int) each[3]);
        }
        return Filter.of(architecture, program.array());
    }

    private static List<Paths.Path> ways(long[]... instructions) {
        return Paths.of(filter(Architecture.X86_64, List.of(instructions)), ARCH, 7);
    }

    private static void isUnreadable(String what, long[]... instructions) {
        assertThatExceptionOfType(SeccompException.class)
                .isThrownBy(() -> ways(instructions))
                .withMessageContaining(what)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(SeccompException.Code.FILTER_UNREADABLE));
    }

    @Test
    void number_and_abi_are_known_and_take_one_way() {
        assertThat(ways(new long[] {0x20, 0, 0, 0}, new long[] {0x15, 0, 1, 7}, ALLOW, KILL))
                .extracting(Paths.Path::action, path -> path.tests().size())
                .containsExactly(org.assertj.core.groups.Tuple.tuple(Action.ALLOW, 0));
        assertThat(ways(new long[] {0x20, 0, 0, 4}, new long[] {0x15, 1, 0, ARCH}, ALLOW, KILL))
                .extracting(Paths.Path::action)
                .containsExactly(Action.KILL_PROCESS);
        assertThat(ways(
                        new long[] {0x20, 0, 0, 0},
                        new long[] {0x54, 0, 0, 3},
                        new long[] {0x15, 0, 1, 3},
                        ALLOW,
                        KILL))
                .extracting(Paths.Path::action)
                .containsExactly(Action.ALLOW);
        assertThat(ways(new long[] {0x00, 0, 0, 9}, new long[] {0x15, 0, 1, 9}, ALLOW, KILL))
                .extracting(Paths.Path::action)
                .containsExactly(Action.ALLOW);
        assertThat(ways(new long[] {0x05, 0, 0, 1}, KILL, ALLOW))
                .extracting(Paths.Path::action)
                .containsExactly(Action.ALLOW);
    }

    @ParameterizedTest
    @ValueSource(ints = {-4, 1, 9, 61, 62, 64, 68})
    void a_load_from_elsewhere_is_unreadable(int offset) {
        isUnreadable("a load from offset " + Integer.toUnsignedString(offset), new long[] {0x20, 0, 0, offset}, ALLOW);
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 16, 60})
    void the_first_and_the_last_word_of_the_open_ones_can_be_read(int offset) {
        assertThat(ways(new long[] {0x20, 0, 0, offset}, new long[] {0x15, 0, 1, 9}, ALLOW, KILL))
                .hasSize(2);
    }

    @Test
    void what_cannot_be_followed_is_told() {
        isUnreadable("a jump of 4294967295", new long[] {0x05, 0, 0, -1}, ALLOW);
        isUnreadable("a jump of 3", new long[] {0x05, 0, 0, 3}, ALLOW);
        isUnreadable("does not end in a return", new long[] {0x05, 0, 0, 2}, ALLOW);
        isUnreadable("does not end in a return", new long[] {0x20, 0, 0, 0});
        isUnreadable("instruction code 0x1d", new long[] {0x1d, 0, 0, 0}, ALLOW);
        isUnreadable("instruction code 0x2", new long[] {0x02, 0, 0, 0}, ALLOW);
    }

    /// Doubles with each test: 15 make 32,768 ways.
    @Test
    void more_ways_than_anybody_reads_are_refused() {
        assertThat(ways(doubling(9))).hasSize(1 << 9);
        isUnreadable("more than 20000 ways", doubling(15));
    }

    private static long[][] doubling(int tests) {
        var program = new ArrayList<long[]>();
        program.add(new long[] {0x20, 0, 0, 16});
        for (int bit = 0; bit < tests; bit++) {
            program.add(new long[] {0x45, 0, 0, 1L << bit});
        }
        program.add(ALLOW);
        return program.toArray(long[][]::new);
    }

    /// Registers are 64 bits wide, and a machine's byte order says which half comes first.
    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"X86_64", "S390X"})
    void an_example_goes_its_way_in_both_halves_of_every_argument(Architecture machine) {
        for (int offset = 16; offset < 64; offset += 4) {
            Filter filter = filter(
                    machine,
                    List.of(new long[] {0x20, 0, 0, offset}, new long[] {0x15, 0, 1, 0x80000005L}, ALLOW, KILL));
            List<Paths.Path> ways = Paths.of(filter, machine.auditValue(), 7);
            assertThat(ways).extracting(Paths.Path::action).containsExactly(Action.ALLOW, Action.KILL_PROCESS);
            assertThat(ways).allSatisfy(way -> {
                assertThat(filter.decide(way.example())).isEqualTo(way.action());
                assertThat(way.example().number()).isEqualTo(7);
                assertThat(way.example().arch()).isEqualTo(machine.auditValue());
            });
            boolean low = offset % 8 == (machine == Architecture.S390X ? 4 : 0);
            assertThat(ways.getFirst().example().argument((offset - 16) / 8))
                    .isEqualTo(low ? 0x80000005L : 0x80000005L << 32);
        }
    }

    /// Tests that come out as before make no new way, and cost all the same.
    @Test
    void a_program_of_too_many_tests_is_not_followed_to_its_end() {
        var program = new ArrayList<long[]>();
        for (int bit = 0; bit < 12; bit++) {
            program.add(new long[] {0x20, 0, 0, 16});
            program.add(new long[] {0x45, 0, 0, 1L << bit});
        }
        for (int again = 0; again < 1200; again++) {
            program.add(new long[] {0x45, 0, 0, 1});
        }
        program.add(ALLOW);

        isUnreadable("more tests for one call than can be followed", program.toArray(long[][]::new));
    }

    @Test
    void numbers_around_every_constant_are_tried() {
        Filter filter = filter(
                Architecture.X86_64,
                List.of(new long[] {0x20, 0, 0, 0}, new long[] {0x15, 0, 1, 90_000}, ALLOW, new long[] {
                    0x06, 0, 0, 70_000
                }));
        assertThat(Paths.numbers(filter, Architecture.X86_64))
                .contains(0, 89_999, 90_000, 90_001)
                .doesNotContain(69_999, 70_000, 89_998, 90_002);
        assertThat(Paths.numbers(filter, Architecture.X32))
                .contains(Architecture.X32_BIT)
                .allMatch(number -> (number & Architecture.X32_BIT) != 0);
        Filter ofX32 = filter(
                Architecture.X86_64,
                List.of(
                        new long[] {0x20, 0, 0, 0},
                        new long[] {0x15, 0, 1, Architecture.X32_BIT | 90_000},
                        ALLOW,
                        KILL));
        assertThat(Paths.numbers(ofX32, Architecture.X32)).contains(Architecture.X32_BIT | 90_001);
        assertThat(Paths.numbers(ofX32, Architecture.X86_64)).noneMatch(number -> number < 0 || number > 80_000);
    }
}
