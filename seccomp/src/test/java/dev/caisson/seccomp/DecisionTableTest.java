package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class DecisionTableTest {
    private final Target target = Calls.target(Architecture.X86_64);
    private final Filter standard = Compiler.compile(Profile.standard(), target);

    @Test
    void a_filter_read_back_says_what_its_profile_said() {
        Filter read = Filter.of(Architecture.X86_64, standard.bytes());
        DecisionTable table = DecisionTable.of(read);
        assertThat(table.row(Architecture.X86_64, "read").orElseThrow().ways())
                .singleElement()
                .satisfies(way -> {
                    assertThat(way.conditions()).isEmpty();
                    assertThat(way.action()).isEqualTo(Action.ALLOW);
                });
        assertThat(table.row(Architecture.X86_64, "mount").orElseThrow().loosest())
                .isEqualTo(Action.errno(1));
        assertThat(table.row(Architecture.X86_64, "ioctl").orElseThrow().ways())
                .extracting(DecisionTable.Way::conditions, DecisionTable.Way::action)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(List.of("arg1[0] == 0x5412"), Action.errno(1)),
                        org.assertj.core.groups.Tuple.tuple(
                                List.of("arg1[0] != 0x5412", "arg1[0] == 0x541c"), Action.errno(1)),
                        org.assertj.core.groups.Tuple.tuple(
                                List.of("arg1[0] != 0x5412", "arg1[0] != 0x541c", "arg1[0] == 0x5423"),
                                Action.errno(1)),
                        org.assertj.core.groups.Tuple.tuple(
                                List.of("arg1[0] != 0x5412", "arg1[0] != 0x541c", "arg1[0] != 0x5423"), Action.ALLOW));
        assertThat(read.summary()).isEqualTo(standard.summary());
        assertThat(table.toString()).contains("X86_64", "ALLOW", "arg0[0] & 0x7e020000 == 0");
    }

    private static Profile parse(String text) {
        return Profile.parse(text.replace('\'', '"'));
    }

    @Test
    void its_text_has_the_calls_of_one_decision_in_a_line_and_each_way_of_the_others() {
        DecisionTable table = DecisionTable.of(Compiler.compile(
                parse(
                        "{'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [{'names': ['write', 'read'], 'action': 'SCMP_ACT_ALLOW'},"
                                + "{'names': ['dup'], 'action': 'SCMP_ACT_LOG', 'args': [{'index': 0, 'value': 9, 'op': 'SCMP_CMP_EQ'}]}]}"),
                target));

        assertThat(table.toString().lines().filter(line -> !line.matches("  (ERRNO.*|KILL_PROCESS)  [0-9]+ calls: .*")))
                .containsExactly(
                        "X86_64",
                        "  ALLOW  2 calls: read write",
                        "  dup",
                        "    arg0[0] == 9  LOG",
                        "    arg0[0] != 9  ERRNO(EPERM)",
                        "X86",
                        "X32");
        assertThat(table.row(Architecture.X86_64, "dup").orElseThrow().loosest())
                .isEqualTo(new Action(Action.Kind.LOG, 0));
        assertThat(table.row(Architecture.X86_64, "dup").orElseThrow().dependsOnArguments())
                .isTrue();
        assertThat(table.row(Architecture.X86_64, "close").orElseThrow().loosest())
                .isEqualTo(Action.errno(1));
        assertThat(table.row(Architecture.X86_64, "no_such_call")).isEmpty();
        assertThat(table.row(Architecture.X86, "dup").orElseThrow().abi()).isEqualTo(Architecture.X86);
    }

    @Test
    @Timeout(60)
    void every_ways_example_goes_that_way() {
        for (Architecture machine : List.of(Architecture.X86_64, Architecture.S390X)) {
            Filter filter = Compiler.compile(Profile.standard().withCompatibleAbis(), Calls.target(machine));
            for (DecisionTable.Row row : DecisionTable.of(filter).rows()) {
                for (DecisionTable.Way way : row.ways()) {
                    assertThat(Simulator.run(filter, way.example()).action()).isEqualTo(way.action());
                }
            }
        }
    }

    @Test
    void a_filter_does_not_differ_from_itself() {
        assertThat(FilterDifference.between(standard, Filter.of(Architecture.X86_64, standard.bytes())))
                .isEmpty();
    }

    @Test
    void one_changed_constant_is_found_with_a_call_that_shows_it() {
        List<Rule> rules = new ArrayList<>(Profile.standard().rules());
        rules.add(Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.EQ, 38)), "socket"));
        rules.add(Rule.of(Action.ALLOW, List.of(), "bpf"));
        Filter looser = Compiler.compile(CompilerTest.profileOf(Action.errno(1), rules.toArray(Rule[]::new)), target);
        List<FilterDifference> differences = FilterDifference.between(standard, looser);
        assertThat(differences)
                .extracting(difference -> difference.name().orElse(""), FilterDifference::loosens)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("socket", true),
                        org.assertj.core.groups.Tuple.tuple("bpf", true));
        assertThat((int) differences.getFirst().example().argument(0)).isEqualTo(38);
        assertThat(differences.getFirst())
                .hasToString("X86_64 socket(0x26, 0x0, 0x0, 0x0, 0x0, 0x0): ERRNO(EAFNOSUPPORT) / ALLOW");
    }

    @Test
    @Timeout(60)
    void the_difference_of_two_filters_is_found_exactly_where_trial_finds_one() {
        var random = new Random(5);
        Condition.Operator[] operators = Condition.Operator.values();
        for (int round = 0; round < 60; round++) {
            var filters = new ArrayList<Filter>();
            var boundaries = new ArrayList<Long>();
            for (int i = 0; i < 2; i++) {
                var rules = new ArrayList<Rule>();
                for (int rule = 0; rule < 2; rule++) {
                    long value = random.nextInt(4) + (random.nextBoolean() ? 1L << 32 : 0);
                    rules.add(Rule.of(
                            Action.ALLOW,
                            List.of(new Condition(
                                    random.nextInt(2), operators[random.nextInt(7)], value, value & random.nextInt(4))),
                            "lseek",
                            "mmap"));
                }
                Profile profile = CompilerTest.profileOf(Action.errno(1), rules.toArray(Rule[]::new));
                boundaries.addAll(Calls.boundaries(profile));
                filters.add(Compiler.compile(profile, target));
            }
            assertDifferencesAgreeWithTrial(filters.getFirst(), filters.getLast(), boundaries, random);
        }
    }

    private static void assertDifferencesAgreeWithTrial(
            Filter first, Filter second, List<Long> boundaries, Random random) {
        List<FilterDifference> differences = FilterDifference.between(first, second);
        for (FilterDifference difference : differences) {
            assertThat(Simulator.run(first, difference.example()).action()).isEqualTo(difference.first());
            assertThat(Simulator.run(second, difference.example()).action()).isEqualTo(difference.second());
        }
        Set<Integer> found =
                Set.copyOf(differences.stream().map(FilterDifference::number).toList());
        for (int number : IntStream.of(8, 9).toArray()) {
            boolean tried =
                    Calls.withArguments(SeccompData.of(Architecture.X86_64, number), boundaries, 2000, random).stream()
                            .anyMatch(call -> !Simulator.run(first, call)
                                    .action()
                                    .equals(Simulator.run(second, call).action()));
            if (tried) {
                assertThat(found).contains(number);
            }
        }
    }

    @Test
    void tests_of_one_word_are_solved_or_known_to_contradict() {
        var above = new WordTest(16, Node.ALL, Node.Jump.GREATER, 0xfffffffd, true);
        var even = new WordTest(16, Node.ALL, Node.Jump.ANY_BIT, 1, false);
        assertThat(WordTest.satisfy(List.of(above, even))).hasValue(0xfffffffe);
        var masked = new WordTest(16, 0xff00, Node.Jump.EQUAL, 0xff00, false);
        assertThat(WordTest.satisfy(List.of(above, even, masked))).isEmpty();
        assertThat(WordTest.satisfy(List.of(new WordTest(16, 0xf0, Node.Jump.EQUAL, 0x0f, true))))
                .isEmpty();
    }

    @Test
    void what_cannot_be_followed_is_said() {
        byte[] storing = {0x02, 0, 0, 0, 0, 0, 0, 0, 0x06, 0, 0, 0, 0, 0, 0, 0};
        Filter filter = Filter.of(Architecture.X86_64, storing);
        assertThatThrownBy(() -> DecisionTable.of(filter))
                .isInstanceOfSatisfying(
                        SeccompException.class,
                        e -> assertThat(e.reason()).isEqualTo(SeccompException.Code.FILTER_UNREADABLE));
        assertThatThrownBy(() -> Filter.of(Architecture.X86_64, new byte[9])).isInstanceOf(SeccompException.class);
    }

    @Test
    void a_program_without_a_return_is_refused() {
        Filter endless = Filter.of(Architecture.X86_64, new byte[] {0x20, 0, 0, 0, 0, 0, 0, 0});
        assertThatThrownBy(() -> Simulator.run(endless, SeccompData.of(Architecture.X86_64, 1)))
                .isInstanceOf(SeccompException.class);
    }
}
