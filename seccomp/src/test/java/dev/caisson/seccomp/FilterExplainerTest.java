package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FilterExplainerTest {
    private static final Filter FILTER = Compiler.compile(Profile.standard(), Calls.target(Architecture.X86_64));

    private final FilterExplainer explainer = new FilterExplainer(FILTER);

    @Test
    void a_call_that_no_arguments_let_through_is_told_with_the_capability_that_would() {
        Explanation explanation = explainer.explain(SeccompData.of(Architecture.X86_64, 165));

        assertThat(explanation.call()).startsWith("X86_64 mount(");
        assertThat(explanation.action()).isEqualTo(Action.errno(1));
        assertThat(explanation.reasons())
                .contains("the filter allows this call with no arguments")
                .anyMatch(reason -> reason.contains("to containers with CAP_SYS_ADMIN"))
                .anyMatch(reason -> reason.startsWith("it is of the group "));
    }

    @Test
    void of_a_call_that_depends_on_arguments_those_that_pass_are_told() {
        assertThat(explainer
                        .explain(SeccompData.of(Architecture.X86_64, 41, 17, 3))
                        .reasons())
                .contains("the filter allows it where arg0[0] == 1");
        assertThat(explainer.explain(SeccompData.of(Architecture.X86_64, 1000)).reasons())
                .containsExactly("no call has this number");
    }

    @Test
    void calls_that_differ_where_the_filter_does_not_look_are_one_kind() {
        SeccompData call = SeccompData.of(Architecture.X86_64, 41, 17, 3, 0);

        assertThat(Simulator.examined(FILTER, call))
                .isNotEmpty()
                .isEqualTo(Simulator.examined(FILTER, SeccompData.of(Architecture.X86_64, 41, 17 | 1L << 40, 3, 9)))
                .isNotEqualTo(Simulator.examined(FILTER, SeccompData.of(Architecture.X86_64, 41, 18, 3, 0)));
        assertThat(Simulator.examined(FILTER, SeccompData.of(Architecture.X86_64, 165, 1, 2)))
                .isEmpty();
    }
}
