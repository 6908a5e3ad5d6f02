package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A filter that asks decides as the one that it was made of, or asks where that one is to be asked about.
class AskingFilterTest {
    private static final Architecture MACHINE = Architecture.X86_64;
    private static final Target TARGET = Calls.target(MACHINE);
    private static final List<String> UNASKED =
            List.of("exit", "exit_group", "rt_sigreturn", "restart_syscall", "futex", "sched_yield");

    private static Profile parse(String text) {
        return Profile.parse(text.replace('\'', '"'));
    }

    static Stream<Profile> profiles() {
        return Stream.of(
                Profile.standard(),
                Profile.strict(),
                parse(
                        "{'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [{'names': ['execveat', 'read', 'exit'], 'action': 'SCMP_ACT_ALLOW'}]}"),
                parse(
                        "{'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [{'names': ['execveat'], 'action': 'SCMP_ACT_ALLOW'}]}"),
                parse(
                        "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['futex', 'sched_yield', 'exit'], 'action': 'SCMP_ACT_ERRNO'}]}"),
                parse(
                        "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['futex'], 'action': 'SCMP_ACT_ERRNO', 'args': [{'index': 1, 'value': 9, 'op': 'SCMP_CMP_EQ'}]},"
                                + "{'names': ['exit'], 'action': 'SCMP_ACT_KILL_PROCESS'}, {'names': ['sched_yield'], 'action': 'SCMP_ACT_LOG'},"
                                + "{'names': ['exit_group'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 38}, {'names': ['mount'], 'action': 'SCMP_ACT_TRAP'}]}"));
    }

    private static List<SeccompData> calls(Profile profile) {
        List<Long> values = Calls.boundaries(profile);
        var random = new Random(7);
        return Stream.concat(
                        Calls.numbers(MACHINE).stream(),
                        Calls.numbers(MACHINE).stream()
                                .filter(call -> call.number() >= 0 && call.number() < 500)
                                .flatMap(call -> Calls.withArguments(call, values, 3, random).stream()))
                .toList();
    }

    private static boolean isUnasked(Filter filter, SeccompData call) {
        return call.arch() == MACHINE.auditValue()
                && UNASKED.stream()
                        .map(name -> SyscallTable.get().number(MACHINE, name).orElseThrow())
                        .anyMatch(number -> number == call.number())
                && Simulator.allowsWithoutArguments(filter, call);
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void a_recording_asks_about_all_that_is_no_death_and_lets_nothing_pass_that_is_denied(Profile profile) {
        Filter plain = Compiler.compile(profile, TARGET);
        Filter recording = plain.recording();
        for (SeccompData call : calls(profile)) {
            Action decided = plain.decide(call);
            Action expected = switch (decided.kind()) {
                case ERRNO, LOG, ALLOW -> isUnasked(plain, call) ? Action.ALLOW : Action.NOTIFY;
                case KILL_PROCESS, KILL_THREAD, TRAP, NOTIFY, TRACE -> decided;
            };

            assertThat(recording.decide(call)).as("%s, plain %s", call, decided).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void an_asking_filter_asks_about_denials_alone(Profile profile) {
        Filter plain = Compiler.compile(profile, TARGET);
        Filter asking = plain.asking();
        Filter learning = plain.learning();
        for (SeccompData call : calls(profile)) {
            if (plain.isForListener(call)) {
                continue; // answered by the head of the filter
            }
            boolean starts =
                    call.arch() == MACHINE.auditValue() && call.number() == plain.execveat(); // always asked about
            Action decided = plain.decide(call);
            if (starts) {
                assertThat(asking.decide(call)).isEqualTo(Action.NOTIFY);
                assertThat(learning.decide(call)).isEqualTo(Action.NOTIFY);
                continue;
            }
            boolean denied = decided.kind() == Action.Kind.ERRNO;

            assertThat(asking.decide(call))
                    .as("%s", call)
                    .isEqualTo(
                            denied && decided.data() != Action.ENOSYS && decided.data() != 0 ? Action.NOTIFY : decided);
            assertThat(learning.decide(call)).as("%s", call).isEqualTo(denied ? Action.NOTIFY : decided);
        }
    }

    @ParameterizedTest
    @MethodSource("profiles")
    void what_asks_can_be_turned_back_into_what_answers_by_itself(Profile profile) {
        Filter plain = Compiler.compile(profile, TARGET);

        assertThat(plain.unasking().bytes()).isEqualTo(withoutQuestions(plain).bytes());
        assertThat(plain.asking().unasking().bytes()).isEqualTo(plain.unasking().bytes());
        assertThat(plain.learning().unasking().bytes())
                .isEqualTo(plain.unasking().bytes());
        Filter recorded = plain.recording().unasking();
        for (SeccompData call : calls(profile)) {
            Action decided = plain.unasking().decide(call);

            assertThat(recorded.decide(call))
                    .as("%s", call)
                    .isEqualTo(decided.kind() == Action.Kind.LOG && !isUnasked(plain, call) ? Action.ALLOW : decided);
        }
    }

    /// A question of the profile's own fails where nobody answers.
    private static Filter withoutQuestions(Filter plain) {
        byte[] bytes = plain.bytes();
        for (int at = 0; at < bytes.length; at += 8) {
            if (bytes[at] == 6 && bytes[at + 6] == (byte) 0xc0 && bytes[at + 7] == 0x7f) {
                bytes[at + 4] = 38;
                bytes[at + 6] = 5;
                bytes[at + 7] = 0;
            }
        }
        return Filter.of(MACHINE, bytes);
    }

    /// What a program gives itself without a listener is no business of ours.
    @Test
    void of_filters_that_a_program_installs_those_with_a_listener_are_asked_about() {
        Filter asking = Compiler.compile(Profile.standard(), TARGET).asking();
        int seccomp = SyscallTable.get().number(MACHINE, "seccomp").orElseThrow();

        assertThat(asking.decide(SeccompData.of(MACHINE, seccomp, 1, 0))).isEqualTo(Action.ALLOW);
        assertThat(asking.decide(SeccompData.of(MACHINE, seccomp, 1, 1))).isEqualTo(Action.ALLOW);
        assertThat(asking.decide(SeccompData.of(MACHINE, seccomp, 1, 8)).kind()).isEqualTo(Action.Kind.NOTIFY);
        assertThat(asking.decide(SeccompData.of(MACHINE, seccomp, 1, 9)).kind()).isEqualTo(Action.Kind.NOTIFY);
    }

    /// The kernel lets nobody have one while somebody listens; with nobody left the program's own would be asked.
    @Test
    void no_abi_and_no_condition_lets_a_program_have_a_listener_of_its_own() {
        Filter other = Compiler.compile(
                parse(
                        "{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],"
                                + " 'syscalls': [{'names': ['unshare'], 'action': 'SCMP_ACT_ERRNO'}]}"),
                TARGET);
        Filter conditional = Compiler.compile(
                parse(
                        "{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64'], 'syscalls': [{'names': ['seccomp'], 'action': 'SCMP_ACT_ERRNO',"
                                + " 'args': [{'index': 0, 'value': 3, 'op': 'SCMP_CMP_EQ'}]}]}"),
                TARGET);
        Filter exact = Compiler.compile(
                parse(
                        "{'defaultAction': 'SCMP_ACT_ERRNO', 'architectures': ['SCMP_ARCH_X86_64'], 'syscalls': [{'names': ['execveat'], 'action': 'SCMP_ACT_ALLOW'},"
                                + " {'names': ['seccomp'], 'action': 'SCMP_ACT_ALLOW', 'args': [{'index': 1, 'value': 9, 'op': 'SCMP_CMP_EQ'}]}]}"),
                TARGET);
        for (Filter plain : List.of(other, conditional)) {
            for (Filter asking : List.of(plain.asking(), plain.learning())) {
                for (SeccompData call : List.of(
                        SeccompData.of(Architecture.X86_64, 317, 1, 9),
                        SeccompData.of(Architecture.X86, 354, 1, 9),
                        SeccompData.of(Architecture.X32, 317, 1, 9))) {
                    assertThat(asking.decide(call)).as("%s", call).isNotEqualTo(Action.ALLOW);
                    assertThat(asking.decide(withoutListener(call))).isEqualTo(plain.decide(withoutListener(call)));
                }
                assertThat(asking.unasking().bytes()).isEqualTo(plain.bytes());
            }
        }
        assertThat(other.asking().decide(SeccompData.of(Architecture.X86, 354, 1, 8)))
                .isEqualTo(Action.errno(16));
        assertThat(exact.decide(SeccompData.of(MACHINE, 317, 1, 9))).isEqualTo(Action.ALLOW);
        assertThat(exact.asking().decide(SeccompData.of(MACHINE, 317, 1, 9))).isEqualTo(Action.errno(16));
        assertThat(Compiler.compile(Profile.standard(), TARGET).asking().length())
                .isLessThanOrEqualTo(
                        Compiler.compile(Profile.standard(), TARGET).length() + 9);
    }

    private static SeccompData withoutListener(SeccompData call) {
        return new SeccompData(call.number(), call.arch(), 0, 1, 1, 0, 0, 0, 0);
    }

    @Test
    void a_filter_that_succeeds_without_the_call_does_so_again() {
        Filter plain = Compiler.compile(
                parse(
                        "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['sync'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 0}]}"),
                TARGET);

        assertThat(plain.asking().unasking().bytes()).isEqualTo(plain.bytes());
    }

    @Test
    void a_listener_of_the_programs_own_fails_as_busy() {
        int seccomp = SyscallTable.get().number(MACHINE, "seccomp").orElseThrow();
        Filter plain = Compiler.compile(Profile.standard(), TARGET);
        SeccompData own = SeccompData.of(MACHINE, seccomp, 1, 1L << 3);

        assertThat(plain.isForListener(own)).isTrue();
        assertThat(plain.isForListener(SeccompData.of(MACHINE, seccomp, 1, 1L << 2)))
                .isFalse();
        assertThat(plain.isForListener(SeccompData.of(MACHINE, seccomp + 1, 1, 1L << 3)))
                .isFalse();
        assertThat(plain.asking().decide(own)).isNotEqualTo(Action.ALLOW);
    }

    @Test
    void a_filter_that_kills_for_execveat_cannot_ask() {
        Filter plain = Compiler.compile(
                parse(
                        "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['execveat'], 'action': 'SCMP_ACT_KILL_PROCESS'}]}"),
                TARGET);

        assertThat(plain.canAsk()).isFalse();
        assertThatIllegalArgumentException().isThrownBy(plain::asking);
        assertThatIllegalArgumentException().isThrownBy(plain::recording);
        assertThatIllegalArgumentException().isThrownBy(plain::learning);
    }
}
