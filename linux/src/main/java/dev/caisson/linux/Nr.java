package dev.caisson.linux;

/// System call numbers of the running architecture, from its `asm/unistd_64.h`. Calls since Linux 5.0
/// have one number everywhere; older ones differ and are given for x86_64 and aarch64.
final class Nr {
    private static final boolean AARCH64 = architecture().equals("aarch64");

    static final long READ = pick(0, 63);
    static final long WRITE = pick(1, 64);
    static final long CLOSE = pick(3, 57);
    static final long FSTAT = pick(5, 80);
    static final long LSEEK = pick(8, 62);
    static final long MMAP = pick(9, 222);
    static final long MUNMAP = pick(11, 215);
    static final long MADVISE = pick(28, 233);
    static final long MLOCK = pick(149, 228);
    static final long PREAD64 = pick(17, 67);
    static final long PWRITE64 = pick(18, 68);
    static final long RT_SIGPROCMASK = pick(14, 135);
    static final long IOCTL = pick(16, 29);
    static final long SOCKET = pick(41, 198);
    static final long CONNECT = pick(42, 203);
    static final long SENDTO = pick(44, 206);
    static final long RECVFROM = pick(45, 207);
    static final long SENDMSG = pick(46, 211);
    static final long RECVMSG = pick(47, 212);
    static final long SHUTDOWN = pick(48, 210);
    static final long BIND = pick(49, 200);
    static final long LISTEN = pick(50, 201);
    static final long GETSOCKNAME = pick(51, 204);
    static final long GETPEERNAME = pick(52, 205);
    static final long SOCKETPAIR = pick(53, 199);
    static final long SETSOCKOPT = pick(54, 208);
    static final long GETSOCKOPT = pick(55, 209);
    static final long KILL = pick(62, 129);
    static final long SETSID = pick(112, 157);
    static final long FCNTL = pick(72, 25);
    static final long FLOCK = pick(73, 32);
    static final long FSYNC = pick(74, 82);
    static final long FTRUNCATE = pick(77, 46);
    static final long FCHDIR = pick(81, 50);
    static final long FCHMOD = pick(91, 52);
    static final long FCHOWN = pick(93, 55);
    static final long FSTATFS = pick(138, 44);
    static final long PTRACE = pick(101, 117);
    static final long PRCTL = pick(157, 167);
    static final long FSETXATTR = pick(190, 7);
    static final long GETXATTR = pick(191, 8);
    static final long FGETXATTR = pick(193, 10);
    static final long LISTXATTR = pick(194, 11);
    static final long GETDENTS64 = pick(217, 61);
    static final long CLOCK_GETTIME = pick(228, 113);
    static final long EPOLL_CTL = pick(233, 21);
    static final long EXIT_GROUP = pick(231, 94);
    static final long WAITID = pick(247, 95);
    static final long ADD_KEY = pick(248, 217);
    static final long KEYCTL = pick(250, 219);
    static final long MKDIRAT = pick(258, 34);
    static final long MKNODAT = pick(259, 33);
    static final long FCHOWNAT = pick(260, 54);
    static final long NEWFSTATAT = pick(262, 79);
    static final long PPOLL = pick(271, 73);
    static final long UNLINKAT = pick(263, 35);
    static final long LINKAT = pick(265, 37);
    static final long SYMLINKAT = pick(266, 36);
    static final long READLINKAT = pick(267, 78);
    static final long FCHMODAT = pick(268, 53);
    static final long UTIMENSAT = pick(280, 88);
    static final long EPOLL_PWAIT = pick(281, 22);
    static final long ACCEPT4 = pick(288, 242);
    static final long SIGNALFD4 = pick(289, 74);
    static final long EVENTFD2 = pick(290, 19);
    static final long EPOLL_CREATE1 = pick(291, 20);
    static final long INOTIFY_ADD_WATCH = pick(254, 27);
    static final long INOTIFY_INIT1 = pick(294, 26);
    static final long PIPE2 = pick(293, 59);
    static final long FANOTIFY_INIT = pick(300, 262);
    static final long FANOTIFY_MARK = pick(301, 263);
    static final long PRLIMIT64 = pick(302, 261);
    static final long RENAMEAT2 = pick(316, 276);
    static final long SECCOMP = pick(317, 277);
    static final long SYNCFS = pick(306, 267);
    static final long GETRANDOM = pick(318, 278);
    static final long MEMFD_CREATE = pick(319, 279);
    static final long BPF = pick(321, 280);
    static final long STATX = pick(332, 291);

    static final long PIDFD_SEND_SIGNAL = 424;
    static final long OPEN_TREE = 428;
    static final long MOVE_MOUNT = 429;
    static final long FSOPEN = 430;
    static final long FSCONFIG = 431;
    static final long FSMOUNT = 432;
    static final long FSPICK = 433;
    static final long PIDFD_OPEN = 434;
    static final long CLOSE_RANGE = 436;
    static final long OPENAT2 = 437;
    static final long PIDFD_GETFD = 438;
    static final long MOUNT_SETATTR = 442;
    static final long QUOTACTL_FD = 443;
    static final long LANDLOCK_CREATE_RULESET = 444;
    static final long MEMFD_SECRET = 447;

    private Nr() {}

    /// The kernel's name of the machine, `x86_64` or `aarch64`.
    /// @throws UnsupportedOperationException elsewhere: no number here would be right
    static String architecture() {
        String machine = System.getProperty("os.arch");
        return switch (machine) {
            case "amd64" -> "x86_64";
            case "aarch64" -> "aarch64";
            default -> throw new UnsupportedOperationException("Caisson runs on x86_64 and aarch64, not on " + machine);
        };
    }

    private static long pick(long x86, long arm) {
        return AARCH64 ? arm : x86;
    }
}
