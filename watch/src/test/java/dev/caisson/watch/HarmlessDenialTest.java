package dev.caisson.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.seccomp.SyscallTable;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Which denied calls nobody is told of: one kind of socket alone.
class HarmlessDenialTest {
    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW = 3;
    private static final int NETLINK_AUDIT = 9;
    private static final int PROTOCOLS = 32;
    private static final int FAMILIES = 64;
    private static final Action ANSWER = Action.errno("EAFNOSUPPORT");

    private static SeccompData call(String name, long... arguments) {
        int number = SyscallTable.get().number(Architecture.host(), name).orElseThrow();
        return SeccompData.of(Architecture.host(), number, arguments);
    }

    private static boolean isHarmless(long family, long protocol) {
        return HarmlessDenial.matches(call("socket", family, SOCK_RAW, protocol), ANSWER);
    }

    @Test
    void of_all_netlink_sockets_only_that_of_audit_is_harmless() {
        assertThat(IntStream.range(0, PROTOCOLS).filter(protocol -> isHarmless(AF_NETLINK, protocol)))
                .containsExactly(NETLINK_AUDIT);
    }

    @Test
    void a_socket_of_another_family_is_not_though_its_protocol_has_the_same_number() {
        assertThat(IntStream.range(0, FAMILIES).filter(family -> isHarmless(family, NETLINK_AUDIT)))
                .containsExactly(AF_NETLINK);
    }

    @Test
    void the_upper_halves_of_registers_do_not_count() {
        assertThat(isHarmless(AF_NETLINK | 7L << 32, NETLINK_AUDIT | -1L << 32)).isTrue();
    }

    @Test
    void another_call_or_another_answer_is_told() {
        long[] arguments = {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT};
        assertThat(HarmlessDenial.matches(call("socketpair", arguments), ANSWER))
                .isFalse();
        for (Action other : new Action[] {Action.errno("EPERM"), Action.errno("ENOSYS"), Action.KILL_PROCESS}) {
            assertThat(HarmlessDenial.matches(call("socket", arguments), other))
                    .as(other.toString())
                    .isFalse();
        }
    }
}
