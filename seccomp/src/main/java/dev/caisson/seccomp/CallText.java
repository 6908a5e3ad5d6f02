package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A call as people write it: its name, and its arguments as the kernel reads them, those that decide most often by
/// their names in C's headers.
public final class CallText {
    private static final List<String> FAMILIES = List.of(
            "AF_UNSPEC AF_UNIX AF_INET AF_AX25 AF_IPX AF_APPLETALK AF_NETROM AF_BRIDGE AF_ATMPVC AF_X25 AF_INET6 AF_ROSE"
                    .concat(" AF_DECnet AF_NETBEUI AF_SECURITY AF_KEY AF_NETLINK AF_PACKET AF_ASH AF_ECONET")
                    .concat(" AF_ATMSVC AF_RDS AF_SNA AF_IRDA AF_PPPOX AF_WANPIPE AF_LLC AF_IB AF_MPLS AF_CAN")
                    .concat(" AF_TIPC AF_BLUETOOTH AF_IUCV AF_RXRPC AF_ISDN AF_PHONET AF_IEEE802154 AF_CAIF")
                    .concat(" AF_ALG AF_NFC AF_VSOCK AF_KCM AF_QIPCRTR AF_SMC AF_XDP AF_MCTP")
                    .split(" ", -1));

    /// `CLONE_…` of `linux/sched.h`, the flags that make namespaces.
    private static final Map<Long, String> NAMESPACES = new TreeMap<>(Map.of(
            0x80L, "CLONE_NEWTIME",
            0x20000L, "CLONE_NEWNS",
            0x2000000L, "CLONE_NEWCGROUP",
            0x4000000L, "CLONE_NEWUTS",
            0x8000000L, "CLONE_NEWIPC",
            0x10000000L, "CLONE_NEWUSER",
            0x20000000L, "CLONE_NEWPID",
            0x40000000L, "CLONE_NEWNET"));

    /// socket(2)
    private static final Map<Long, String> TYPES = Map.of(
            1L,
            "SOCK_STREAM",
            2L,
            "SOCK_DGRAM",
            3L,
            "SOCK_RAW",
            4L,
            "SOCK_RDM",
            5L,
            "SOCK_SEQPACKET",
            10L,
            "SOCK_PACKET");
    private static final long SOCK_TYPE_MASK = 0xf;
    private static final long SOCK_CLOEXEC = 0x80000;
    private static final long SOCK_NONBLOCK = 0x800;

    private CallText() {}

    /// Returns the name of a call, or its number if it names none.
    public static String of(SeccompData data) {
        Optional<Architecture> abi = abi(data);
        Optional<Syscall> call = call(data);
        String prefix = abi.map(Architecture::name).orElse("arch 0x" + Integer.toHexString(data.arch())) + " ";
        if (call.isEmpty() || abi.isEmpty()) {
            return prefix + "number " + Integer.toUnsignedString(data.number());
        }
        var arguments = new ArrayList<String>();
        int count = call.get().widths().isEmpty() ? 6 : call.get().widths().length();
        for (int index = 0; index < count; index++) {
            long value = narrow(data.argument(index), call.get().bits(abi.get(), index));
            arguments.add(argument(call.get().name(), abi.get(), index, value));
        }
        return prefix + call.get().name() + "(" + String.join(", ", arguments) + ")";
    }

    /// The call's name; empty for a number that names none.
    public static String name(SeccompData data) {
        return call(data).map(Syscall::name).orElse("");
    }

    private static Optional<Syscall> call(SeccompData data) {
        return abi(data).flatMap(abi -> {
            int plain = abi == Architecture.X32 ? data.number() & ~Architecture.X32_BIT : data.number();
            return SyscallTable.get().byNumber(Architecture.numbering(abi, plain), plain);
        });
    }

    /// The ABI by which a call enters.
    public static Optional<Architecture> abi(SeccompData data) {
        boolean x32 = data.arch() == Architecture.X86_64.auditValue() && (data.number() & Architecture.X32_BIT) != 0;
        for (Architecture abi : Architecture.values()) {
            if (abi.auditValue() == data.arch() && (abi == Architecture.X32) == x32) {
                return Optional.of(abi);
            }
        }
        return Optional.empty();
    }

    private static long narrow(long value, int bits) {
        return bits == 64 ? value : value & ((1L << bits) - 1);
    }

    private static String argument(String name, Architecture abi, int index, long value) {
        int flags = abi == Architecture.S390X ? 1 : 0;
        return switch (name) {
            case "socket", "socketpair" ->
                switch (index) {
                    case 0 -> value < FAMILIES.size() ? FAMILIES.get((int) value) : show(value);
                    case 1 -> socketType(value);
                    default -> show(value);
                };
            case "clone" -> index == flags ? namespaces(value) : show(value);
            case "unshare" -> index == 0 ? namespaces(value) : show(value);
            case "setns" -> index == 1 ? namespaces(value) : show(value);
            default -> show(value);
        };
    }

    private static String socketType(long value) {
        String name = TYPES.get(value & SOCK_TYPE_MASK);
        if (name == null || (value & ~(SOCK_TYPE_MASK | SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0) {
            return show(value);
        }
        return name
                + ((value & SOCK_CLOEXEC) == 0 ? "" : "|SOCK_CLOEXEC")
                + ((value & SOCK_NONBLOCK) == 0 ? "" : "|SOCK_NONBLOCK");
    }

    private static String namespaces(long flags) {
        var names = new ArrayList<String>();
        long rest = flags;
        for (Map.Entry<Long, String> flag : NAMESPACES.entrySet()) {
            if ((flags & flag.getKey()) != 0) {
                names.add(flag.getValue());
                rest &= ~flag.getKey();
            }
        }
        if (rest != 0 || names.isEmpty()) {
            names.add(show(rest));
        }
        return String.join("|", names);
    }

    private static String show(long value) {
        return value >= 0 && value < 1024 ? Long.toString(value) : "0x" + Long.toHexString(value);
    }
}
