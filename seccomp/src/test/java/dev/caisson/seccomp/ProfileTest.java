package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.seccomp.SeccompException.Code;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProfileTest {
    @Test
    void every_flag_is_read() {
        for (Profile.Flag flag : Profile.Flag.values()) {
            assertThat(Profile.parse("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"flags\": [\"SECCOMP_FILTER_FLAG_" + flag
                                    + "\"]}")
                            .flags())
                    .containsExactly(flag);
        }
    }

    @Test
    void an_error_can_be_given_by_its_name_alone() {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "syscalls": [
                  {"names": ["read"], "action": "SCMP_ACT_ERRNO", "errno": "EACCES"}]}""");
        assertThat(profile.defaultAction()).isEqualTo(Action.errno(38));
        assertThat(profile.rules().getFirst().action()).isEqualTo(Action.errno(13));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Read", "-read", " read", "read ", "re-ad", "re`ad", "re{ad", "re/ad", "re:ad"})
    void what_cannot_be_a_call_is_no_name(String name) {
        assertThatThrownBy(() -> Profile.parse(
                        "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"action\": \"SCMP_ACT_ALLOW\", \"names\": [\""
                                + name + "\"]}]}"))
                .isInstanceOfSatisfying(
                        SeccompException.class, e -> assertThat(e.reason()).isEqualTo(Code.UNKNOWN_SYSCALL));
    }

    @Test
    void dockers_form_is_read() {
        Profile profile = Profile.parse("""
                {
                  "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "defaultErrno": "ENOSYS",
                  "archMap": [
                    {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
                    {"architecture": "SCMP_ARCH_MIPS64", "subArchitectures": ["SCMP_ARCH_MIPS"]},
                    {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": null}
                  ],
                  "syscalls": [
                    {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "comment": "no namespaces",
                     "args": [{"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
                     "includes": {"caps": ["CAP_SYS_CHROOT"], "arches": ["amd64"], "minKernel": "4.8"},
                     "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
                    {"name": "read", "action": "SCMP_ACT_ERRNO", "errno": "EACCES", "errnoRet": 13, "args": null}
                  ]
                }""");
        assertThat(profile.defaultAction()).isEqualTo(Action.errno(38));
        assertThat(profile.abisOn(Architecture.X86_64))
                .containsExactlyInAnyOrder(Architecture.X86_64, Architecture.X86, Architecture.X32);
        assertThat(profile.abisOn(Architecture.AARCH64)).containsExactly(Architecture.AARCH64);
        assertThat(profile.rules())
                .containsExactly(
                        new Rule(
                                List.of("clone"),
                                Action.ALLOW,
                                List.of(Condition.masked(0, 0x7E020000L, 0)),
                                new Selector(
                                        Set.of("CAP_SYS_CHROOT"),
                                        Set.of("amd64"),
                                        Optional.of(new KernelVersion(4, 8))),
                                new Selector(Set.of("CAP_SYS_ADMIN"), Set.of(), Optional.empty()),
                                "no namespaces"),
                        Rule.of(Action.errno(13), List.of(), "read"));
    }

    @Test
    void the_ocis_form_is_read() {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_KILL_PROCESS", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_PARISC"],
                 "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
                 "listenerPath": "/run/agent.sock", "listenerMetadata": "m",
                 "syscalls": [{"names": ["ioctl"], "action": "SCMP_ACT_NOTIFY",
                   "args": [{"index": 2, "value": 18446744073709551615, "op": "SCMP_CMP_NE"}]}]}""");
        assertThat(profile.abisOn(Architecture.X86_64))
                .containsExactlyInAnyOrder(Architecture.X86_64, Architecture.X86);
        assertThat(profile.flags()).containsExactlyInAnyOrder(Profile.Flag.LOG, Profile.Flag.WAIT_KILLABLE_RECV);
        assertThat(profile.listenerPath()).isEqualTo("/run/agent.sock");
        assertThat(profile.rules().getFirst().conditions())
                .containsExactly(Condition.of(2, Condition.Operator.NE, -1L));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            JSON_SYNTAX          | {"defaultAction": SCMP_ACT_ALLOW}
            JSON_SYNTAX          | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": nulL}
            JSON_SYNTAX          | {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 01}
            JSON_SYNTAX          | {"defaultAction": "SCMP_ACT_ALLOW"} {}
            JSON_SYNTAX          | {"defaultAction": "SCMP_ACT_ALLOW"}}
            JSON_SYNTAX          | {"defaultAction": "SCMP_ACT_ALLOW"}, "end": 1
            JSON_SYNTAX          | {"defaultAction": "SCMP_ACT_ALLOW"
            JSON_SYNTAX          | ` `
            WRONG_TYPE           | []
            WRONG_TYPE           | {"defaultAction": 1}
            WRONG_TYPE           | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": {}}
            WRONG_TYPE           | {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1.5}
            MISSING_KEY          | null
            MISSING_KEY          | {}
            MISSING_KEY          | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_LOG"}]}
            MISSING_KEY          | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"]}]}
            MISSING_KEY          | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 1, "value": 1}]}]}
            UNKNOWN_KEY          | {"defaultAction": "SCMP_ACT_ALLOW", "sysCalls": []}
            UNKNOWN_KEY          | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "arg": []}]}
            UNKNOWN_KEY          | {"defaultAction": "SCMP_ACT_ALLOW", "archMap": [{"architecture": "SCMP_ARCH_X86_64", "arch": "SCMP_ARCH_X86_64"}]}
            UNKNOWN_KEY          | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 1, "value": 1, "op": "SCMP_CMP_EQ", "val": 1}]}]}
            UNKNOWN_KEY          | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "includes": {"cap": []}}]}
            UNKNOWN_KEY          | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "excludes": {"kernel": "5.4"}}]}
            DUPLICATE_KEY        | {"defaultAction": "SCMP_ACT_ERRNO", "defaultAction": "SCMP_ACT_ALLOW"}
            UNKNOWN_ACTION       | {"defaultAction": "SCMP_ACT_DENY"}
            UNKNOWN_ARCHITECTURE | {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["x86_64"]}
            UNKNOWN_FLAG         | {"defaultAction": "SCMP_ACT_ALLOW", "flags": ["LOG"]}
            UNKNOWN_ERRNO        | {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "EPERMX"}
            UNKNOWN_SYSCALL      | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["Read"], "action": "SCMP_ACT_LOG"}]}
            UNKNOWN_SYSCALL      | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["re-ad"], "action": "SCMP_ACT_LOG"}]}
            UNKNOWN_SYSCALL      | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["re:ad"], "action": "SCMP_ACT_LOG"}]}
            UNKNOWN_SYSCALL      | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["re{ad"], "action": "SCMP_ACT_LOG"}]}
            UNKNOWN_SYSCALL      | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["re/ad"], "action": "SCMP_ACT_LOG"}]}
            UNKNOWN_SYSCALL      | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["re_Ad"], "action": "SCMP_ACT_LOG"}]}
            UNKNOWN_SYSCALL      | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["re~ad"], "action": "SCMP_ACT_LOG"}]}
            UNKNOWN_SYSCALL      | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [""], "action": "SCMP_ACT_LOG"}]}
            UNKNOWN_CAPABILITY   | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "includes": {"caps": ["SYS_ADMIN"]}}]}
            BAD_KERNEL_VERSION   | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "includes": {"minKernel": "4"}}]}
            UNKNOWN_OPERATOR     | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 1, "value": 1, "op": "EQ"}]}]}
            BAD_ARGUMENT_INDEX   | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]}
            VALUE_OUT_OF_RANGE   | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 1, "value": 18446744073709551616, "op": "SCMP_CMP_EQ"}]}]}
            VALUE_OUT_OF_RANGE   | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG", "args": [{"index": 1, "value": -1, "op": "SCMP_CMP_EQ"}]}]}
            VALUE_OUT_OF_RANGE   | {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096}
            CONTRADICTION        | {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}
            VALUE_OUT_OF_RANGE   | {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": -1}
            CONTRADICTION        | {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrno": "EPERM"}
            CONTRADICTION        | {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW", "errno": "EPERM"}]}
            CONTRADICTION        | {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1}]}
            CONTRADICTION        | {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "defaultErrno": "ENOSYS"}
            CONTRADICTION        | {"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}
            CONTRADICTION        | {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]}
            CONTRADICTION        | {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "read", "names": ["read"], "action": "SCMP_ACT_LOG"}]}
            """)
    void what_is_wrong_is_a_coded_error_that_names_its_place(Code code, String json) {
        assertThatThrownBy(() -> Profile.parse(json))
                .isInstanceOfSatisfying(
                        SeccompException.class,
                        e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(code));
    }

    @Test
    void the_error_names_the_rule() {
        assertThatThrownBy(() -> Profile.parse("""
                        {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                          {"names": ["read"], "action": "SCMP_ACT_LOG"},
                          {"names": ["write"], "action": "SCMP_ACT_LOGG"}]}"""))
                .hasMessageStartingWith("syscalls[1].action: \"SCMP_ACT_LOGG\" is no action");
    }

    /// Behind a list and an object, the place is the outer one's again.
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            syscalls[0].args[1].op   | {"syscalls": [{"names": ["a", "b"], "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 1, "op": "X"}]}]}
            syscalls[0]              | {"syscalls": [{"names": ["a", "b"]}]}
            syscalls[1].names[1]     | {"syscalls": [{"names": ["a"], "action": "SCMP_ACT_LOG"}, {"names": ["a", "A"]}]}
            syscalls[0].args[0]      | {"syscalls": [{"names": ["a"], "args": [{"index": 0, "op": "SCMP_CMP_EQ"}]}]}
            syscalls[0]              | {"syscalls": [{"names": ["a"], "includes": {"caps": ["CAP_BPF"]}, "action": "SCMP_ACT_LOG", "errnoRet": 1}]}
            archMap[0]               | {"archMap": [{"subArchitectures": ["SCMP_ARCH_X86"]}]}
            the profile              | {"syscalls": [], "defaultAction": "SCMP_ACT_LOG", "defaultErrnoRet": 1}
            """)
    void the_error_names_the_place(String place, String json) {
        assertThatThrownBy(() -> Profile.parse(json))
                .isInstanceOf(SeccompException.class)
                .hasMessageMatching(java.util.regex.Pattern.quote(place) + "(:| has no).*");
    }

    /// The last values that pass.
    @ParameterizedTest
    @CsvSource({"0", "1", "4095"})
    void an_error_number_is_one_of_the_kernels(int number) {
        Profile profile = Profile.parse("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": " + number + "}");
        assertThat(profile.defaultAction()).isEqualTo(Action.errno(number));
        Profile rule = Profile.parse(
                "{\"defaultAction\": \"SCMP_ACT_LOG\", \"syscalls\": [{\"names\": [\"z_9\"], \"action\": \"SCMP_ACT_TRACE\", \"errnoRet\": "
                        + number + "}]}");
        assertThat(rule.rules().getFirst().action()).isEqualTo(new Action(Action.Kind.TRACE, number));
    }

    /// As tools write who always write both.
    @Test
    void an_empty_list_of_architectures_contradicts_nothing() {
        Profile listed = Profile.parse(
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_X86\"], \"archMap\": []}");
        Profile mapped = Profile.parse(
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [],"
                        + "\"archMap\": [{\"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": [\"SCMP_ARCH_X32\"]}]}");

        assertThat(listed.abisOn(Architecture.X86_64)).containsExactly(Architecture.X86_64);
        assertThat(mapped.abisOn(Architecture.X86_64)).containsExactlyInAnyOrder(Architecture.X86_64, Architecture.X32);
    }

    @Test
    void an_abi_that_a_machine_cannot_run_is_not_let_in_on_it() {
        Profile profile = Profile.parse(
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"archMap\": [{\"architecture\":"
                        + "\"SCMP_ARCH_X86_64\", \"subArchitectures\": [\"SCMP_ARCH_X86\", \"SCMP_ARCH_ARM\", \"SCMP_ARCH_AARCH64\"]}]}");

        assertThat(profile.abisOn(Architecture.X86_64))
                .containsExactlyInAnyOrder(Architecture.X86_64, Architecture.X86);
        assertThat(profile.abisOn(Architecture.AARCH64)).containsExactly(Architecture.AARCH64);
    }

    @Test
    void our_own_profiles_name_only_calls_of_the_table() {
        for (Profile profile : List.of(Profile.standard(), Profile.strict())) {
            assertThat(profile.rules().stream()
                            .flatMap(rule -> rule.names().stream())
                            .filter(name -> SyscallTable.get().byName(name).isEmpty()))
                    .isEmpty();
        }
    }
}
