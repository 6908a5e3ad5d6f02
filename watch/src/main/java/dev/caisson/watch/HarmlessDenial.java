package dev.caisson.watch;

import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.seccomp.SyscallTable;

/// Denied calls that programs make only to learn that a kernel lacks the feature, and that nobody need be told of.
///
/// useradd, su, sudo and cron open an audit socket, netlink(7) NETLINK_AUDIT. The kernel takes no audit message from a
/// user namespace, and libaudit goes on after EAFNOSUPPORT as on a kernel without audit.
final class HarmlessDenial {
    private static final long AF_NETLINK = 16;
    private static final long NETLINK_AUDIT = 9;

    private HarmlessDenial() {}

    /// The values are ints: the kernel ignores the upper halves of their registers.
    static boolean matches(SeccompData data, Action action) {
        return action.equals(Action.errno("EAFNOSUPPORT"))
                && (int) data.argument(0) == AF_NETLINK
                && (int) data.argument(2) == NETLINK_AUDIT
                && isSocket(data);
    }

    private static boolean isSocket(SeccompData data) {
        return SyscallTable.get()
                .byNumber(Architecture.host(), data.number())
                .filter(call -> call.name().equals("socket"))
                .isPresent();
    }
}
