package dev.caisson.launch;

import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Rlimit;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// One act of init. A step holds no open choice: ids, slots, bytes and texts are final, paths lead inside the root.
///
/// Each record mirrors one opcode of `native/plan.h`; a test compares the two tables.
public sealed interface Step {
    /// When it happens.
    Phase phase();

    /// Parent-death signal, not dumpable, every descriptor closed but the plan's.
    record Seal() implements Step {
        @Override
        public Phase phase() {
            return Phase.SEAL;
        }
    }

    /// Enters the v1 control group whose `tasks` file is in `slot`.
    record JoinCgroup(Slot slot) implements Step {
        @Override
        public Phase phase() {
            return Phase.MAPPED;
        }
    }

    /// The groups it is in become the roots that it can see.
    record CgroupNamespace() implements Step {
        @Override
        public Phase phase() {
            return Phase.MAPPED;
        }
    }

    /// Enters namespaces of a container that runs: the first step of [ExecPlan] that changes anything. Their
    /// descriptors are in consecutive slots from `first` on, in the order of [Namespace#inOrderOfEntry].
    record EnterNamespaces(Set<Namespace> namespaces, Slot first) implements Step {
        public EnterNamespaces {
            namespaces = Set.copyOf(namespaces);
        }

        @Override
        public Phase phase() {
            return Phase.MAPPED;
        }
    }

    /// Waits for its id maps and becomes root of its user namespace.
    record Mapped() implements Step {
        @Override
        public Phase phase() {
            return Phase.MAPPED;
        }
    }

    /// No execve gives privileges from here on, prctl(2) PR_SET_NO_NEW_PRIVS.
    record NoNewPrivileges() implements Step {
        @Override
        public Phase phase() {
            return Phase.MAPPED;
        }
    }

    /// A session of its own, mount propagation cut.
    record MakePrivate() implements Step {
        @Override
        public Phase phase() {
            return Phase.PRIVATE;
        }
    }

    /// Attaches the root file system that the zygote assembled.
    record AttachRoot(Slot slot) implements Step {
        @Override
        public Phase phase() {
            return Phase.ROOT;
        }
    }

    /// A new instance of a kernel file system. `bytes` and `inodes` bound a tmpfs, 0 elsewhere.
    record MountFileSystem(
            KernelFileSystem fileSystem, List<MountFlag> flags, int mode, long bytes, long inodes, InRootPath target)
            implements Step {
        public MountFileSystem {
            flags = flags.stream().distinct().sorted().toList();
        }

        @Override
        public Phase phase() {
            return Phase.MOUNTS;
        }
    }

    /// Attaches a mount that the launcher made, a file or a directory.
    record MountSlot(Slot slot, boolean file, InRootPath target) implements Step {
        @Override
        public Phase phase() {
            return Phase.MOUNTS;
        }
    }

    /// Makes a directory and its parents; an existing one is left as it is.
    record MakeDirectory(int mode, InRootPath path) implements Step {
        @Override
        public Phase phase() {
            return Phase.MOUNTS;
        }
    }

    /// Writes a small file in place of what is there.
    record WriteFile(int mode, InRootPath path, String content) implements Step {
        @Override
        public Phase phase() {
            return Phase.MOUNTS;
        }
    }

    record MakeSymbolicLink(String target, InRootPath path) implements Step {
        @Override
        public Phase phase() {
            return Phase.DEVICES;
        }
    }

    /// Binds one of the host's harmless devices, its number checked.
    record BindDevice(Device device) implements Step {
        @Override
        public Phase phase() {
            return Phase.DEVICES;
        }
    }

    /// A pseudo-terminal of the container's own becomes its standard streams; the master goes to the engine.
    record OpenConsole(int rows, int columns, int uid, int gid) implements Step {
        @Override
        public Phase phase() {
            return Phase.DEVICES;
        }
    }

    /// Puts a node of a device of the host at a place below `/dev` where nothing is, its number checked.
    record PlaceDevice(Slot slot, DeviceNode node, InRootPath target) implements Step {
        @Override
        public Phase phase() {
            return Phase.DEVICES;
        }
    }

    /// The root file system becomes the only one.
    record Pivot() implements Step {
        @Override
        public Phase phase() {
            return Phase.PIVOT;
        }
    }

    /// Writes a namespaced kernel setting. `name` is its path below /proc/sys.
    record SetSysctl(InRootPath name, String value) implements Step {
        @Override
        public Phase phase() {
            return Phase.PROTECT;
        }
    }

    /// Hides a file behind /dev/null, a directory behind an empty one.
    record Mask(InRootPath path) implements Step {
        @Override
        public Phase phase() {
            return Phase.PROTECT;
        }
    }

    record MakeReadOnly(InRootPath path) implements Step {
        @Override
        public Phase phase() {
            return Phase.PROTECT;
        }
    }

    record MakeRootReadOnly() implements Step {
        @Override
        public Phase phase() {
            return Phase.PROTECT;
        }
    }

    /// Reads back from the kernel what the mounts are.
    record VerifyMounts() implements Step {
        @Override
        public Phase phase() {
            return Phase.PROTECT;
        }
    }

    record RaiseLoopback() implements Step {
        @Override
        public Phase phase() {
            return Phase.LIMITS;
        }
    }

    record SetHostName(String name) implements Step {
        @Override
        public Phase phase() {
            return Phase.LIMITS;
        }
    }

    record SetDomainName(String name) implements Step {
        @Override
        public Phase phase() {
            return Phase.LIMITS;
        }
    }

    record SetResourceLimit(Rlimit limit) implements Step {
        @Override
        public Phase phase() {
            return Phase.LIMITS;
        }
    }

    record SetOomScoreAdjustment(int value) implements Step {
        @Override
        public Phase phase() {
            return Phase.LIMITS;
        }
    }

    /// An empty session keyring of its own, keyctl(2).
    record JoinKeyring() implements Step {
        @Override
        public Phase phase() {
            return Phase.LIMITS;
        }
    }

    /// Sends requests to the kernel in the container's own network namespace, in one message.
    record Netlink(NetlinkProtocol protocol, NetlinkRequests requests) implements Step {
        @Override
        public Phase phase() {
            return Phase.LIMITS;
        }
    }

    /// Waits for a link that the zygote makes at the same time.
    ///
    /// @param link its interface index inside, from 2
    record AwaitLink(int link) implements Step {
        private static final int FIRST_LINK = 2;

        public AwaitLink {
            if (link < FIRST_LINK) {
                throw new IllegalArgumentException("no index of a link inside: " + link);
            }
        }

        @Override
        public Phase phase() {
            return Phase.PROTECT;
        }
    }

    /// Asks for a gateway until it answers, for a while: the kernel asks once a second.
    ///
    /// @param link interface index of the link inside, from 2
    record AskGateway(int link, InetAddress gateway) implements Step {
        static final int IPV4 = 2;
        static final int IPV6 = 10;
        private static final int FIRST_LINK = 2;

        public AskGateway {
            if (link < FIRST_LINK) {
                throw new IllegalArgumentException("no index of a link inside: " + link);
            }
        }

        int family() {
            return gateway.getAddress().length == 4 ? IPV4 : IPV6;
        }

        @Override
        public Phase phase() {
            return Phase.LIMITS;
        }
    }

    /// Makes a netlink socket in the network namespace, which the engine gets.
    record LendNetlink(NetlinkProtocol protocol) implements Step {
        @Override
        public Phase phase() {
            return Phase.LIMITS;
        }
    }

    /// Opens a setting of the network namespace to be read, which the engine gets.
    ///
    /// @param name below /proc/sys and `net/`
    record LendSysctl(InRootPath name) implements Step {
        @Override
        public Phase phase() {
            return Phase.LIMITS;
        }
    }

    /// Opens sockets at 127.0.0.11 for a resolver outside, which the engine gets: a bound one, and a listening one.
    ///
    /// @param udpPort from 1024, as `tcpPort`
    record Resolver(int udpPort, int tcpPort) implements Step {
        private static final int FIRST_FREE_PORT = 1024;
        private static final int LAST_PORT = 65_535;

        public Resolver {
            if (Math.min(udpPort, tcpPort) < FIRST_FREE_PORT || Math.max(udpPort, tcpPort) > LAST_PORT) {
                throw new IllegalArgumentException("no ports of a resolver: " + udpPort + ", " + tcpPort);
            }
        }

        @Override
        public Phase phase() {
            return Phase.LIMITS;
        }
    }

    /// Drops to the user and to the capabilities; inheritable and ambient sets become empty.
    record SetPrivileges(
            CapabilitySet bounding, CapabilitySet permitted, int uid, int gid, List<Integer> supplementaryGroups)
            implements Step {
        public SetPrivileges {
            supplementaryGroups = List.copyOf(supplementaryGroups);
        }

        @Override
        public Phase phase() {
            return Phase.CAPS;
        }
    }

    /// Confines signals and abstract sockets to the container, landlock(7) scopes.
    ///
    /// @param scopes LANDLOCK_SCOPE_* of linux/landlock.h
    record RestrictScope(int scopes) implements Step {
        static final int ABSTRACT_SOCKETS = 1;
        static final int SIGNALS = 2;

        boolean coversAbstractSockets() {
            return (scopes & ABSTRACT_SOCKETS) != 0;
        }

        @Override
        public Phase phase() {
            return Phase.LANDLOCK;
        }
    }

    record Ready(String workingDirectory) implements Step {
        @Override
        public Phase phase() {
            return Phase.READY;
        }
    }

    /// The compiled filter, an array of struct sock_filter. Early, in CAPS, only where no_new_privs is not set.
    record InstallFilter(FilterProgram program, boolean early) implements Step {
        @Override
        public Phase phase() {
            return early ? Phase.CAPS : Phase.FILTER;
        }
    }

    /// Runs the program: last, and only once.
    ///
    /// @param idle in place of the program a child of init sleeps, for a container in which others work
    record Execute(
            boolean initStays,
            boolean controllingTerminal,
            String searchPath,
            List<String> arguments,
            List<String> environment,
            boolean idle)
            implements Step {
        public Execute {
            arguments = List.copyOf(arguments);
            environment = List.copyOf(environment);
        }

        public Execute(
                boolean initStays,
                boolean controllingTerminal,
                String searchPath,
                List<String> arguments,
                List<String> environment) {
            this(initStays, controllingTerminal, searchPath, arguments, environment, false);
        }

        @Override
        public Phase phase() {
            return Phase.FILTER;
        }
    }

    /// Says that all steps are done, and ends: last, in place of a program, of a process that enters a container.
    record Done() implements Step {
        @Override
        public Phase phase() {
            return Phase.FILTER;
        }
    }

    /// Serves the container's files on the control socket: last, in place of a program.
    ///
    /// @param lifetime the process that it does not outlive
    /// @param root the directory that is served, beyond which no path and no link leads
    record ServeFiles(Optional<Slot> lifetime, InRootPath root) implements Step {
        @Override
        public Phase phase() {
            return Phase.FILTER;
        }
    }
}
