package dev.caisson.launch;

/// The opcode of each kind of step, `enum opcode` in `native/plan.h`.
enum Opcode {
    SEAL(1),
    JOIN_CGROUP(10),
    CGROUP_NAMESPACE(11),
    MAPPED(12),
    NO_NEW_PRIVS(13),
    ENTER(14),
    PRIVATE(20),
    ROOT(30),
    MOUNT_FS(40),
    MOUNT_FD(41),
    MKDIR(42),
    FILE(43),
    SYMLINK(44),
    DEVICE(50),
    CONSOLE(51),
    HOST_DEVICE(52),
    PIVOT(60),
    SYSCTL(70),
    MASK(71),
    READ_ONLY(72),
    ROOT_READ_ONLY(73),
    VERIFY(74),
    AWAIT_LINK(75),
    LOOPBACK(80),
    HOSTNAME(81),
    DOMAINNAME(82),
    RLIMIT(83),
    OOM_SCORE_ADJ(84),
    KEYRING(85),
    NETLINK(86),
    RESOLVER(87),
    NETLINK_SOCKET(88),
    SYSCTL_FILE(89),
    GATEWAY(180),
    CAPS(90),
    LANDLOCK(100),
    READY(110),
    FILTER(120),
    EXEC(121),
    FILES(122),
    DONE(123);

    private final int number;

    Opcode(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    static Opcode numbered(int number) {
        for (Opcode opcode : values()) {
            if (opcode.number == number) {
                return opcode;
            }
        }
        throw new IllegalArgumentException("no opcode has number " + number);
    }

    static Opcode of(Step step) {
        return switch (step) {
            case Step.Seal _ -> SEAL;
            case Step.JoinCgroup _ -> JOIN_CGROUP;
            case Step.CgroupNamespace _ -> CGROUP_NAMESPACE;
            case Step.Mapped _ -> MAPPED;
            case Step.NoNewPrivileges _ -> NO_NEW_PRIVS;
            case Step.EnterNamespaces _ -> ENTER;
            case Step.MakePrivate _ -> PRIVATE;
            case Step.AttachRoot _ -> ROOT;
            case Step.MountFileSystem _ -> MOUNT_FS;
            case Step.MountSlot _ -> MOUNT_FD;
            case Step.MakeDirectory _ -> MKDIR;
            case Step.WriteFile _ -> FILE;
            case Step.MakeSymbolicLink _ -> SYMLINK;
            case Step.BindDevice _ -> DEVICE;
            case Step.OpenConsole _ -> CONSOLE;
            case Step.PlaceDevice _ -> HOST_DEVICE;
            case Step.Pivot _ -> PIVOT;
            case Step.SetSysctl _ -> SYSCTL;
            case Step.AwaitLink _ -> AWAIT_LINK;
            case Step.Mask _ -> MASK;
            case Step.MakeReadOnly _ -> READ_ONLY;
            case Step.MakeRootReadOnly _ -> ROOT_READ_ONLY;
            case Step.VerifyMounts _ -> VERIFY;
            case Step.RaiseLoopback _ -> LOOPBACK;
            case Step.SetHostName _ -> HOSTNAME;
            case Step.SetDomainName _ -> DOMAINNAME;
            case Step.SetResourceLimit _ -> RLIMIT;
            case Step.SetOomScoreAdjustment _ -> OOM_SCORE_ADJ;
            case Step.JoinKeyring _ -> KEYRING;
            case Step.Netlink _ -> NETLINK;
            case Step.Resolver _ -> RESOLVER;
            case Step.AskGateway _ -> GATEWAY;
            case Step.LendNetlink _ -> NETLINK_SOCKET;
            case Step.LendSysctl _ -> SYSCTL_FILE;
            case Step.SetPrivileges _ -> CAPS;
            case Step.RestrictScope _ -> LANDLOCK;
            case Step.Ready _ -> READY;
            case Step.InstallFilter _ -> FILTER;
            case Step.Execute _ -> EXEC;
            case Step.ServeFiles _ -> FILES;
            case Step.Done _ -> DONE;
        };
    }
}
