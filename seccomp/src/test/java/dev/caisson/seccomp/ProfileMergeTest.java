package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// What merged profiles keep of each, and which do not go together.
class ProfileMergeTest {
    private static final Rule READ = Rule.of(Action.ALLOW, List.of(), "read");

    private static Profile profile(String path, String metadata, Set<Profile.Flag> flags, Rule... rules) {
        return new Profile(Action.errno(1), Map.of(), flags, path, metadata, List.of(rules));
    }

    private static Rule commented(Action action, String comment, String... names) {
        return new Rule(List.of(names), action, List.of(), Selector.NONE, Selector.NONE, comment);
    }

    private static Profile merged(Rule first, Rule second) {
        return ProfileMerge.of(List.of(profile("", "", Set.of(), first), profile("", "", Set.of(), second)));
    }

    @Test
    void flags_are_those_of_both_and_the_listener_is_the_same() {
        Profile merged = ProfileMerge.of(List.of(
                profile("/l", "m", Set.of(Profile.Flag.LOG), READ),
                profile("/l", "m", Set.of(Profile.Flag.WAIT_KILLABLE_RECV), READ)));

        assertThat(merged.flags()).containsExactlyInAnyOrder(Profile.Flag.LOG, Profile.Flag.WAIT_KILLABLE_RECV);
        assertThat(merged.listenerPath()).isEqualTo("/l");
        assertThat(merged.listenerMetadata()).isEqualTo("m");
        assertThat(merged.rules()).containsExactly(READ);
        assertThatExceptionOfType(SeccompException.class)
                .isThrownBy(() -> ProfileMerge.of(
                        List.of(profile("/l", "m", Set.of(), READ), profile("/k", "m", Set.of(), READ))))
                .withMessageContaining("different listeners");
        assertThatExceptionOfType(SeccompException.class)
                .isThrownBy(() -> ProfileMerge.of(
                        List.of(profile("/l", "m", Set.of(), READ), profile("/l", "n", Set.of(), READ))))
                .withMessageContaining("different listeners");
    }

    @Test
    void rules_that_differ_in_a_condition_or_a_selector_stay_apart() {
        Rule some = Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.EQ, 1)), "read");
        Rule selected = new Rule(
                List.of("read"),
                Action.ALLOW,
                List.of(),
                new Selector(Set.of("CAP_BPF"), Set.of(), java.util.Optional.empty()),
                Selector.NONE,
                "");

        assertThat(merged(READ, some).rules()).containsExactly(READ, some);
        assertThat(merged(READ, selected).rules()).containsExactly(READ, selected);
    }

    @Test
    void comments_of_profiles_that_were_not_recorded_are_kept_once() {
        assertThat(merged(commented(Action.ALLOW, "one", "read"), commented(Action.ALLOW, "two", "write"))
                        .rules())
                .containsExactly(commented(Action.ALLOW, "one two", "read", "write"));
        assertThat(merged(commented(Action.ALLOW, "one", "read"), commented(Action.ALLOW, "one", "read"))
                        .rules())
                .containsExactly(commented(Action.ALLOW, "one", "read"));
        assertThat(merged(commented(Action.ALLOW, "", "read"), commented(Action.ALLOW, "two", "read"))
                        .rules())
                .containsExactly(commented(Action.ALLOW, "two", "read"));
    }

    /// A profile without a number of runs stands for one.
    @Test
    void runs_are_added_up_and_denials_keep_their_comments() {
        Profile recorded = profile(
                "",
                "",
                Set.of(),
                commented(Action.ALLOW, ProfileMerge.seen(3, 4), "read"),
                commented(Action.ALLOW, ProfileMerge.seen(1, 4), "write"),
                commented(Action.errno(38), "why", "clone3"));
        Profile written = profile("", "", Set.of(), commented(Action.ALLOW, "by hand", "read"));

        assertThat(ProfileMerge.of(List.of(recorded, written)).rules())
                .containsExactly(
                        commented(Action.ALLOW, "seen in 4 of 5 runs", "read"),
                        commented(Action.ALLOW, "seen in 1 of 5 runs", "write"),
                        commented(Action.errno(38), "why", "clone3"));
        assertThat(ProfileMerge.of(List.of(recorded)).rules()).containsExactlyElementsOf(recorded.rules());
    }

    @Test
    void a_denial_that_the_other_does_not_name_is_kept() {
        assertThat(merged(READ, Rule.of(Action.errno(5), List.of(), "mount")).rules())
                .containsExactly(READ, Rule.of(Action.errno(5), List.of(), "mount"));
        assertThat(merged(Rule.of(Action.errno(5), List.of(), "mount"), Rule.of(Action.errno(5), List.of(), "mount"))
                        .rules())
                .hasSize(1);
    }

    /// A call's name says how often it was seen at most once.
    @Test
    void of_two_rules_of_one_profile_for_a_call_the_higher_count_holds() {
        Profile twice = profile(
                "",
                "",
                Set.of(),
                commented(Action.ALLOW, ProfileMerge.seen(1, 3), "read"),
                commented(Action.ALLOW, ProfileMerge.seen(2, 3), "read"));

        assertThat(ProfileMerge.of(List.of(twice)).rules())
                .containsExactly(commented(Action.ALLOW, "seen in 2 of 3 runs", "read"));
    }

    @Test
    void a_recording_under_a_profile_keeps_its_denials_with_their_comments() {
        Profile under = profile(
                "",
                "",
                Set.of(Profile.Flag.LOG),
                commented(Action.errno(38), "no clone3", "clone3", "io_uring_setup"),
                commented(Action.ALLOW, "fine", "read", "write"),
                new Rule(
                        List.of("socket", "ptrace"),
                        Action.errno(97),
                        List.of(Condition.of(0, Condition.Operator.EQ, 40)),
                        Selector.NONE,
                        Selector.NONE,
                        "no vsock"));

        Profile recorded = RecordedProfile.of(
                java.util.Optional.of(under), Calls.target(Architecture.X86_64), Set.of("read", "socket"));

        assertThat(recorded.rules())
                .containsExactly(
                        commented(Action.errno(38), "no clone3", "clone3", "io_uring_setup"),
                        commented(Action.ALLOW, "seen in 1 of 1 runs", "read"),
                        new Rule(
                                List.of("socket"),
                                Action.errno(97),
                                List.of(Condition.of(0, Condition.Operator.EQ, 40)),
                                Selector.NONE,
                                Selector.NONE,
                                "no vsock"));
        assertThat(recorded.flags()).isEqualTo(under.flags());
    }
}
