package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
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
                .contains("no arguments make the filter allow this call")
                .anyMatch(reason -> reason.contains("to containers with CAP_SYS_ADMIN"))
                .anyMatch(reason -> reason.startsWith("it is of the group "));
    }

    @Test
    void of_a_call_that_depends_on_arguments_those_that_pass_are_told() {
        assertThat(explainer
                        .explain(SeccompData.of(Architecture.X86_64, 41, 17, 3))
                        .reasons())
                .contains(
                        "the filter allows it where arg0[0] == 1",
                        "the filter allows it where arg0[0] == 2 and arg1[0] & 0xf != 3 and arg2[0] & 0x1ff != 256");
        assertThat(explainer.explain(SeccompData.of(Architecture.X86_64, 1000)).reasons())
                .containsExactly("no call has this number");
    }

    @Test
    void of_many_ways_to_pass_four_are_told_and_the_others_counted() {
        var rules = new StringBuilder();
        for (int value = 1; value <= 7; value++) {
            rules.append(value == 1 ? "" : ",")
                    .append(
                            "{\"names\": [\"dup\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 0, \"value\": ")
                    .append(value)
                    .append(", \"op\": \"SCMP_CMP_EQ\"}]}");
        }
        Filter many = Compiler.compile(
                Profile.parse("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [" + rules + "]}"),
                Calls.target(Architecture.X86_64));
        long ways = Paths.of(many, Architecture.X86_64.auditValue(), 32).stream()
                .filter(path -> path.action().equals(Action.ALLOW))
                .count();

        assertThat(new FilterExplainer(many)
                        .explain(SeccompData.of(Architecture.X86_64, 32, 99))
                        .reasons())
                .filteredOn(reason -> reason.startsWith("the filter allows it where ") || reason.startsWith("and in "))
                .hasSize(5)
                .last()
                .isEqualTo("and in " + (ways - 4) + " other cases, see 'caisson seccomp explain'");
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

    @Test
    void all_that_is_known_of_a_call_is_told_and_no_more() {
        assertThat(explainer.explain(SeccompData.of(Architecture.X86_64, 165)).reasons())
                .containsExactly(
                        "no arguments make the filter allow this call",
                        "Caisson's default profile allows it to containers with CAP_SYS_ADMIN",
                        "it is of the group mount; its risk: changes what the container sees of the host");
        assertThat(explainer.explain(SeccompData.of(Architecture.X86_64, 32)).reasons())
                .containsExactly(
                        "the filter allows this call, whatever its arguments are", "it is of the group descriptor");
    }

    /// Each way once, its tests in a row, and the first four of them.
    @Test
    void ways_of_several_tests_are_told_as_one_each() {
        for (int count = 1; count <= 5; count++) {
            var rules = new ArrayList<Rule>();
            for (int value = 1; value <= count; value++) {
                rules.add(Rule.of(
                        Action.ALLOW,
                        List.of(
                                Condition.of(0, Condition.Operator.EQ, 16 + value),
                                Condition.of(1, Condition.Operator.EQ, 3)),
                        "fcntl"));
            }
            rules.add(Rule.of(Action.errno(2), List.of(Condition.of(2, Condition.Operator.EQ, 9)), "dup"));
            Filter filter = Compiler.compile(
                    CompilerTest.profileOf(Action.errno(1), rules.toArray(Rule[]::new)),
                    Calls.target(Architecture.X86_64));
            List<String> ways = Paths.of(filter, Architecture.X86_64.auditValue(), 72).stream()
                    .filter(path -> path.action().equals(Action.ALLOW))
                    .map(path ->
                            path.decisive().stream().map(WordTest::toString).collect(Collectors.joining(" and ")))
                    .distinct()
                    .toList();
            var expected = new ArrayList<String>();
            ways.stream().limit(4).forEach(way -> expected.add("the filter allows it where " + way));
            if (ways.size() > 4) {
                expected.add("and in " + (ways.size() - 4) + " other cases, see 'caisson seccomp explain'");
            }
            expected.add("it is of the group descriptor");

            assertThat(ways).hasSize(count).allMatch(way -> way.contains(" and "));
            assertThat(new FilterExplainer(filter)
                            .explain(SeccompData.of(Architecture.X86_64, 72))
                            .reasons())
                    .isEqualTo(expected);
            assertThat(new FilterExplainer(filter)
                            .explain(SeccompData.of(Architecture.X86_64, 32))
                            .reasons())
                    .startsWith("no arguments make the filter allow this call");
        }
    }
}
