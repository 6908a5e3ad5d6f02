package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What was recorded under a profile lets nothing through that the profile denies, the base set not either.
class RecordedProfileTest {
    private static final Target TARGET = Calls.target(Architecture.X86_64);
    private static final Set<String> BASE = Set.of(
            "execveat", "exit", "exit_group", "rt_sigreturn", "sigreturn", "restart_syscall", "futex", "sched_yield");

    private static Filter filter(Profile profile) {
        return Compiler.compile(profile, TARGET);
    }

    private static Profile recorded(Profile under, String... seen) {
        return RecordedProfile.of(Optional.of(under), TARGET, Set.of(seen));
    }

    private static void assertNoLooser(Profile under, Profile recorded) {
        assertThat(FilterDifference.between(filter(under), filter(recorded)))
                .filteredOn(FilterDifference::loosens)
                .isEmpty();
    }

    private static Profile allowing(String... names) {
        return Profile.parse("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\""
                + String.join("\", \"", names) + "\"], \"action\": \"SCMP_ACT_ALLOW\"}]}");
    }

    private static Profile denying(String name) {
        return Profile.parse("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"" + name
                + "\"], \"action\": \"SCMP_ACT_ERRNO\"}]}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"exit", "exit_group", "rt_sigreturn", "restart_syscall", "futex", "sched_yield"})
    void a_call_of_the_base_set_that_the_profile_denies_stays_denied(String name) {
        Profile without =
                allowing(BASE.stream().filter(each -> !each.equals(name)).toArray(String[]::new));

        for (Profile under : List.of(without, denying(name))) {
            for (Profile recorded : List.of(recorded(under), recorded(under, name, "read"))) {
                assertThat(filter(recorded).decide(Architecture.X86_64, name)).isNotEqualTo(Action.ALLOW);
                assertNoLooser(under, recorded);
            }
        }
    }

    static Stream<Profile> profiles() {
        return Stream.of(Profile.standard(), Profile.strict(), allowing("execveat", "read"), denying("mount"));
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void whatever_was_seen_nothing_is_looser_than_the_profile(Profile under) {
        var all = new HashSet<String>();
        SyscallTable.get().calls(Architecture.X86_64).values().forEach(call -> all.add(call.name()));

        assertNoLooser(under, recorded(under));
        assertNoLooser(under, recorded(under, all.toArray(String[]::new)));
    }

    @Test
    void what_was_not_seen_is_denied_and_the_base_set_is_allowed() {
        Filter filter = filter(recorded(Profile.standard(), "read", "socket"));

        for (String name : List.of(
                "read", "execveat", "exit", "exit_group", "rt_sigreturn", "restart_syscall", "futex", "sched_yield")) {
            assertThat(filter.decide(Architecture.X86_64, name)).as(name).isEqualTo(Action.ALLOW);
        }
        assertThat(filter.decide(Architecture.X86_64, "socket", 2)).isEqualTo(Action.ALLOW);
        for (String name : List.of("write", "openat", "mount", "clone")) {
            assertThat(filter.decide(Architecture.X86_64, name)).as(name).isNotEqualTo(Action.ALLOW);
        }
    }

    @Test
    void without_a_profile_what_was_seen_is_allowed_and_nothing_else() {
        Profile profile = RecordedProfile.of(Optional.empty(), TARGET, Set.of("read", "number 1023"));
        Filter filter = filter(profile);
        var allowed = new TreeSet<String>();
        SyscallTable.get().calls(Architecture.X86_64).values().forEach(call -> {
            if (filter.decide(Architecture.X86_64, call.name()).equals(Action.ALLOW)) {
                allowed.add(call.name());
            }
        });
        var expected = new TreeSet<>(BASE);
        expected.remove("sigreturn"); // no call of this machine
        expected.add("read");

        assertThat(allowed).isEqualTo(expected);
        assertThat(profile.defaultAction()).isEqualTo(Action.errno(Action.EPERM));
    }

    @Test
    void a_denial_that_tells_which_way_to_take_is_kept() {
        assertThat(filter(recorded(Profile.standard(), "read")).decide(Architecture.X86_64, "clone3"))
                .isEqualTo(filter(Profile.standard()).decide(Architecture.X86_64, "clone3"));
    }

    private static Rule rule(Action action, List<Condition> conditions, Selector includes, String... names) {
        return new Rule(List.of(names), action, conditions, includes, Selector.NONE, "why");
    }

    /// Each rule of the profile that applies, without what was not seen, and nothing but it.
    @Test
    void the_rules_of_the_profile_stay_with_the_names_that_were_seen() {
        Action log = Action.LOG;
        Selector others = new Selector(Set.of(), Set.of("s390x"), Optional.empty());
        Selector own = new Selector(Set.of(), Set.of("amd64"), Optional.empty());
        List<Condition> some = List.of(Condition.of(0, Condition.Operator.EQ, 3));
        var under = new Profile(
                Action.errno(38),
                Map.of(
                        Architecture.X86_64, Set.of(Architecture.X86),
                        Architecture.AARCH64, Set.of(Architecture.ARM)),
                Set.of(Profile.Flag.LOG),
                "/listener",
                "metadata",
                List.of(
                        rule(Action.ALLOW, List.of(), own, "execveat", "read", "write"),
                        rule(Action.ALLOW, some, Selector.NONE, "socket", "dup"),
                        rule(Action.ALLOW, List.of(), others, "read"),
                        rule(Action.ALLOW, List.of(), Selector.NONE, "mount"),
                        rule(Action.errno(38), List.of(), Selector.NONE, "clone3"),
                        rule(Action.errno(1), some, Selector.NONE, "bpf", "read"),
                        rule(log, List.of(), Selector.NONE, "umount2")));

        Profile recorded = recorded(under, "read", "dup");

        assertThat(recorded.defaultAction()).isEqualTo(Action.errno(38));
        assertThat(recorded.abis()).isEqualTo(Map.of(Architecture.X86_64, Set.of(Architecture.X86)));
        assertThat(recorded.flags()).containsExactly(Profile.Flag.LOG);
        assertThat(recorded.listenerPath() + recorded.listenerMetadata()).isEmpty();
        assertThat(recorded.rules())
                .extracting(Rule::names)
                .containsExactly(
                        List.of("execveat", "read"),
                        List.of("dup"),
                        List.of("clone3"),
                        List.of("read"),
                        List.of("umount2"));
        assertThat(recorded.rules())
                .extracting(Rule::action)
                .containsExactly(Action.ALLOW, Action.ALLOW, Action.errno(38), Action.errno(1), log);
        assertThat(recorded.rules())
                .extracting(Rule::conditions)
                .containsExactly(List.of(), some, List.of(), some, List.of());
        assertThat(recorded.rules())
                .allMatch(rule ->
                        rule.includes().equals(Selector.NONE) && rule.excludes().equals(Selector.NONE));
        String seen = ProfileMerge.seen(1, 1);
        assertThat(recorded.rules()).extracting(Rule::comment).containsExactly(seen, seen, "why", "why", "why");
    }

    @Test
    void a_profile_for_another_machine_alone_lets_in_no_other_abi() {
        var under = new Profile(
                Action.errno(1),
                Map.of(Architecture.AARCH64, Set.of(Architecture.ARM)),
                Set.of(),
                "",
                "",
                List.of(Rule.of(Action.ALLOW, List.of(), "execveat")));
        assertThat(recorded(under).abis()).isEqualTo(Map.of(Architecture.X86_64, Set.of()));
    }

    @Test
    void without_a_profile_there_is_a_rule_for_the_base_set_and_one_for_the_rest_if_any() {
        String seen = ProfileMerge.seen(1, 1);
        Profile none = RecordedProfile.of(Optional.empty(), TARGET, Set.of("futex", "number 1023"));
        assertThat(none.rules()).singleElement().satisfies(rule -> {
            assertThat(new HashSet<>(rule.names())).isEqualTo(BASE);
            assertThat(rule.comment()).isEqualTo(seen);
        });
        assertThat(none.abis()).isEqualTo(Map.of(Architecture.X86_64, Set.of()));

        Profile some = RecordedProfile.of(Optional.empty(), TARGET, Set.of("write", "futex", "read"));
        assertThat(some.rules()).hasSize(2);
        assertThat(some.rules().getLast().names()).containsExactly("read", "write");
        assertThat(some.rules().getLast().action()).isEqualTo(Action.ALLOW);
        assertThat(some.rules().getLast().comment()).isEqualTo(seen);
    }
}
