package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// The reference that filters are held against, where numbers mean something else or nothing.
class ProfileEvaluatorTest {
    private static final Target TARGET = Calls.target(Architecture.X86_64);
    private static final int X32_BIT = 0x40000000;
    private static final int READ = 0;
    private static final int NO_CALL = 600;
    private static final Condition ZERO = Condition.of(0, Condition.Operator.EQ, 0);

    private static ProfileEvaluator evaluator(Architecture... others) {
        return new ProfileEvaluator(
                new Profile(
                        Action.errno(1),
                        Map.of(Architecture.X86_64, Set.of(others)),
                        Set.of(),
                        "",
                        "",
                        List.of(Rule.of(Action.ALLOW, List.of(), "read"))),
                TARGET);
    }

    private static SeccompData call(Architecture arch, int number) {
        return new SeccompData(number, arch.auditValue(), 0, 0, 0, 0, 0, 0, 0);
    }

    @Test
    void a_number_with_the_bit_of_x32_is_its_call_where_the_profile_lets_x32_in() {
        SeccompData read = call(Architecture.X86_64, READ | X32_BIT);

        assertThat(evaluator(Architecture.X32).decide(read)).isEqualTo(Action.ALLOW);
        assertThat(evaluator(Architecture.X32).call(read)).map(Syscall::name).contains("read");
        assertThat(evaluator().decide(read)).isNotEqualTo(Action.ALLOW);
        assertThat(evaluator().call(read)).isEmpty();
    }

    @Test
    void the_bit_means_nothing_under_another_abi() {
        assertThat(evaluator(Architecture.X86, Architecture.X32).call(call(Architecture.X86, READ | X32_BIT)))
                .isEmpty();
    }

    @Test
    void no_condition_holds_for_a_number_that_is_no_call() {
        assertThat(evaluator().holds(ZERO, call(Architecture.X86_64, READ))).isTrue();
        assertThat(evaluator().holds(ZERO, call(Architecture.X86_64, NO_CALL))).isFalse();
        assertThat(evaluator().holds(ZERO, call(Architecture.X86_64, -1))).isFalse();
        assertThat(evaluator().call(call(Architecture.X86_64, NO_CALL))).isEmpty();
    }
}
