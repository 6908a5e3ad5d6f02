package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/// Tests each sentence that explains a decision, with the calls that get it.
class ExplainerTest {
    private static final Target TARGET = Calls.target(Architecture.X86_64);

    private static List<String> reasons(String rules, SeccompData call) {
        return new Explainer(profile(rules), TARGET).explain(call).reasons();
    }

    private static List<String> reasons(String rules, String name, long... arguments) {
        return reasons(rules, call(name, arguments));
    }

    private static List<String> brief(String rules, String name, long... arguments) {
        return new Explainer(profile(rules), TARGET)
                .explain(call(name, arguments))
                .brief();
    }

    private static SeccompData call(String name, long... arguments) {
        return SeccompData.of(
                Architecture.X86_64,
                SyscallTable.get().number(Architecture.X86_64, name).orElseThrow(),
                arguments);
    }

    private static Profile profile(String rules) {
        return Profile.parse("{'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [RULES]}"
                .replace("RULES", rules)
                .replace('\'', '"'));
    }

    private static String rule(String name, String more) {
        return "{'names': ['NAME'], 'action': 'SCMP_ACT_ALLOW' MORE}"
                .replace("NAME", name)
                .replace("MORE", more);
    }

    @Test
    void a_rule_that_applies_is_told_with_its_number() {
        assertThat(reasons(rule("read", "") + "," + rule("read", ""), "read"))
                .containsExactly("rule 1: ALLOW applies to all arguments", "rule 2: ALLOW applies to all arguments");
        String conditions =
                ", 'args': [{'index': 0, 'value': 2, 'op': 'SCMP_CMP_EQ'}, {'index': 1, 'value': 3, 'op': 'SCMP_CMP_LT'}]";
        assertThat(reasons(rule("socket", conditions), "socket", 2, 1))
                .containsExactly("rule 1: ALLOW applies, all its conditions hold");
        assertThat(reasons(rule("socket", conditions), "socket", 3, 3))
                .containsExactly("rule 1: ALLOW does not apply: it is for arg0 == 2 and arg1 < 3");
        assertThat(reasons(rule("socket", conditions), "socket", 2, 3))
                .containsExactly("rule 1: ALLOW does not apply: it is for arg1 < 3");
    }

    @Test
    void of_a_denied_call_the_rule_that_denies_and_what_would_allow_it_are_told_briefly() {
        String admin = ", 'includes': {'caps': ['CAP_SYS_ADMIN']}";
        String raw =
                "{'names': ['socket'], 'action': 'SCMP_ACT_ERRNO', 'comment': 'No raw sockets.', 'args': [{'index': 1,"
                        + " 'value': 3, 'op': 'SCMP_CMP_EQ'}], 'excludes': {'caps': ['CAP_NET_RAW', 'CAP_NET_ADMIN']}}";

        assertThat(brief(rule("read", admin), "read"))
                .containsExactly("no rule allows it with these arguments", "to allow it: --cap-add SYS_ADMIN");
        assertThat(brief(rule("socket", "") + "," + raw, "socket", 2, 3))
                .containsExactly("rule 2: No raw sockets.", "to allow it: --cap-add NET_ADMIN or --cap-add NET_RAW");
        assertThat(brief(rule("socket", "") + "," + raw, "socket", 2, 1))
                .containsExactly("rule 1: ALLOW applies to all arguments");
        assertThat(brief(raw.replace(", 'excludes': {'caps': ['CAP_NET_RAW', 'CAP_NET_ADMIN']}", ""), "socket", 2, 3))
                .containsExactly(
                        "rule 1: No raw sockets.",
                        "no capability allows it, but a profile of your own can: --security-opt seccomp=FILE");
        assertThat(brief(raw, "read")).hasSize(1).first().asString().startsWith("no rule names read");
    }

    @Test
    void a_rule_for_other_containers_says_for_which() {
        assertThat(reasons(rule("read", ", 'includes': {'caps': ['CAP_SYS_ADMIN', 'CAP_CHOWN']}"), "read"))
                .containsExactly("rule 1: ALLOW does not apply: it needs CAP_SYS_ADMIN");
        assertThat(reasons(rule("read", ", 'excludes': {'caps': ['CAP_SYS_ADMIN', 'CAP_CHOWN']}"), "read"))
                .containsExactly("rule 1: ALLOW does not apply: it is for containers without CAP_CHOWN");
        assertThat(reasons(rule("read", ", 'includes': {'minKernel': '9.9'}"), "read"))
                .containsExactly("rule 1: ALLOW does not apply: it needs Linux 9.9");
        assertThat(reasons(rule("read", ", 'includes': {'arches': ['s390x']}"), "read"))
                .containsExactly("rule 1: ALLOW does not apply: it is for other machines");
        assertThat(reasons(
                        rule("read", ", 'excludes': {'arches': ['amd64']}, 'includes': {'minKernel': '5.1'}"), "read"))
                .containsExactly("rule 1: ALLOW does not apply: it is for other machines");
    }

    @Test
    void a_call_that_no_rule_names_is_told_with_its_group_and_risk() {
        Syscall bpf = SyscallTable.get().byName("bpf").orElseThrow();
        Syscall getpid = SyscallTable.get().byName("getpid").orElseThrow();
        assertThat(bpf.note()).isNotEmpty();
        assertThat(reasons(rule("read", ""), "bpf"))
                .containsExactly("no rule names bpf: allow it with a rule of the group " + bpf.group() + "; its risk: "
                        + bpf.note());
        assertThat(reasons(rule("read", ""), "getpid"))
                .containsExactly("no rule names getpid: allow it with a rule of the group " + getpid.group());
        var old = new Target(Architecture.X86_64, KernelVersion.parse("5.10"), 0L);
        assertThat(new Explainer(profile(rule("read", "")), old)
                        .explain(call("cachestat"))
                        .reasons())
                .hasSize(2)
                .first()
                .isEqualTo("the call is of Linux 6.5, newer than this kernel: it answers as one without it");
    }

    @Test
    void what_is_no_call_or_cannot_be_denied_is_told() {
        assertThat(reasons(rule("read", ""), SeccompData.of(Architecture.X86_64, 9000)))
                .containsExactly("no call has this number");
        assertThat(reasons(rule("read", ""), SeccompData.of(Architecture.X86, 3)))
                .containsExactly("the profile lets in no call by this ABI: add it to archMap");
        assertThat(reasons(rule("read", ""), "uprobe").getFirst())
                .isEqualTo("the kernel asks no filter about this call: it cannot be denied");
        assertThat(reasons(rule("read", ""), "read")).noneMatch(reason -> reason.contains("cannot be denied"));
    }

    @Test
    void the_arguments_that_some_rule_looks_at_are_named_in_order() {
        String first = ", 'args': [{'index': 2, 'value': 2, 'op': 'SCMP_CMP_EQ'}]";
        String second = ", 'args': [{'index': 0, 'value': 2, 'op': 'SCMP_CMP_EQ'}]";
        var explainer = new Explainer(
                profile(rule("socket", first) + "," + rule("socket", second) + "," + rule("read", "")), TARGET);

        assertThat(explainer.examined(call("socket", 5, 6, 7))).containsExactly(5L, 7L);
        assertThat(explainer.examined(call("read", 5, 6, 7))).isEmpty();
        assertThat(explainer.examined(SeccompData.of(Architecture.X86_64, 9000, 5)))
                .isEmpty();
    }
}
