package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The instructions that keep a program from a listener of its own.
class ListenerGuardTest {
    private static final Architecture MACHINE = Architecture.X86_64;
    private static final int FLAGS = 24;
    private static final int SECCOMP = 317;

    private static Filter filter(String rule) {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
                 {"names": ["execveat"], "action": "SCMP_ACT_ALLOW"}, %s]}""".formatted(rule));
        return Compiler.compile(profile, Calls.target(MACHINE));
    }

    private static long[] guard(Filter filter, boolean asked) {
        return ListenerGuard.of(filter, FLAGS, asked);
    }

    private static long instruction(int code, int yes, int no, int constant) {
        return (long) code << 48 | (long) yes << 40 | (long) no << 32 | Integer.toUnsignedLong(constant);
    }

    @ParameterizedTest
    @CsvSource({
        "ALLOW,true", "LOG,true", "NOTIFY,true", "TRACE,true",
        "ERRNO,false", "TRAP,false", "KILL_THREAD,false", "KILL_PROCESS,false"
    })
    void a_filter_that_may_let_the_call_pass_is_guarded(String action, boolean guarded) {
        Filter filter = filter("{\"names\": [\"seccomp\"], \"action\": \"SCMP_ACT_" + action + "\"}");
        assertThat(guard(filter, false)).hasSize(guarded ? ListenerGuard.LENGTH : 0);
        assertThat(guard(filter, true)).as("asked already").isEmpty();
    }

    @Test
    void the_guard_looks_at_architecture_number_and_flags_and_fails_the_call_as_busy() {
        assertThat(guard(filter("{\"names\": [\"seccomp\"], \"action\": \"SCMP_ACT_ALLOW\"}"), false))
                .containsExactly(
                        instruction(0x20, 0, 0, 4),
                        instruction(0x15, 0, 5, MACHINE.auditValue()),
                        instruction(0x20, 0, 0, 0),
                        instruction(0x15, 0, 3, SECCOMP),
                        instruction(0x20, 0, 0, FLAGS),
                        instruction(0x45, 0, 1, 8),
                        instruction(0x06, 0, 0, 0x50010));
    }

    /// One that looks at the program's own filter decides by its address, which no guard can try.
    @Test
    void a_filter_that_looks_at_flags_or_the_third_argument_is_guarded() {
        String rule = "{\"names\": [\"seccomp\"], \"action\": \"SCMP_ACT_ALLOW\","
                + " \"args\": [{\"index\": %d, \"value\": %d, \"op\": \"SCMP_CMP_EQ\"}]}";
        assertThat(guard(filter(rule.formatted(1, 8 | 32)), false)).hasSize(ListenerGuard.LENGTH);
        assertThat(guard(filter(rule.formatted(2, 4096)), false)).hasSize(ListenerGuard.LENGTH);
        String low = "{\"names\": [\"seccomp\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\":"
                + " [{\"index\": 2, \"value\": 255, \"valueTwo\": 5, \"op\": \"SCMP_CMP_MASKED_EQ\"}]}";
        assertThat(guard(filter(low), false)).hasSize(ListenerGuard.LENGTH);
        assertThat(guard(filter(rule.formatted(1, 0)), false)).isEmpty();
        assertThat(guard(filter(rule.formatted(0, 7)), false)).isEmpty();
    }

    @Test
    void each_abi_that_the_filter_lets_in_has_a_guard_of_its_own() {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ERRNO",
                 "archMap": [{"architecture": "SCMP_ARCH_X86_64",
                              "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
                             {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
                 "syscalls": [{"names": ["execveat", "seccomp"], "action": "SCMP_ACT_ALLOW"}]}""");
        Filter filter = Compiler.compile(profile, Calls.target(MACHINE));
        long[] all = guard(filter, false);
        assertThat(all).hasSize(3 * ListenerGuard.LENGTH);
        assertThat(all[8]).isEqualTo(instruction(0x15, 0, 5, Architecture.X86.auditValue()));
        assertThat(all[10]).isEqualTo(instruction(0x15, 0, 3, 354));
        assertThat(all[17]).isEqualTo(instruction(0x15, 0, 3, 0x40000000 | SECCOMP));
        assertThat(guard(filter, true)).hasSize(2 * ListenerGuard.LENGTH);
        Filter arm = Compiler.compile(profile, Calls.target(Architecture.AARCH64));
        assertThat(guard(arm, true)).hasSize(ListenerGuard.LENGTH).contains(instruction(0x15, 0, 3, 383));
    }
}
