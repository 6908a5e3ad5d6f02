package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CompilerTest {
    private static final Action EPERM = Action.errno(1);
    private static final Action ENOSYS = Action.errno(38);

    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"X86", "X32", "ARM"},
            mode = EnumSource.Mode.EXCLUDE)
    void every_number_of_the_default_profile_is_decided_as_the_profile_says(Architecture machine) {
        for (Profile profile : List.of(Profile.standard(), Profile.standard().withCompatibleAbis(), Profile.strict())) {
            Target target = Calls.target(machine);
            assertSame(profile, target, Compiler.compile(profile, target));
        }
    }

    static void assertSame(Profile profile, Target target, Filter filter) {
        var evaluator = new ProfileEvaluator(profile, target);
        var random = new Random(7);
        List<Long> boundaries = Calls.boundaries(profile);
        for (SeccompData call : Calls.numbers(target.architecture())) {
            for (SeccompData with : Calls.withArguments(call, boundaries, 24, random)) {
                assertThat(Simulator.run(filter, with).action())
                        .as("%s of %s on %s", with, profile, target)
                        .isEqualTo(evaluator.decide(with));
            }
        }
    }

    @Test
    void a_call_newer_than_the_kernel_is_taken_for_absent_and_a_known_one_is_denied() {
        Profile profile = Profile.standard();
        var old = new Target(Architecture.X86_64, KernelVersion.parse("5.10"), 0L);
        Filter filter = Compiler.compile(profile, old);
        assertThat(decide(filter, "landlock_restrict_self")).isEqualTo(Action.ALLOW);
        assertThat(decide(filter, "mount")).isEqualTo(EPERM);
        assertThat(decide(filter, "mount_setattr")).isEqualTo(ENOSYS);
        assertThat(decide(Compiler.compile(profile, Calls.target(Architecture.X86_64)), "mount_setattr"))
                .isEqualTo(EPERM);
    }

    @Test
    void a_profile_older_than_the_table_gives_newer_calls_enosys() {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ERRNO",
                 "syscalls": [{"names": ["read", "faccessat2"], "action": "SCMP_ACT_ALLOW"}]}""");
        Filter filter = Compiler.compile(profile, Calls.target(Architecture.X86_64));
        assertThat(decide(filter, "write")).isEqualTo(EPERM);
        assertThat(decide(filter, "openat2")).isEqualTo(EPERM);
        assertThat(decide(filter, "cachestat")).isEqualTo(ENOSYS);
    }

    @Test
    void conditions_of_one_rule_on_the_same_argument_must_all_hold() {
        Profile profile = profileOf(
                EPERM,
                Rule.of(
                        Action.ALLOW,
                        List.of(Condition.of(0, Condition.Operator.GE, 10), Condition.of(0, Condition.Operator.LE, 20)),
                        "personality"));
        Filter filter = Compiler.compile(profile, Calls.target(Architecture.X86_64));
        assertThat(IntStream.of(9, 10, 20, 21).mapToObj(value -> decide(filter, "personality", value)))
                .containsExactly(EPERM, Action.ALLOW, Action.ALLOW, EPERM);
    }

    @Test
    void a_conditional_rule_comes_before_an_unconditional_one_and_the_stricter_one_first() {
        Condition one = Condition.of(0, Condition.Operator.EQ, 1);
        Profile profile = profileOf(
                EPERM,
                Rule.of(Action.errno(22), List.of(), "personality"),
                Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.LE, 1)), "personality"),
                Rule.of(Action.KILL_PROCESS, List.of(one), "personality"),
                Rule.of(Action.errno(5), List.of(one), "personality"));
        Filter filter = Compiler.compile(profile, Calls.target(Architecture.AARCH64));
        assertThat(IntStream.of(0, 1, 2).mapToObj(value -> decide(filter, "personality", value)))
                .containsExactly(Action.ALLOW, Action.KILL_PROCESS, Action.errno(22));
    }

    @Test
    void the_upper_half_of_an_int_argument_counts_for_nothing() {
        Filter filter = Compiler.compile(Profile.standard(), Calls.target(Architecture.X86_64));
        assertThat(decide(filter, "socket", 40)).isEqualTo(Action.errno(97));
        assertThat(decide(filter, "socket", 40 | 1L << 32)).isEqualTo(Action.errno(97));
        assertThat(decide(filter, "socket", 2 | 1L << 32)).isEqualTo(Action.ALLOW);
        assertThat(decide(filter, "ioctl", 0, 0x5412 | 7L << 40)).isEqualTo(EPERM);
        assertThat(decide(filter, "ioctl", 0, 0x5413)).isEqualTo(Action.ALLOW);
    }

    @Test
    void numbers_are_decided_before_arguments_so_that_the_kernel_can_cache_them() {
        for (Architecture machine : List.of(Architecture.X86_64, Architecture.AARCH64, Architecture.S390X)) {
            Filter filter = Compiler.compile(Profile.standard(), Calls.target(machine));
            assertThat(filter.cacheableCalls()).isEqualTo(filter.summary().allowed());
        }
    }

    @Test
    void the_filter_stays_small_and_shallow() {
        Filter own = Compiler.compile(Profile.standard(), Calls.target(Architecture.X86_64));
        Filter three = Compiler.compile(Profile.standard().withCompatibleAbis(), Calls.target(Architecture.X86_64));
        assertThat(own.length()).isLessThanOrEqualTo(175);
        assertThat(three.length()).isLessThanOrEqualTo(335);
        double mean = IntStream.rangeClosed(0, 471)
                .map(number -> Simulator.run(three, SeccompData.of(Architecture.X86_64, number))
                        .executed())
                .average()
                .orElseThrow();
        assertThat(mean).isLessThanOrEqualTo(12);
    }

    @Test
    void jumps_farther_than_a_bytes_reach_are_made_in_steps() {
        var rules = new ArrayList<Rule>();
        for (int value = 0; value < 400; value++) {
            rules.add(Rule.of(
                    Action.errno(100 + value % 5),
                    List.of(
                            Condition.of(0, Condition.Operator.EQ, value),
                            Condition.of(1, Condition.Operator.NE, value)),
                    "personality"));
        }
        Profile profile = profileOf(EPERM, rules.toArray(Rule[]::new));
        Target target = Calls.target(Architecture.X86_64);
        Filter filter = Compiler.compile(profile, target);
        assertThat(filter.length()).isBetween(1200, 4096);
        var evaluator = new ProfileEvaluator(profile, target);
        for (int value = 0; value < 405; value++) {
            for (int second : new int[] {value, value + 1}) {
                SeccompData data = SeccompData.of(Architecture.X86_64, 135, value, second);
                assertThat(Simulator.run(filter, data).action()).isEqualTo(evaluator.decide(data));
            }
        }
    }

    @Test
    void a_profile_that_needs_more_than_the_kernel_takes_is_refused() {
        var rules = new ArrayList<Rule>();
        for (int value = 0; value < 5000; value++) {
            rules.add(
                    Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.EQ, 2L * value)), "personality"));
        }
        Profile profile = profileOf(EPERM, rules.toArray(Rule[]::new));
        assertThatThrownBy(() -> Compiler.compile(profile, Calls.target(Architecture.X86_64)))
                .isInstanceOfSatisfying(
                        SeccompException.class,
                        e -> assertThat(e.reason()).isEqualTo(SeccompException.Code.FILTER_TOO_LONG));
    }

    @Test
    void the_bytes_are_the_machines_own() {
        Profile profile = profileOf(Action.ALLOW);
        assertThat(Compiler.compile(profile, Calls.target(Architecture.X86_64)).bytes())
                .startsWith(0x20, 0, 0, 0, 4, 0, 0, 0, 0x15, 0);
        assertThat(Compiler.compile(profile, Calls.target(Architecture.S390X)).bytes())
                .startsWith(0, 0x20, 0, 0, 0, 0, 0, 4, 0, 0x15);
    }

    @Test
    void calls_the_kernel_does_not_ask_about_are_not_counted_as_denied() {
        Filter filter = Compiler.compile(Profile.standard(), Calls.target(Architecture.X86_64));
        assertThat(filter.summary().unfilterable()).containsExactly("uprobe", "uretprobe");
        assertThat(filter.summary().unknownNames()).isEmpty();
        assertThat(filter.summary())
                .hasToString(filter.summary().allowed()
                        + " calls allowed, 11 by argument, the rest ERRNO(EPERM), unknown ERRNO(ENOSYS)");
    }

    static Profile profileOf(Action defaultAction, Rule... rules) {
        return new Profile(defaultAction, Map.of(), Set.of(), "", "", List.of(rules));
    }

    private static Action decide(Filter filter, String name, long... arguments) {
        Architecture machine = filter.architecture();
        int number = SyscallTable.get().calls(machine).entrySet().stream()
                .filter(entry -> entry.getValue().name().equals(name))
                .findFirst()
                .orElseThrow()
                .getKey();
        return Simulator.run(filter, SeccompData.of(machine, number, arguments)).action();
    }

    @Test
    void a_condition_that_decides_as_what_follows_it_is_left_out() {
        Condition first = Condition.of(0, Condition.Operator.EQ, 2);
        Profile profile = profileOf(
                Action.errno(1),
                Rule.of(Action.ALLOW, List.of(first), "socket"),
                Rule.of(Action.ALLOW, List.of(), "socket"));
        Filter filter = Compiler.compile(profile, Calls.target(Architecture.X86_64));

        assertThat(filter.cacheableCalls()).isEqualTo(1);
    }

    @Test
    void a_condition_of_two_parts_does_not_hide_one_of_the_first_alone() {
        Condition first = Condition.of(0, Condition.Operator.EQ, 2);
        Condition second = Condition.of(1, Condition.Operator.EQ, 3);
        Profile profile = profileOf(
                Action.errno(1),
                Rule.of(Action.ALLOW, List.of(first, second), "socket"),
                Rule.of(Action.ALLOW, List.of(first), "socket"));
        Filter filter = Compiler.compile(profile, Calls.target(Architecture.X86_64));

        assertThat(filter.decide(Architecture.X86_64, "socket", 2, 4)).isEqualTo(Action.ALLOW);
        assertThat(filter.decide(Architecture.X86_64, "socket", 3, 3)).isEqualTo(Action.errno(1));
    }
}
