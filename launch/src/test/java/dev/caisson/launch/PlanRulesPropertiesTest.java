package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The rules stand twice, in PlanRules and in `native/plan.c`: whatever is done to the order and number of a plan's
/// steps, both take it or both refuse it.
class PlanRulesPropertiesTest {
    private static final List<LaunchPlan> PLANS = PlanCodecTest.plans().toList();
    private static final List<Step> STEPS =
            PLANS.stream().flatMap(plan -> plan.steps().stream()).distinct().toList();

    private static @Nullable NativeDecoder decoder;

    /// Places are taken modulo what there is.
    sealed interface Mutation {
        record Remove(int at) implements Mutation {}

        record Repeat(int at, int to) implements Mutation {}

        record Move(int from, int to) implements Mutation {}

        record Swap(int one, int other) implements Mutation {}

        /// A step of this or another plan.
        record Insert(int step, int to) implements Mutation {}

        default void apply(List<Step> steps) {
            int size = Math.max(1, steps.size());
            switch (this) {
                case Remove remove when !steps.isEmpty() -> steps.remove(remove.at() % size);
                case Repeat repeat
                when !steps.isEmpty() -> steps.add(repeat.to() % (size + 1), steps.get(repeat.at() % size));
                case Move move
                when !steps.isEmpty() -> {
                    Step step = steps.remove(move.from() % size);
                    steps.add(move.to() % (steps.size() + 1), step);
                }
                case Swap swap
                when !steps.isEmpty() -> {
                    Step one = steps.get(swap.one() % size);
                    steps.set(swap.one() % size, steps.get(swap.other() % size));
                    steps.set(swap.other() % size, one);
                }
                case Insert insert ->
                    steps.add(insert.to() % (steps.size() + 1), STEPS.get(insert.step() % STEPS.size()));
                default -> {}
            }
        }
    }

    @BeforeAll
    static void start() throws Exception {
        decoder = new NativeDecoder();
    }

    @AfterAll
    static void end() throws Exception {
        decoder().close();
    }

    private static NativeDecoder decoder() {
        return Objects.requireNonNull(decoder);
    }

    /// Whether both take the plan, having asserted that they agree.
    private static boolean accepted(LaunchPlan plan, List<Mutation> mutations) {
        var steps = new ArrayList<>(plan.steps());
        mutations.forEach(mutation -> mutation.apply(steps));
        var mutated = new LaunchPlan(plan.ids(), plan.namespaces(), plan.root(), plan.slots(), steps);

        String refusal = "";
        try {
            PlanRules.verify(mutated);
        } catch (IllegalStateException e) {
            refusal = String.valueOf(e.getMessage());
        }
        int broken = decoder().broken(PlanCodec.encode(mutated));
        // Of what a slot holds the decoder knows only whether it is fixed, the root or neither.
        boolean onlyKinds = refusal.matches(".*only (bind, cover, [a-z, ]*|tasks|device) slots.*");
        if (!onlyKinds) {
            assertThat(broken == 0)
                    .as("%s %s: \"%s\" there, rule %d here", mutations, steps, refusal, broken)
                    .isEqualTo(refusal.isEmpty());
        }
        return broken == 0;
    }

    @Test
    void plans_as_they_are_made_are_taken() {
        for (LaunchPlan plan : PLANS) {
            assertThat(accepted(plan, List.of())).isTrue();
        }
    }

    @Test
    void every_single_change_is_judged_alike() {
        int taken = 0;
        int refused = 0;
        for (LaunchPlan plan : List.of(PLANS.get(2), PLANS.get(3), PLANS.get(5), PLANS.getLast())) {
            int size = plan.steps().size();
            for (int i = 0; i < size; i++) {
                var mutations = new ArrayList<Mutation>(List.of(new Mutation.Remove(i)));
                for (int j = 0; j < size; j++) {
                    mutations.add(new Mutation.Swap(i, j));
                    mutations.add(new Mutation.Move(i, j));
                    mutations.add(new Mutation.Repeat(i, j));
                }
                for (Mutation mutation : mutations) {
                    if (accepted(plan, List.of(mutation))) {
                        taken++;
                    } else {
                        refused++;
                    }
                }
            }
        }
        assertThat(taken).as("taken").isGreaterThan(1000);
        assertThat(refused).as("refused").isGreaterThan(1000);
    }

    @Test
    void several_changes_are_judged_alike() {
        Seeds.check(
                5000,
                random -> accepted(
                        Seeds.one(random, PLANS), Seeds.list(random, 1, 6, PlanRulesPropertiesTest::mutation)));
    }

    private static Mutation mutation(SplittableRandom random) {
        int one = random.nextInt(1000);
        int other = random.nextInt(1000);
        return switch (random.nextInt(5)) {
            case 0 -> new Mutation.Remove(one);
            case 1 -> new Mutation.Repeat(one, other);
            case 2 -> new Mutation.Move(one, other);
            case 3 -> new Mutation.Swap(one, other);
            default -> new Mutation.Insert(one, other);
        };
    }
}
