package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// The normal form of a call's rules: what cannot change the outcome is not in it.
class DecisionsTest {
    private static final int READ = 0;
    private static final Condition FIRST = Condition.of(0, Condition.Operator.EQ, 3);
    private static final Condition SECOND = Condition.of(1, Condition.Operator.EQ, 4);

    private static Decisions.Decision read(Rule... rules) {
        return Objects.requireNonNull(
                new Decisions(CompilerTest.profileOf(Action.errno(1), rules), Calls.target(Architecture.X86_64))
                        .of(Architecture.X86_64)
                        .get(READ));
    }

    @Test
    void a_condition_that_leads_to_what_holds_anyway_is_left_out() {
        assertThat(read(Rule.of(Action.errno(1), List.of(FIRST), "read")).dependsOnArguments())
                .isFalse();
        assertThat(read(Rule.of(Action.ALLOW, List.of(FIRST), "read"), Rule.of(Action.ALLOW, List.of(), "read"))
                        .dependsOnArguments())
                .isFalse();
        assertThat(read(Rule.of(Action.ALLOW, List.of(FIRST), "read")).branches())
                .containsExactly(new Decisions.Branch(List.of(FIRST), Action.ALLOW));
    }

    @Test
    void the_same_rule_twice_is_one_and_the_strictest_is_tried_first() {
        Rule allowed = Rule.of(Action.ALLOW, List.of(FIRST), "read");
        assertThat(read(allowed, Rule.of(Action.KILL_PROCESS, List.of(SECOND), "read"), allowed)
                        .branches())
                .containsExactly(
                        new Decisions.Branch(List.of(SECOND), Action.KILL_PROCESS),
                        new Decisions.Branch(List.of(FIRST), Action.ALLOW));
    }
}
