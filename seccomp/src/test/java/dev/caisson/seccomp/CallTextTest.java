package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Calls, conditions and actions as people read them.
class CallTextTest {
    private static String text(Architecture abi, String name, long... arguments) {
        return CallText.of(
                SeccompData.of(abi, SyscallTable.get().number(abi, name).orElseThrow(), arguments));
    }

    private static SeccompData unknown(int number, int architecture) {
        return new SeccompData(number, architecture, 0, 0, 0, 0, 0, 0, 0);
    }

    @Test
    void arguments_that_decide_have_their_names() {
        Architecture abi = Architecture.X86_64;

        assertThat(text(abi, "socket", 0, 1023, 1024)).isEqualTo("X86_64 socket(AF_UNSPEC, 1023, 0x400)");
        assertThat(text(abi, "socketpair", 45)).startsWith("X86_64 socketpair(AF_MCTP, 0, ");
        assertThat(text(abi, "socket", 46)).startsWith("X86_64 socket(46, ");
        assertThat(text(abi, "socket", -1)).startsWith("X86_64 socket(0xffffffff, ");
        assertThat(text(abi, "socket", 2, 2)).startsWith("X86_64 socket(AF_INET, SOCK_DGRAM, ");
        assertThat(text(abi, "socket", 2, 0x80803))
                .startsWith("X86_64 socket(AF_INET, SOCK_RAW|SOCK_CLOEXEC|SOCK_NONBLOCK, ");
        assertThat(text(abi, "socket", 2, 0x10003)).startsWith("X86_64 socket(AF_INET, 0x10003, ");
        assertThat(text(abi, "socket", 2, 7)).startsWith("X86_64 socket(AF_INET, 7, ");
        assertThat(text(abi, "unshare", 0x20000 | 0x10000000)).isEqualTo("X86_64 unshare(CLONE_NEWNS|CLONE_NEWUSER)");
        assertThat(text(abi, "unshare", 0x20001)).isEqualTo("X86_64 unshare(CLONE_NEWNS|1)");
        assertThat(text(abi, "unshare", 0)).isEqualTo("X86_64 unshare(0)");
        assertThat(text(abi, "setns", 0x80, 0x80)).isEqualTo("X86_64 setns(128, CLONE_NEWTIME)");
        assertThat(text(abi, "clone", 0x80, 0x80)).startsWith("X86_64 clone(CLONE_NEWTIME, 128, ");
        assertThat(text(Architecture.S390X, "clone", 0x80, 0x80)).startsWith("S390X clone(128, CLONE_NEWTIME, ");
    }

    @Test
    void the_abi_by_which_a_call_enters_is_named() {
        assertThat(text(Architecture.X32, "getpid")).isEqualTo("X32 getpid(0, 0, 0, 0, 0, 0)");
        assertThat(text(Architecture.X86_64, "getpid")).isEqualTo("X86_64 getpid(0, 0, 0, 0, 0, 0)");
        assertThat(CallText.of(unknown(39, 0x12345))).isEqualTo("arch 0x12345 number 39");
        assertThat(CallText.of(unknown(-2, Architecture.AARCH64.auditValue()))).isEqualTo("AARCH64 number 4294967294");
        assertThat(CallText.name(unknown(39, Architecture.X86_64.auditValue()))).isEqualTo("getpid");
        assertThat(CallText.name(unknown(39, 0x12345))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"0,arg0 == 0", "1023,arg0 == 1023", "1024,arg0 == 0x400", "-1,arg0 == 0xffffffffffffffff"})
    void large_numbers_are_shown_in_hexadecimal(long value, String text) {
        assertThat(Condition.of(0, Condition.Operator.EQ, value)).hasToString(text);
    }

    @Test
    void a_call_has_six_arguments() {
        assertThat(Condition.masked(5, 3, 1)).hasToString("arg5 & 3 == 1");
        for (int index : new int[] {-1, 6}) {
            assertThatThrownBy(() -> Condition.of(index, Condition.Operator.NE, 0))
                    .isInstanceOfSatisfying(
                            SeccompException.class, e -> assertThat(e.code()).isEqualTo("BAD_ARGUMENT_INDEX"));
        }
    }

    @ParameterizedTest
    @CsvSource({"ERRNO,4095", "TRACE,65535", "ALLOW,0", "KILL_PROCESS,0", "NOTIFY,0"})
    void data_fits_its_action(Action.Kind kind, int most) {
        assertThat(new Action(kind, most).data()).isEqualTo(most);
        for (int data : new int[] {-1, most + 1}) {
            assertThatThrownBy(() -> new Action(kind, data)).isInstanceOf(SeccompException.class);
        }
    }

    @Test
    void return_values_are_read_as_the_kernel_reads_them() {
        assertThat(Action.ofReturnValue(0x00050000 | 4095)).isEqualTo(Action.errno(4095));
        assertThat(Action.ofReturnValue(0x00050000 | 4096)).isEqualTo(Action.errno(4095));
        assertThat(Action.ofReturnValue(0x7ff00000 | 0xffff)).isEqualTo(new Action(Action.Kind.TRACE, 0xffff));
        assertThat(Action.ofReturnValue(0x7fff0000 | 7)).isEqualTo(Action.ALLOW);
        assertThat(Action.ofReturnValue(0x80000000)).isEqualTo(Action.KILL_PROCESS);
        assertThat(Action.ofReturnValue(0)).isEqualTo(Action.KILL_THREAD);
        assertThat(Action.ofReturnValue(0x12340000)).isEqualTo(Action.KILL_PROCESS);
        assertThat(new Action(Action.Kind.TRACE, 9)).hasToString("TRACE(9)");
        assertThat(Action.errno("EPERM")).hasToString("ERRNO(EPERM)");
    }
}
