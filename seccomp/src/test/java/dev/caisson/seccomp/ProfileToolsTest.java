package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Writing, merging, checking and explaining profiles.
class ProfileToolsTest {
    private static final Target TARGET = Calls.target(Architecture.X86_64);
    private static final Profile RICH = Profile.parse("""
            {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13,
             "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
             "flags": ["SECCOMP_FILTER_FLAG_LOG"], "listenerPath": "/run/l", "listenerMetadata": "a\\"b",
             "syscalls": [
              {"names": ["read", "execveat"], "action": "SCMP_ACT_ALLOW", "comment": "line\\nbreak \\\\"},
              {"names": ["socket"], "action": "SCMP_ACT_ALLOW",
               "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_LT"},
                        {"index": 1, "value": 15, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]},
              {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38,
               "includes": {"caps": ["CAP_BPF"], "arches": ["amd64"], "minKernel": "5.8"},
               "excludes": {"caps": ["CAP_SYS_ADMIN"]}}]}
            """);

    @Test
    void a_profile_is_the_same_when_it_is_written_and_read_again() {
        for (Profile profile : List.of(
                Profile.standard(), Profile.strict(), RICH, Profile.standard().withCompatibleAbis())) {
            Profile again = Profile.parse(profile.toJson());

            assertThat(again.rules()).isEqualTo(profile.rules());
            assertThat(again.toJson()).isEqualTo(profile.toJson());
            for (Architecture machine : Architecture.values()) {
                assertThat(again.abisOn(machine)).isEqualTo(profile.abisOn(machine));
            }
        }
        assertThat(Profile.parse(RICH.toJson())).isEqualTo(RICH);
    }

    @Test
    void a_merge_allows_what_either_allows_and_adds_up_the_runs() {
        Profile first = recorded(Map.of("seen in 1 of 1 runs", List.of("read", "write")));
        Profile second =
                recorded(Map.of("seen in 2 of 2 runs", List.of("read"), "seen in 1 of 2 runs", List.of("mmap")));

        Profile merged = ProfileMerge.of(List.of(first, second));

        assertThat(merged.rules())
                .extracting(Rule::comment, Rule::names)
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple("seen in 3 of 3 runs", List.of("read")),
                        org.assertj.core.groups.Tuple.tuple("seen in 1 of 3 runs", List.of("mmap", "write")));
        Filter filter = Compiler.compile(merged, TARGET);
        for (String name : List.of("read", "write", "mmap")) {
            assertThat(filter.decide(Architecture.X86_64, name)).isEqualTo(Action.ALLOW);
        }
        assertThat(filter.decide(Architecture.X86_64, "open")).isEqualTo(Action.errno(1));
    }

    @Test
    void a_merge_in_which_one_profile_would_undo_the_other_is_refused() {
        Profile allows = CompilerTest.profileOf(Action.errno(1), Rule.of(Action.ALLOW, List.of(), "read"));
        Profile denies = CompilerTest.profileOf(Action.errno(1), Rule.of(Action.errno(5), List.of(), "read"));
        Profile other = CompilerTest.profileOf(Action.KILL_PROCESS, Rule.of(Action.ALLOW, List.of(), "read"));

        assertThatThrownBy(() -> ProfileMerge.of(List.of(allows, denies)))
                .isInstanceOf(SeccompException.class)
                .hasMessageContaining("read");
        assertThatThrownBy(() -> ProfileMerge.of(List.of(allows, other))).isInstanceOf(SeccompException.class);
    }

    @Test
    void lint_finds_what_was_hardly_meant() {
        Profile profile = CompilerTest.profileOf(
                Action.errno(1),
                Rule.of(Action.ALLOW, List.of(), "raed", "kcmp", "read"),
                Rule.of(Action.errno(1), List.of(), "uprobe"),
                Rule.of(Action.errno(5), List.of(), "read"),
                Rule.of(Action.NOTIFY, List.of(), "mount"),
                Rule.of(
                        Action.ALLOW,
                        List.of(
                                Condition.of(0, Condition.Operator.GE, 1),
                                Condition.of(0, Condition.Operator.LE, 1L << 40)),
                        "socket"));

        assertThat(ProfileLint.of(profile, TARGET))
                .extracting(ProfileLint.Finding::code)
                .contains(
                        "NEEDS_EXECVEAT",
                        "UNKNOWN_CALL",
                        "NOT_FILTERABLE",
                        "OVERLAP",
                        "NO_LISTENER",
                        "ARGUMENT_TWICE",
                        "CONSTANT_TOO_WIDE",
                        "RISKY_CALL",
                        "CACHEABLE");
        assertThat(ProfileLint.of(RICH, TARGET))
                .extracting(ProfileLint.Finding::code)
                .contains("LISTENER", "FLAGS");
        for (Profile own : List.of(Profile.standard(), Profile.strict())) {
            assertThat(ProfileLint.of(own, TARGET))
                    .filteredOn(finding -> finding.level() != ProfileLint.Level.NOTE)
                    .isEmpty();
        }
    }

    @Test
    void the_proof_compares_every_call_and_finds_a_filter_that_is_another_profiles() {
        assertThat(ProfileProof.of(Profile.standard(), TARGET).mismatches()).isEmpty();
        assertThat(ProfileProof.of(Profile.standard(), TARGET).decisions()).isGreaterThan(30_000);
        ProfileProof.Result other =
                ProfileProof.of(Profile.standard(), TARGET, Compiler.compile(Profile.strict(), TARGET));
        assertThat(other.holds()).isFalse();
        assertThat(other.mismatches().getFirst()).contains("the profile means");
    }

    @Test
    void an_explanation_names_the_rule_and_what_would_allow_the_call() {
        Explanation descriptors = explain(Profile.standard(), "pidfd_getfd");
        assertThat(descriptors.action().kind()).isEqualTo(Action.Kind.ERRNO);
        assertThat(String.join("\n", descriptors.reasons())).contains("CAP_SYS_PTRACE");
        Explanation bpf = explain(RICH, "bpf");
        assertThat(bpf.reasons()).containsExactly("rule 3: ERRNO(ENOSYS) does not apply: it needs CAP_BPF");
        Explanation socket = explain(RICH, "socket", 2, 2);
        assertThat(socket.call()).isEqualTo("X86_64 socket(AF_INET, SOCK_DGRAM, 0)");
        assertThat(socket.reasons().getFirst()).contains("it is for arg1 & 15 == 1");
        Explanation foreign = new Explainer(RICH, TARGET).explain(SeccompData.of(Architecture.X32, 0));
        assertThat(foreign.reasons().getFirst()).contains("by this ABI");
    }

    /// An engine refuses a profile that asks a listener and names none.
    @Test
    void an_export_keeps_flags_and_listener() {
        Profile profile = new Profile(
                RICH.defaultAction(),
                Map.of(),
                RICH.flags(),
                RICH.listenerPath(),
                RICH.listenerMetadata(),
                RICH.rules());

        Profile exported = ProfileExport.of(profile, TARGET).profile();

        assertThat(exported.flags()).isEqualTo(RICH.flags());
        assertThat(exported.listenerPath()).isEqualTo("/run/l");
        assertThat(exported.listenerMetadata()).isEqualTo("a\"b");
    }

    @Test
    void an_export_has_one_masked_condition_a_rule_and_means_the_same() {
        Profile profile = CompilerTest.profileOf(
                Action.errno(1),
                Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.LT, 38)), "socket"),
                Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.GT, 40)), "socket"),
                Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.NE, 7)), "personality"),
                Rule.of(Action.ALLOW, List.of(Condition.of(1, Condition.Operator.EQ, -1)), "kill"),
                Rule.of(Action.errno(1), List.of(Condition.of(1, Condition.Operator.EQ, 0x5412)), "ioctl"),
                Rule.of(Action.ALLOW, List.of(), "ioctl"),
                Rule.of(Action.ALLOW, List.of(), "read"));

        ProfileExport export = ProfileExport.of(profile, TARGET);
        Profile exported = export.profile();

        assertThat(export.notes()).isEmpty();

        assertThat(exported.rules())
                .allSatisfy(rule -> assertThat(rule.conditions())
                        .hasSizeLessThanOrEqualTo(1)
                        .allMatch(condition -> condition.operator() == Condition.Operator.MASKED_EQ));
        assertThat(FilterDifference.between(Compiler.compile(profile, TARGET), Compiler.compile(exported, TARGET)))
                .isEmpty();
    }

    @Test
    void an_export_of_a_deny_list_denies_by_several_conditions() {
        Profile profile = CompilerTest.profileOf(
                Action.ALLOW,
                Rule.of(
                        Action.errno(13),
                        List.of(Condition.of(0, Condition.Operator.EQ, 16), Condition.masked(1, 0xf, 3)),
                        "socket"),
                Rule.of(Action.KILL_PROCESS, List.of(Condition.of(0, Condition.Operator.LE, 7)), "personality"));

        Filter exported = Compiler.compile(ProfileExport.of(profile, TARGET).profile(), TARGET);

        assertThat(exported.decide(Architecture.X86_64, "socket", 16, 0x80003)).isEqualTo(Action.errno(13));
        assertThat(exported.decide(Architecture.X86_64, "socket", 16, 2)).isEqualTo(Action.ALLOW);
        assertThat(exported.decide(Architecture.X86_64, "personality", 7)).isEqualTo(Action.KILL_PROCESS);
        assertThat(exported.decide(Architecture.X86_64, "personality", 8)).isEqualTo(Action.ALLOW);
    }

    @Test
    void an_export_keeps_error_numbers() {
        Profile profile = CompilerTest.profileOf(
                Action.errno(1),
                Rule.of(Action.ALLOW, List.of(), "read", "clone"),
                Rule.of(Action.errno(Action.ENOSYS), List.of(), "clone3"));

        assertThat(ProfileExport.of(profile, TARGET).profile().rules())
                .anyMatch(rule -> rule.action().equals(Action.errno(Action.ENOSYS))
                        && rule.names().contains("clone3"));
    }

    @Test
    void what_libseccomp_would_decide_otherwise_is_refused() {
        List<Condition> root = List.of(Condition.of(0, Condition.Operator.EQ, 0));
        Profile user = profileWithX86(Rule.of(Action.ALLOW, root, "setuid"));
        Profile socket = profileWithX86(Rule.of(Action.ALLOW, root, "socket"));
        Profile carried =
                profileWithX86(Rule.of(Action.ALLOW, root, "socket"), Rule.of(Action.ALLOW, List.of(), "socketcall"));

        assertThatThrownBy(() -> ProfileExport.of(user, TARGET))
                .hasMessageContaining("setuid, whose arguments have other widths under X86")
                .extracting(e -> ((SeccompException) e).code())
                .isEqualTo("NOT_EXPORTABLE");
        assertThatThrownBy(() -> ProfileExport.of(socket, TARGET)).hasMessageContaining("by socketcall too under X86");
        assertThat(ProfileExport.of(carried, TARGET).notes()).noneMatch(note -> note.contains("socketcall"));
    }

    private static Profile profileWithX86(Rule... rules) {
        return new Profile(
                Action.errno(1),
                Map.of(Architecture.X86_64, Set.of(Architecture.X86)),
                Set.of(),
                "",
                "",
                List.of(rules));
    }

    @Test
    void a_merge_of_profiles_that_let_in_different_abis_is_refused() {
        Profile native64 = CompilerTest.profileOf(Action.errno(1), Rule.of(Action.ALLOW, List.of(), "mount"));
        Profile both = profileWithX86(Rule.of(Action.ALLOW, List.of(), "read"));

        assertThatThrownBy(() -> ProfileMerge.of(List.of(native64, both)))
                .hasMessage("one profile lets X86 in on X86_64 and another does not: give both the same archMap or"
                        + " architectures");
    }

    @Test
    void a_merge_of_deny_lists_of_which_one_alone_denies_is_refused() {
        Profile one = CompilerTest.profileOf(Action.ALLOW, Rule.of(Action.errno(1), List.of(), "mount"));
        Profile other = CompilerTest.profileOf(Action.ALLOW, Rule.of(Action.errno(1), List.of(), "bpf"));

        assertThatThrownBy(() -> ProfileMerge.of(List.of(one, other))).hasMessageContaining("one profile denies bpf");
        assertThat(ProfileMerge.of(List.of(one, one)).rules()).hasSize(1);
    }

    @Test
    void lint_finds_conditions_that_never_or_always_hold() {
        Profile profile = CompilerTest.profileOf(
                Action.errno(1),
                Rule.of(Action.ALLOW, List.of(Condition.masked(0, 0xf0, 0x8)), "socket"),
                Rule.of(Action.ALLOW, List.of(Condition.of(1, Condition.Operator.LT, 0)), "mmap"),
                Rule.of(
                        Action.ALLOW,
                        List.of(Condition.of(1, Condition.Operator.LT, 5), Condition.of(1, Condition.Operator.GT, 5)),
                        "ioctl"),
                Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.LE, 0xffffffffL)), "personality"),
                Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.EQ, 8)), "kcmp"));

        assertThat(ProfileLint.of(profile, TARGET))
                .filteredOn(finding -> finding.code().endsWith("_HOLDS"))
                .extracting(
                        ProfileLint.Finding::code, finding -> finding.sentence().substring(0, 5))
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple("NEVER_HOLDS", "socke"),
                        org.assertj.core.groups.Tuple.tuple("NEVER_HOLDS", "mmap:"),
                        org.assertj.core.groups.Tuple.tuple("NEVER_HOLDS", "ioctl"),
                        org.assertj.core.groups.Tuple.tuple("ALWAYS_HOLDS", "perso"));
    }

    @Test
    void lint_names_the_other_abis_that_are_let_in() {
        assertThat(abis(Profile.standard().withCompatibleAbis())).containsExactly("lets in X32, X86 besides X86_64");
        assertThat(abis(profileWithX86(Rule.of(Action.ALLOW, List.of(), "read"))))
                .containsExactly("lets in X86 besides X86_64");
        assertThat(abis(Profile.standard())).isEmpty();
    }

    private static List<String> abis(Profile profile) {
        return ProfileLint.of(profile, TARGET).stream()
                .filter(finding -> finding.code().equals("FURTHER_ABIS"))
                .map(ProfileLint.Finding::sentence)
                .toList();
    }

    @Test
    void lint_says_of_a_deny_list_in_one_sentence_what_it_leaves_open() {
        Profile profile = CompilerTest.profileOf(Action.ALLOW, Rule.of(Action.errno(1), List.of(), "mount"));

        List<ProfileLint.Finding> warnings = ProfileLint.of(profile, TARGET).stream()
                .filter(finding -> finding.level() == ProfileLint.Level.WARNING)
                .toList();

        assertThat(warnings).singleElement().satisfies(finding -> {
            assertThat(finding.code()).isEqualTo("DENY_LIST");
            assertThat(finding.sentence()).contains("bpf").doesNotContain(" mount,");
        });
    }

    @Test
    void a_runtime_gets_what_it_calls_and_nothing_else_is_opened() {
        for (OciRuntime runtime : OciRuntime.values()) {
            OciRuntime.Opened opened = runtime.open(Profile.strict(), TARGET);

            assertThat(opened.opened()).contains("execve", "capset").doesNotContain("mount", "clone");
            Filter before = Compiler.compile(Profile.strict(), TARGET);
            Filter after = Compiler.compile(opened.profile(), TARGET);
            assertThat(FilterDifference.between(before, after).stream()
                            .filter(FilterDifference::loosens)
                            .map(difference -> difference.name().orElse("")))
                    .allMatch(name -> opened.opened().contains(name) || name.equals("clone"));
        }
    }

    @Test
    void a_filter_that_asks_decides_the_same_but_asks_instead_of_denying() {
        for (Architecture machine : Architecture.values()) {
            if (machine.isNative()) {
                Target target = Calls.target(machine);
                Filter plain = Compiler.compile(Profile.standard(), target);
                Filter asking = plain.asking();
                int execveat = SyscallTable.get().number(machine, "execveat").orElseThrow();
                assertThat(asking.decide(machine, "execveat")).isEqualTo(Action.NOTIFY);
                for (SeccompData call : Calls.numbers(machine)) {
                    Action meant = plain.decide(call);
                    boolean asks = (meant.kind() == Action.Kind.ERRNO && meant.data() != Action.ENOSYS)
                            || (call.number() == execveat && call.arch() == machine.auditValue());
                    assertThat(asking.decide(call)).as("%s", CallText.of(call)).isEqualTo(asks ? Action.NOTIFY : meant);
                }
                for (long flags : new long[] {8, 8 | 1, 8 | 1L << 40}) {
                    assertThat(asking.decide(machine, "seccomp", 1, flags)).isEqualTo(Action.NOTIFY);
                }
                for (long flags : new long[] {0, 1, 4, 16, 8L << 32}) {
                    assertThat(asking.decide(machine, "seccomp", 1, flags)).isEqualTo(Action.ALLOW);
                }
                assertThat(asking.cacheableCalls()).isEqualTo(plain.cacheableCalls() - 1);
                Filter learning = plain.learning();
                for (SeccompData call : Calls.numbers(machine)) {
                    boolean isMissing = plain.decide(call).equals(Action.errno(Action.ENOSYS));
                    assertThat(learning.decide(call))
                            .as("%s", CallText.of(call))
                            .isEqualTo(isMissing ? Action.NOTIFY : asking.decide(call));
                }
            }
        }
    }

    @Test
    void a_filter_that_records_asks_about_all_but_the_base_set_and_where_it_kills() {
        for (Architecture machine : Architecture.values()) {
            if (machine.isNative()) {
                Filter plain = Compiler.compile(Profile.standard(), Calls.target(machine));
                Filter recording = plain.recording();
                assertThat(recording.decide(machine, "execveat")).isEqualTo(Action.NOTIFY);
                assertThat(recording.decide(machine, "seccomp", 1, 8)).isEqualTo(Action.NOTIFY);
                int unasked = 0;
                for (SeccompData call : Calls.numbers(machine)) {
                    Action meant = plain.decide(call);
                    String name = CallText.name(call);
                    boolean isBase = call.arch() == machine.auditValue()
                            && !name.equals("execveat")
                            && RecordedProfile.BASE.contains(name)
                            && (call.number() & Architecture.X32_BIT) == 0;
                    boolean asks = meant.kind() == Action.Kind.ERRNO || (meant.kind() == Action.Kind.ALLOW && !isBase);
                    unasked += meant.kind() == Action.Kind.ALLOW && isBase ? 1 : 0;
                    assertThat(recording.decide(call))
                            .as("%s", CallText.of(call))
                            .isEqualTo(asks ? Action.NOTIFY : meant);
                }
                assertThat(unasked).as("%s", machine).isGreaterThan(4);
            }
        }
        Filter all = Filter.allowing(Architecture.X86_64);
        assertThat(all.decide(Architecture.X86, "mount")).isEqualTo(Action.ALLOW);
        assertThat(all.recording().decide(Architecture.X86, "mount")).isEqualTo(Action.NOTIFY);
        assertThat(all.recording().decide(Architecture.X86_64, "futex")).isEqualTo(Action.ALLOW);
        assertThatThrownBy(compile("SCMP_ACT_KILL_PROCESS")::recording).isInstanceOf(IllegalArgumentException.class);
    }

    /// A listener can let a call pass or fail it, and nothing else.
    @Test
    void a_filter_that_kills_for_some_execveat_cannot_ask() {
        Filter kills = compile("SCMP_ACT_KILL_PROCESS");
        Filter fails = compile("SCMP_ACT_ERRNO");

        assertThat(ProfileLint.letsTheProgramStart(kills)).isTrue();
        assertThat(kills.canAsk()).isFalse();
        assertThatThrownBy(kills::asking).isInstanceOf(IllegalArgumentException.class);
        assertThat(fails.canAsk()).isTrue();
        assertThat(fails.asking().decide(Architecture.X86_64, "execveat", 3, 0, 0, 0, 0x1000))
                .isEqualTo(Action.NOTIFY);
    }

    private static Filter compile(String action) {
        return Compiler.compile(Profile.parse("""
                        {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
                          {"names": ["execveat", "seccomp"], "action": "SCMP_ACT_ALLOW"},
                          {"names": ["execveat", "seccomp"], "action": "ACTION",
                           "args": [{"index": 4, "value": 4096, "op": "SCMP_CMP_EQ"}]}]}""".replace("ACTION", action)), TARGET);
    }

    /// The second argument of a call that has `int` first: what the kernel does not read makes no other kind.
    @Test
    void the_arguments_that_rules_look_at_are_as_wide_as_the_kernel_reads_them() {
        var explainer = new Explainer(Profile.standard(), TARGET);
        int socket = SyscallTable.get().number(Architecture.X86_64, "socket").orElseThrow();

        assertThat(explainer.examined(SeccompData.of(Architecture.X86_64, socket, 17 | 1L << 32, 3)))
                .isEqualTo(explainer.examined(SeccompData.of(Architecture.X86_64, socket, 17, 3 | 1L << 32)))
                .containsExactly(17L, 3L, 0L);
    }

    private static Explanation explain(Profile profile, String name, long... arguments) {
        int number = SyscallTable.get().number(Architecture.X86_64, name).orElseThrow();
        return new Explainer(profile, TARGET).explain(SeccompData.of(Architecture.X86_64, number, arguments));
    }

    private static Profile recorded(Map<String, List<String>> names) {
        return new Profile(
                Action.errno(1),
                Map.of(Architecture.X86_64, Set.of()),
                Set.of(),
                "",
                "",
                names.entrySet().stream()
                        .map(entry -> new Rule(
                                entry.getValue(),
                                Action.ALLOW,
                                List.of(),
                                Selector.NONE,
                                Selector.NONE,
                                entry.getKey()))
                        .toList());
    }

    private static List<String> findings(String rest) {
        return ProfileLint.of(Profile.parse("{\"defaultAction\": " + rest + "}"), TARGET).stream()
                .map(ProfileLint.Finding::code)
                .toList();
    }

    @Test
    void a_default_that_asks_a_listener_needs_one() {
        assertThat(findings("\"SCMP_ACT_NOTIFY\"")).contains("NO_LISTENER");
        assertThat(findings("\"SCMP_ACT_NOTIFY\", \"listenerPath\": \"/run/l\""))
                .doesNotContain("NO_LISTENER")
                .contains("LISTENER");
        assertThat(findings("\"SCMP_ACT_ERRNO\"")).doesNotContain("NO_LISTENER", "LISTENER");
    }

    @Test
    void a_constant_is_too_wide_for_an_argument_unless_it_is_a_negative_number() {
        String rule = "\"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"%s\"], \"action\": \"SCMP_ACT_ALLOW\","
                + " \"args\": [{\"index\": 0, \"value\": %s, \"op\": \"SCMP_CMP_EQ\"}]}]";
        String wide = "CONSTANT_TOO_WIDE";
        assertThat(findings(rule.formatted("socket", "4294967296"))).contains(wide);
        assertThat(findings(rule.formatted("socket", "18446744071562067967"))).contains(wide);
        assertThat(findings(rule.formatted("socket", "18446744073709551615"))).doesNotContain(wide);
        assertThat(findings(rule.formatted("socket", "18446744071562067968"))).doesNotContain(wide);
        assertThat(findings(rule.formatted("socket", "4294967295"))).doesNotContain(wide);
        assertThat(findings(rule.formatted("mmap", "4294967296"))).doesNotContain(wide);
    }

    @Test
    void an_argument_is_one_of_six_and_an_error_name_may_be_empty() {
        String rule =
                "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrno\": \"\", \"syscalls\": [{\"names\": [\"mmap\"],"
                        + " \"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": %s, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]}]}";
        Profile profile = Profile.parse(rule.formatted("5"));
        assertThat(profile.rules().getFirst().conditions().getFirst().index()).isEqualTo(5);
        assertThat(profile.defaultAction()).isEqualTo(Action.errno(1));
        for (String index : List.of("6", "18446744073709551615")) {
            assertThatThrownBy(() -> Profile.parse(rule.formatted(index)))
                    .isInstanceOf(SeccompException.class)
                    .hasMessageContaining("args[0]: a call has arguments 0 to 5; there is no argument " + index);
        }
    }

    @Test
    void capabilities_of_a_newer_kernel_are_left_out() {
        assertThat(Capabilities.known(-1L)).isEqualTo((1L << 41) - 1);
        assertThat(Capabilities.known(1L << 40)).isEqualTo(1L << 40);
        assertThat(Capabilities.known(1L << 41)).isZero();
    }

    @Test
    void numbers_that_only_the_second_filter_has_and_errors_alone_are_differences() {
        Filter none = Compiler.compile(CompilerTest.profileOf(Action.errno(1)), TARGET);
        Filter one = Compiler.compile(
                CompilerTest.profileOf(Action.errno(1), Rule.of(Action.ALLOW, List.of(), "read", "pidfd_open")),
                TARGET);
        Filter other = Compiler.compile(
                CompilerTest.profileOf(Action.errno(1), Rule.of(Action.errno(5), List.of(), "read")), TARGET);
        assertThat(FilterDifference.between(none, one))
                .anyMatch(difference -> difference.name().equals(java.util.Optional.of("pidfd_open")))
                .allMatch(difference -> !difference.isOfErrorsAlone()
                        || difference.first().data() != difference.second().data());
        assertThat(FilterDifference.between(none, other).stream()
                        .filter(difference -> difference.name().equals(java.util.Optional.of("read"))))
                .hasSize(1)
                .allMatch(FilterDifference::isOfErrorsAlone)
                .allMatch(difference -> difference.example().argument(0) == 0);
        assertThat(FilterDifference.between(one, other).stream()
                        .filter(difference -> difference.name().equals(java.util.Optional.of("read"))))
                .hasSize(1)
                .noneMatch(FilterDifference::isOfErrorsAlone);
        assertThat(FilterDifference.between(other, one).stream()
                        .filter(difference -> difference.name().equals(java.util.Optional.of("read"))))
                .hasSize(1)
                .noneMatch(FilterDifference::isOfErrorsAlone);
    }
}
