package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/// What is opened for a runtime, and what stays as it is.
class OciRuntimeTest {
    private static final Target TARGET = Calls.target(Architecture.X86_64);
    private static final Architecture X86_64 = Architecture.X86_64;
    private static final long NEW_USER_NAMESPACE = 0x10000000L;

    @Test
    void a_profile_that_allows_all_stays_as_it_is() {
        Profile all = CompilerTest.profileOf(Action.ALLOW, Rule.of(Action.ALLOW, List.of(), "read"));

        for (OciRuntime runtime : OciRuntime.values()) {
            assertThat(runtime.open(all, TARGET).profile()).isEqualTo(all);
            assertThat(runtime.open(all, TARGET).opened()).isEmpty();
        }
    }

    @Test
    void a_call_that_was_denied_or_depended_on_arguments_is_allowed_whatever_they_are() {
        Profile profile = CompilerTest.profileOf(
                Action.errno(1),
                new Rule(
                        List.of("write", "getcwd", "mount"),
                        Action.errno(5),
                        List.of(),
                        Selector.NONE,
                        Selector.NONE,
                        "kept"),
                Rule.of(Action.errno(7), List.of(), "close"),
                Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.EQ, 1)), "prctl"),
                Rule.of(Action.ALLOW, List.of(), "execve"));

        OciRuntime.Opened opened = OciRuntime.CRUN.open(profile, TARGET);

        assertThat(opened.opened()).contains("write", "prctl", "close").doesNotContain("execve", "getcwd", "mount");
        assertThat(opened.profile().rules())
                .contains(
                        new Rule(
                                List.of("getcwd", "mount"),
                                Action.errno(5),
                                List.of(),
                                Selector.NONE,
                                Selector.NONE,
                                "kept"),
                        new Rule(opened.opened(), Action.ALLOW, List.of(), Selector.NONE, Selector.NONE, "for crun"))
                .noneMatch(rule -> rule.names().isEmpty())
                .noneMatch(rule -> rule.action().equals(Action.errno(7)));
        Filter filter = Compiler.compile(opened.profile(), TARGET);
        assertThat(filter.decide(X86_64, "write")).isEqualTo(Action.ALLOW);
        assertThat(filter.decide(X86_64, "prctl", 2)).isEqualTo(Action.ALLOW);
        assertThat(filter.decide(X86_64, "mount")).isEqualTo(Action.errno(5));
        assertThat(filter.decide(X86_64, "clone")).isEqualTo(Action.errno(1));
    }

    /// Go starts threads before the program is there; namespaces it may not make.
    @Test
    void runc_may_make_threads_and_no_namespaces() {
        Profile profile = CompilerTest.profileOf(Action.errno(1), Rule.of(Action.ALLOW, List.of(), "execve"));

        Filter filter = Compiler.compile(OciRuntime.RUNC.open(profile, TARGET).profile(), TARGET);

        assertThat(filter.decide(X86_64, "clone", 0x50f00)).isEqualTo(Action.ALLOW);
        assertThat(filter.decide(X86_64, "clone", 0x50f00, NEW_USER_NAMESPACE)).isEqualTo(Action.ALLOW);
        for (long namespaces :
                new long[] {0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000}) {
            assertThat(filter.decide(X86_64, "clone", namespaces)).isEqualTo(Action.errno(1));
        }
        Profile allowing = CompilerTest.profileOf(Action.errno(1), Rule.of(Action.ALLOW, List.of(), "clone"));
        assertThat(OciRuntime.RUNC.open(allowing, TARGET).profile().rules())
                .filteredOn(rule -> rule.names().contains("clone"))
                .hasSize(1);
    }

    @Test
    void what_the_profile_says_besides_rules_is_kept() {
        Profile rich = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ERRNO", "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/run/l",
                 "listenerMetadata": "m", "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}]}""");

        Profile opened = OciRuntime.RUNC.open(rich, TARGET).profile();

        assertThat(opened.flags()).isEqualTo(rich.flags());
        assertThat(opened.listenerPath()).isEqualTo("/run/l");
        assertThat(opened.listenerMetadata()).isEqualTo("m");
        assertThat(opened.abis()).isEqualTo(rich.abis());
        assertThat(OciRuntime.RUNC.programName()).isEqualTo("runc");
    }
}
