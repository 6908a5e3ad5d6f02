package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Regions of arguments: together they are the decision, and no two of them meet.
class ArgumentRegionsTest {
    private static final List<Action> ACTIONS = List.of(Action.ALLOW, Action.errno(5), Action.KILL_PROCESS);
    private static final Action LEFT_OUT = Action.errno(1);

    private static Decisions.Decision decision(SplittableRandom random, int bits) {
        var branches = new ArrayList<Decisions.Branch>();
        for (int left = random.nextInt(1, 4); left > 0; left--) {
            branches.add(new Decisions.Branch(
                    Seeds.list(random, 1, 2, from -> condition(from, bits)), Seeds.one(random, ACTIONS)));
        }
        return new Decisions.Decision(branches, random.nextBoolean() ? LEFT_OUT : Action.ALLOW);
    }

    /// On arguments of which the highest two bits and the lowest two are tried.
    private static Condition condition(SplittableRandom random, int bits) {
        return new Condition(
                random.nextInt(2),
                Seeds.one(random, List.of(Condition.Operator.values())),
                value(random.nextInt(17), bits),
                value(random.nextInt(17), bits));
    }

    /// The seventeenth is the negative number that C's headers write.
    private static long value(int chosen, int bits) {
        return chosen == 16 ? -1 : (chosen & 3) | (long) (chosen >>> 2) << (bits - 2);
    }

    /// However few calls of all that there may be are in it.
    @Test
    void a_region_that_is_left_out_is_missed_whatever_its_size() {
        for (int arguments = 1; arguments <= 6; arguments++) {
            var all = new ArrayList<Condition>();
            for (int index = 0; index < arguments; index++) {
                all.add(Condition.of(index, Condition.Operator.EQ, 7));
            }
            var decision = new Decisions.Decision(List.of(new Decisions.Branch(all, Action.ALLOW)), LEFT_OUT);
            List<ArgumentRegions.Region> regions = ArgumentRegions.of(decision, index -> 32, LEFT_OUT);
            assertThat(ArgumentRegions.meansTheSame(regions, decision, index -> 32, LEFT_OUT))
                    .isTrue();
            for (int bits : new int[] {32, 64}) {
                assertThat(ArgumentRegions.meansTheSame(List.of(), decision, index -> bits, LEFT_OUT))
                        .as("%d arguments of %d bits", arguments, bits)
                        .isFalse();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 32, 64})
    void every_argument_gets_its_action_from_one_region_alone(int bits) {
        Seeds.check(60, random -> {
            Decisions.Decision decision = decision(random, bits);
            List<ArgumentRegions.Region> regions = ArgumentRegions.of(decision, index -> bits, LEFT_OUT);
            for (int first = 0; first < 17; first++) {
                for (int second = 0; second < 17; second++) {
                    long[] arguments = {value(first, bits), value(second, bits)};
                    List<Action> found = regions.stream()
                            .filter(region -> region.conditions().stream().allMatch(on -> holds(on, arguments, bits)))
                            .map(ArgumentRegions.Region::action)
                            .toList();
                    assertThat(found.isEmpty() ? List.of(LEFT_OUT) : found)
                            .as("%s with %x and %x", decision, arguments[0], arguments[1])
                            .containsExactly(decide(decision, arguments, bits));
                }
            }
            assertThat(regions).allSatisfy(region -> {
                assertThat(region.action()).isNotEqualTo(LEFT_OUT);
                assertThat(region.conditions())
                        .allMatch(condition -> condition.operator() == Condition.Operator.MASKED_EQ)
                        .extracting(Condition::index)
                        .doesNotHaveDuplicates()
                        .isSorted();
            });
        });
    }

    private static Action decide(Decisions.Decision decision, long[] arguments, int bits) {
        return decision.branches().stream()
                .filter(branch -> branch.conditions().stream().allMatch(on -> holds(on, arguments, bits)))
                .map(Decisions.Branch::action)
                .findFirst()
                .orElse(decision.otherwise());
    }

    private static boolean holds(Condition condition, long[] arguments, int bits) {
        long argument = narrow(arguments[condition.index()], bits);
        long value = constant(condition.value(), bits);
        return switch (condition.operator()) {
            case EQ -> argument == value;
            case NE -> argument != value;
            case LT -> Long.compareUnsigned(argument, value) < 0;
            case LE -> Long.compareUnsigned(argument, value) <= 0;
            case GE -> Long.compareUnsigned(argument, value) >= 0;
            case GT -> Long.compareUnsigned(argument, value) > 0;
            case MASKED_EQ -> (argument & condition.value()) == constant(condition.valueTwo(), bits);
        };
    }

    private static long narrow(long value, int bits) {
        return bits == 64 ? value : value & ((1L << bits) - 1);
    }

    private static long constant(long value, int bits) {
        return value < 0 && value == (int) value ? narrow(value, bits) : value;
    }

    @Test
    void a_decision_that_is_one_action_for_all_is_one_region_or_none() {
        assertThat(ArgumentRegions.of(new Decisions.Decision(List.of(), LEFT_OUT), index -> 32, LEFT_OUT))
                .isEmpty();
        assertThat(ArgumentRegions.of(new Decisions.Decision(List.of(), Action.ALLOW), index -> 32, LEFT_OUT))
                .containsExactly(new ArgumentRegions.Region(List.of(), Action.ALLOW));
        assertThat(ArgumentRegions.of(single(Condition.masked(3, 0xff, 7)), index -> 32, LEFT_OUT))
                .containsExactly(new ArgumentRegions.Region(List.of(Condition.masked(3, 0xff, 7)), Action.ALLOW));
    }

    private static Decisions.Decision single(Condition condition) {
        return new Decisions.Decision(List.of(new Decisions.Branch(List.of(condition), Action.ALLOW)), LEFT_OUT);
    }

    /// A condition on the upper half that a compiler for 32 bits drops.
    @Test
    void regions_mean_the_same_in_32_bits_only_where_they_do() {
        List<ArgumentRegions.Region> low =
                ArgumentRegions.of(single(Condition.of(0, Condition.Operator.EQ, 7)), index -> 64, LEFT_OUT);
        List<ArgumentRegions.Region> high =
                ArgumentRegions.of(single(Condition.of(0, Condition.Operator.EQ, 7L << 32)), index -> 64, LEFT_OUT);
        List<ArgumentRegions.Region> below =
                ArgumentRegions.of(single(Condition.of(0, Condition.Operator.LT, 7)), index -> 64, LEFT_OUT);

        assertThat(meansTheSame(low, single(Condition.of(0, Condition.Operator.EQ, 7))))
                .isTrue();
        assertThat(meansTheSame(low, single(Condition.of(0, Condition.Operator.EQ, 8))))
                .isFalse();
        assertThat(meansTheSame(low, single(Condition.of(0, Condition.Operator.LE, 7))))
                .isFalse();
        assertThat(meansTheSame(low, new Decisions.Decision(List.of(), LEFT_OUT)))
                .isFalse();
        assertThat(meansTheSame(List.of(), single(Condition.of(0, Condition.Operator.EQ, 7))))
                .isFalse();
        assertThat(meansTheSame(high, single(Condition.of(0, Condition.Operator.EQ, 7L << 32))))
                .isFalse();
        assertThat(meansTheSame(below, single(Condition.of(0, Condition.Operator.LT, 7))))
                .isTrue();
        var all = new ArgumentRegions.Region(List.of(), Action.ALLOW);
        assertThat(meansTheSame(List.of(all), new Decisions.Decision(List.of(), Action.ALLOW)))
                .isTrue();
        var again = new ArgumentRegions.Region(List.of(Condition.masked(0, 1, 1)), Action.ALLOW);
        assertThat(meansTheSame(List.of(all, again), new Decisions.Decision(List.of(), Action.ALLOW)))
                .isFalse();
    }

    private static boolean meansTheSame(List<ArgumentRegions.Region> regions, Decisions.Decision decision) {
        return ArgumentRegions.meansTheSame(regions, decision, index -> 32, LEFT_OUT);
    }

    @Test
    void more_cases_than_anybody_writes_are_refused() {
        var branches = new ArrayList<Decisions.Branch>();
        for (int bit = 0; bit < 16; bit++) {
            branches.add(new Decisions.Branch(
                    List.of(Condition.masked(0, 1L << bit, 0), Condition.masked(1, 1L << bit, 0)),
                    Seeds.one(new SplittableRandom(bit), ACTIONS)));
        }
        assertThatExceptionOfType(ArgumentRegions.TooManyException.class)
                .isThrownBy(
                        () -> ArgumentRegions.of(new Decisions.Decision(branches, LEFT_OUT), index -> 64, LEFT_OUT));
    }

    @Test
    void values_that_differ_in_one_bit_alone_are_one_region() {
        var branches = new ArrayList<Decisions.Branch>();
        for (long value : new long[] {4, 5}) {
            branches.add(new Decisions.Branch(List.of(Condition.of(0, Condition.Operator.EQ, value)), Action.ALLOW));
        }
        var both = new Decisions.Decision(branches, LEFT_OUT);

        assertThat(ArgumentRegions.of(both, index -> 32, LEFT_OUT))
                .containsExactly(
                        new ArgumentRegions.Region(List.of(Condition.masked(0, 0xffff_fffeL, 4)), Action.ALLOW));
    }
}
