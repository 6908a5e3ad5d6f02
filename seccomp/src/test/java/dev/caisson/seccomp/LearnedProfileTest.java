package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LearnedProfileTest {
    private static final Target TARGET = Calls.target(Architecture.X86_64);

    @Test
    void what_was_denied_is_allowed_with_a_note_of_its_risk_and_nothing_else_is() {
        LearnedProfile learned = learn(Profile.standard(), call("mount"), call("pidfd_getfd", 16), call("read", 0));

        assertThat(learned.added()).extracting(LearnedProfile.Added::name).containsExactly("mount", "pidfd_getfd");
        assertThat(learned.added().getFirst().toString())
                .startsWith("mount, of the group mount; its risk: changes what the container sees");
        assertThat(learned.profile().toJson()).contains("learned; risk: changes what the container sees");
        assertThat(learned.missing()).isEmpty();
        assertThat(learned.refused()).isEmpty();
        assertThat(FilterDifference.between(
                        Compiler.compile(Profile.standard(), TARGET), Compiler.compile(learned.profile(), TARGET)))
                .hasSize(2)
                .allMatch(FilterDifference::loosens);
    }

    @Test
    void arguments_that_rules_look_at_are_kept_as_they_were() {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
                  {"names": ["execveat"], "action": "SCMP_ACT_ALLOW"},
                  {"names": ["socket"], "action": "SCMP_ACT_ALLOW",
                   "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}""");

        LearnedProfile learned =
                learn(profile, call("socket", 2, 1, 0), call("socket", 2, 2, 0), call("socket", (7L << 32) | 10));

        assertThat(learned.added())
                .extracting(LearnedProfile.Added::conditions)
                .containsExactly(
                        List.of(Condition.of(0, Condition.Operator.EQ, 2)),
                        List.of(Condition.of(0, Condition.Operator.EQ, 10)));
        Filter filter = Compiler.compile(learned.profile(), TARGET);
        for (long family : new long[] {1, 2, 10}) {
            assertThat(filter.decide(Architecture.X86_64, "socket", family)).isEqualTo(Action.ALLOW);
        }
        for (long family : new long[] {0, 3, 16, 17, 40}) {
            assertThat(filter.decide(Architecture.X86_64, "socket", family)).isNotEqualTo(Action.ALLOW);
        }
    }

    @Test
    void a_rule_that_denies_a_call_names_it_no_longer() {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                  {"names": ["mount", "umount2"], "action": "SCMP_ACT_ERRNO", "comment": "kept"}]}""");

        LearnedProfile learned = learn(profile, call("mount"));

        Filter filter = Compiler.compile(learned.profile(), TARGET);
        assertThat(filter.decide(Architecture.X86_64, "mount")).isEqualTo(Action.ALLOW);
        assertThat(filter.decide(Architecture.X86_64, "umount2").kind()).isEqualTo(Action.Kind.ERRNO);
        assertThat(learned.profile().rules().getFirst().comment()).isEqualTo("kept");
    }

    /// It is of use on another machine, or with another capability.
    @Test
    void a_rule_that_does_not_apply_here_or_that_allows_keeps_its_names() {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
                  {"names": ["execveat"], "action": "SCMP_ACT_ALLOW"},
                  {"names": ["mount", "umount2"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
                  {"names": ["mount"], "action": "SCMP_ACT_TRAP", "includes": {"caps": ["CAP_SYS_BOOT"]}}]}""");

        LearnedProfile learned = learn(profile, call("mount"));

        assertThat(learned.profile().rules()).startsWith(profile.rules().toArray(Rule[]::new));
        assertThat(learned.profile().rules()).hasSize(4);
    }

    @Test
    void what_a_condition_denies_stays_denied_and_is_told() {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                  {"names": ["ioctl"], "action": "SCMP_ACT_ERRNO",
                   "args": [{"index": 1, "value": 21522, "op": "SCMP_CMP_EQ"}]}]}""");

        LearnedProfile learned = learn(profile, call("ioctl", 0, 21522));

        assertThat(learned.added()).isEmpty();
        assertThat(learned.refused()).singleElement().asString().startsWith("X86_64 ioctl(0, 0x5412");
        assertThat(learned.profile().rules()).isEqualTo(profile.rules());

        LearnedProfile both = learn(
                Profile.parse(profile.toJson()
                        .replace("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO")
                        .replace("\"ioctl\"", "\"ioctl\", \"ptrace\"")),
                call("ioctl", 0, 21522),
                call("mkdir"));
        assertThat(both.added()).extracting(LearnedProfile.Added::name).containsExactly("mkdir");
    }

    @Test
    void a_call_that_is_answered_as_missing_stays_so_and_is_told() {
        LearnedProfile learned =
                learn(Profile.standard(), call("clone3", 1), SeccompData.of(Architecture.X86_64, 0x3ff));

        assertThat(learned.missing()).containsExactly("X86_64 number 1023", "clone3");
        assertThat(learned.added()).isEmpty();
        assertThat(learned.profile()).isEqualTo(Profile.standard());
    }

    /// Of a call for which a rule has conditions, one that denies it for all arguments is not taken away.
    @Test
    void a_call_that_is_allowed_for_some_arguments_stays_denied_for_the_others() {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                  {"names": ["socket", "mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
                  {"names": ["socket"], "action": "SCMP_ACT_ALLOW",
                   "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}""");

        LearnedProfile learned = learn(profile, call("socket", 2), call("mount"));

        Filter filter = Compiler.compile(learned.profile(), TARGET);
        assertThat(learned.refused()).isEmpty();
        assertThat(filter.decide(Architecture.X86_64, "socket", 2)).isEqualTo(Action.ALLOW);
        assertThat(filter.decide(Architecture.X86_64, "socket", 3)).isEqualTo(Action.errno(13));
        assertThat(filter.decide(Architecture.X86_64, "mount")).isEqualTo(Action.ALLOW);
        assertThat(learned.profile().rules().getFirst().names()).containsExactly("socket");
    }

    private static LearnedProfile learn(Profile profile, SeccompData... calls) {
        return LearnedProfile.of(profile, TARGET, List.of(calls));
    }

    private static SeccompData call(String name, long... arguments) {
        int number = SyscallTable.get().number(Architecture.X86_64, name).orElseThrow();
        return SeccompData.of(Architecture.X86_64, number, arguments);
    }

    @Test
    void a_call_without_a_risk_is_learned_without_one() {
        LearnedProfile learned = learn(
                CompilerTest.profileOf(Action.errno(1), Rule.of(Action.ALLOW, List.of(), "execveat")),
                call("getpid"),
                call("mount"));

        assertThat(learned.profile().rules())
                .extracting(Rule::comment)
                .contains("learned")
                .anyMatch(comment -> comment.startsWith("learned; risk: "));
    }
}
