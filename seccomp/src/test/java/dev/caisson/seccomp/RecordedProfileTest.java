package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
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
}
