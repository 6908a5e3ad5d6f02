package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What the profiles that come with Caisson decide, call by call; and that each of their rules, conditions and
/// selectors is needed for it.
class OwnProfilesTest {
    private static final Action EPERM = Action.errno(1);
    private static final Action EINVAL = Action.errno(22);
    private static final Action ENOSYS = Action.errno(38);
    private static final Action ENOPROTOOPT = Action.errno(92);
    private static final Action EPROTONOSUPPORT = Action.errno(93);
    private static final Action EAFNOSUPPORT = Action.errno(97);
    private static final Target PLAIN = Calls.target(Architecture.X86_64);
    private static final Target BARE = new Target(Architecture.X86_64, Calls.KERNEL, Set.of());

    private static final List<String> DENIED = words("""
            _sysctl acct add_key afs_syscall bpf clock_settime create_module delete_module epoll_ctl_old epoll_wait_old
            fanotify_init fanotify_mark finit_module fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy getpmsg
            init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl
            lookup_dcookie lsm_set_self_attr mbind migrate_pages modify_ldt mount mount_setattr move_mount move_pages
            nfsservctl open_by_handle_at open_tree open_tree_attr perf_event_open pidfd_getfd pivot_root process_madvise
            putpmsg query_module quotactl quotactl_fd reboot remap_file_pages request_key security set_mempolicy
            set_mempolicy_home_node setdomainname sethostname setns settimeofday swapoff swapon sysfs syslog tuxcall umount2
            uprobe uretprobe uselib userfaultfd ustat vhangup vserver""");

    private static final int AF_PACKET = 17;
    private static final int SOCK_CLOEXEC = 0x80000;

    private static final List<String> STRICTLY_ALLOWED = words("""
            access arch_prctl brk clock_getres clock_gettime clock_nanosleep close close_range dup dup2 dup3 execveat exit
            exit_group faccessat faccessat2 fcntl fstat futex futex_requeue futex_wait futex_waitv futex_wake getcpu getcwd
            getdents64 getegid geteuid getgid getpid getrandom getrlimit getrusage gettid gettimeofday getuid lseek lstat
            madvise map_shadow_stack membarrier mmap mprotect mremap mseal munmap nanosleep newfstatat open openat
            pkey_alloc pkey_free pkey_mprotect poll ppoll pread64 preadv preadv2 prlimit64 pselect6 pwrite64 pwritev
            pwritev2 read readlink readlinkat readv restart_syscall rseq rseq_slice_yield rt_sigaction rt_sigprocmask
            rt_sigreturn sched_getaffinity sched_yield select set_robust_list set_thread_area set_tid_address sigaltstack
            stat statx sysinfo tgkill time times uname write writev""");

    /// A call, and what is decided for it.
    record Row(Target target, Architecture abi, Action expected, String call, List<Long> arguments) {
        boolean holdsFor(Evaluators evaluators) {
            int number = SyscallTable.get().number(abi, call).orElseThrow();
            return evaluators
                    .of(target)
                    .decide(SeccompData.of(abi, number, values()))
                    .equals(expected);
        }

        long[] values() {
            return arguments.stream().mapToLong(Long::longValue).toArray();
        }

        @Override
        public String toString() {
            return expected + " for " + call + arguments + " on " + abi + " with " + target.capabilities();
        }
    }

    /// One profile for any target.
    record Evaluators(Profile profile, Map<Target, ProfileEvaluator> made) {
        Evaluators(Profile profile) {
            this(profile, new HashMap<>());
        }

        ProfileEvaluator of(Target target) {
            return made.computeIfAbsent(target, key -> new ProfileEvaluator(profile, key));
        }
    }

    private static List<String> words(String text) {
        return List.of(text.strip().split("\\s+", -1));
    }

    private static Row row(Target target, Action expected, String call, long... arguments) {
        return new Row(
                target,
                target.architecture(),
                expected,
                call,
                Arrays.stream(arguments).boxed().toList());
    }

    private static Row row(Action expected, String call, long... arguments) {
        return row(PLAIN, expected, call, arguments);
    }

    private static Target with(String capability) {
        return new Target(Architecture.X86_64, Calls.KERNEL, Set.of(capability));
    }

    private static List<Row> opens(String capability, String calls) {
        return words(calls).stream()
                .flatMap(call -> Stream.of(
                        row(with(capability), Action.ALLOW, call),
                        row(BARE, call.equals("chroot") || DENIED.contains(call) ? EPERM : ENOSYS, call)))
                .toList();
    }

    private static List<Row> standard() {
        var rows = new ArrayList<Row>();
        for (Syscall call : SyscallTable.get().calls(Architecture.X86_64).values()) {
            rows.add(row(
                    switch (call.name()) {
                        case "cachestat", "clone3", "io_setup", "listns", "memfd_secret" -> ENOSYS;
                        case "socket", "socketpair" -> EAFNOSUPPORT;
                        default -> DENIED.contains(call.name()) ? EPERM : Action.ALLOW;
                    },
                    call.name()));
        }
        rows.addAll(opens("CAP_BPF", "bpf"));
        rows.addAll(opens("CAP_DAC_READ_SEARCH", "open_by_handle_at"));
        rows.addAll(opens("CAP_PERFMON", "perf_event_open"));
        rows.addAll(opens("CAP_SYSLOG", "syslog"));
        rows.addAll(opens("CAP_SYS_ADMIN", """
                clone3 fanotify_init fsconfig fsmount fsopen fspick listns mount mount_setattr move_mount open_tree
                open_tree_attr pivot_root quotactl quotactl_fd setdomainname sethostname setns umount2"""));
        rows.addAll(opens("CAP_SYS_BOOT", "reboot"));
        rows.addAll(opens("CAP_SYS_CHROOT", "chroot"));
        rows.addAll(opens(
                "CAP_SYS_NICE", "get_mempolicy mbind migrate_pages move_pages set_mempolicy set_mempolicy_home_node"));
        rows.addAll(opens("CAP_SYS_PACCT", "acct"));
        rows.addAll(opens("CAP_SYS_PTRACE", "kcmp pidfd_getfd process_madvise"));
        rows.addAll(opens("CAP_SYS_RESOURCE", "io_setup"));
        rows.addAll(opens("CAP_SYS_TIME", "clock_settime settimeofday"));
        rows.addAll(opens("CAP_SYS_TTY_CONFIG", "vhangup"));
        rows.addAll(processes());
        rows.addAll(sockets());
        rows.addAll(filters());
        rows.addAll(otherMachines());
        return rows;
    }

    private static List<Row> processes() {
        var rows = new ArrayList<Row>();
        for (long personality : new long[] {0, 8, 0x20000, 0x20008, 0x40000, 0xffffffffL}) {
            rows.add(row(Action.ALLOW, "personality", personality));
        }
        for (long personality : new long[] {1, 4, 0x40008, 0x60000, 0x400000, 0xfffffffeL}) {
            rows.add(row(EPERM, "personality", personality));
        }
        long[] namespaces = {0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000};
        for (long namespace : namespaces) {
            for (String call : List.of("clone", "unshare")) {
                rows.add(row(EPERM, call, namespace | 0x100));
                rows.add(row(with("CAP_SYS_ADMIN"), Action.ALLOW, call, namespace));
            }
        }
        rows.add(row(EPERM, "unshare", 0x80)); // CLONE_NEWTIME, which is a signal's number in clone
        rows.add(row(Action.ALLOW, "clone", 0x80));
        rows.add(row(Action.ALLOW, "clone", 0x3d0f00)); // a thread
        rows.add(row(Action.ALLOW, "unshare", 0x400));
        rows.add(row(EPERM, "ioctl", 0, 0x5412)); // TIOCSTI
        rows.add(row(EPERM, "ioctl", 0, 0x541c)); // TIOCLINUX
        rows.add(row(EPERM, "ioctl", 0, 0x5423)); // TIOCSETD
        rows.add(row(Action.ALLOW, "ioctl", 0x5412, 0x5413, 0x5412));
        rows.add(row(Action.ALLOW, "ioctl", 0x5423, 0x5424, 0x5423)); // TIOCGETD
        for (int option = 0; option < 90; option++) {
            boolean forAll = option == 62 || option == 67; // PR_SCHED_CORE, PR_SET_MEMORY_MERGE
            rows.add(row(forAll ? EINVAL : Action.ALLOW, "prctl", option, 62, 67));
        }
        for (int advice = 0; advice < 120; advice++) {
            rows.add(row(advice == 12 ? EINVAL : Action.ALLOW, "madvise", 12, 12, advice)); // MADV_MERGEABLE
        }
        for (int advice = 0; advice < 8; advice++) { // POSIX_FADV_DONTNEED
            rows.add(row(advice == 4 ? Action.errno(0) : Action.ALLOW, "fadvise64", 4, 4, 4, advice));
        }
        return rows;
    }

    private static List<Row> sockets() {
        var rows = new ArrayList<Row>();
        for (int family = 0; family < 48; family++) {
            boolean internet = family == 2 || family == 10;
            for (int type : new int[] {1, 2, 3, 5, SOCK_CLOEXEC | 1, SOCK_CLOEXEC | 3}) {
                boolean raw = family == AF_PACKET || (internet && (type & 15) == 3);
                Action known = internet || family == 1 || family == 16 ? Action.ALLOW : EAFNOSUPPORT;
                rows.add(row(raw ? EPERM : known, "socket", family, type, 0));
                rows.add(row(with("CAP_NET_RAW"), raw ? Action.ALLOW : known, "socket", family, type, 0));
            }
            rows.add(row(family == 1 ? Action.ALLOW : EAFNOSUPPORT, "socketpair", family, 1, 0));
        }
        for (int family : new int[] {2, 10}) {
            for (int protocol = 0; protocol < 300; protocol++) {
                boolean loaded = protocol == 256; // IPPROTO_SMC
                rows.add(row(loaded ? EPROTONOSUPPORT : Action.ALLOW, "socket", family, 1, protocol));
                rows.add(row(loaded ? EPROTONOSUPPORT : Action.ALLOW, "socket", family, 2, protocol));
            }
        }
        rows.add(row(EPROTONOSUPPORT, "socket", 2, 1, 768)); // which the kernel does not have
        rows.add(row(Action.ALLOW, "socket", 1, 1, 256));
        for (int protocol = 0; protocol < 32; protocol++) {
            boolean open = protocol == 0 || protocol == 4 || protocol == 15;
            rows.add(row(open ? Action.ALLOW : EAFNOSUPPORT, "socket", 16, 3, protocol));
            rows.add(row(with("CAP_NET_ADMIN"), Action.ALLOW, "socket", 16, 3, protocol));
            rows.add(row(EAFNOSUPPORT, "socket", 15, 3, protocol));
        }
        rows.add(row(with("CAP_NET_ADMIN"), EPERM, "socket", AF_PACKET, 3, 0));
        rows.add(row(with("CAP_NET_RAW"), EAFNOSUPPORT, "socket", 16, 3, 9));
        return rows;
    }

    /// Filters that programs load for sockets and for themselves.
    private static List<Row> filters() {
        var rows = new ArrayList<Row>();
        for (int option : new int[] {26, 51}) {
            rows.add(row(with("CAP_NET_RAW"), Action.ALLOW, "setsockopt", 3, 1, option));
            rows.add(row(with("CAP_BPF"), ENOPROTOOPT, "setsockopt", 3, 1, option));
        }
        for (int option : new int[] {50, 52}) {
            rows.add(row(with("CAP_BPF"), Action.ALLOW, "setsockopt", 3, 1, option));
            rows.add(row(with("CAP_NET_RAW"), ENOPROTOOPT, "setsockopt", 3, 1, option));
        }
        for (int option = 0; option < 80; option++) {
            boolean loads = option == 26 || (option >= 50 && option <= 52);
            rows.add(row(loads ? ENOPROTOOPT : Action.ALLOW, "setsockopt", 3, 1, option));
            rows.add(row(Action.ALLOW, "setsockopt", 3, 6, option)); // IPPROTO_TCP
            // IPPROTO_IPV6, IPV6_FLOWLABEL_MGR
            rows.add(row(option == 32 ? ENOPROTOOPT : Action.ALLOW, "setsockopt", 3, 41, option));
        }
        for (long flags : new long[] {8, 9, 0x18}) {
            rows.add(row(EINVAL, "seccomp", 1, flags));
            rows.add(row(with("CAP_SYS_ADMIN"), Action.ALLOW, "seccomp", 1, flags));
        }
        rows.add(row(Action.ALLOW, "seccomp", 1, 0x37));
        rows.add(row(Action.ALLOW, "seccomp", 2, 8)); // SECCOMP_GET_ACTION_AVAIL
        return rows;
    }

    private static Row on(Architecture machine, Architecture abi, Action expected, String call, long... arguments) {
        return new Row(
                Calls.target(machine),
                abi,
                expected,
                call,
                Arrays.stream(arguments).boxed().toList());
    }

    private static List<Row> otherMachines() {
        Architecture s390x = Architecture.S390X;
        Architecture arm = Architecture.ARM;
        return List.of(
                on(Architecture.RISCV64, Architecture.RISCV64, Action.ALLOW, "riscv_hwprobe"),
                on(Architecture.RISCV64, Architecture.RISCV64, Action.ALLOW, "riscv_flush_icache"),
                on(Architecture.PPC64LE, Architecture.PPC64LE, Action.ALLOW, "swapcontext"),
                on(s390x, s390x, Action.errno(0), "fadvise64", 4, 4, 4, 6),
                on(s390x, s390x, Action.ALLOW, "fadvise64", 4, 4, 4, 4),
                on(Architecture.AARCH64, Architecture.AARCH64, Action.errno(0), "fadvise64", 6, 6, 6, 4),
                on(Architecture.AARCH64, arm, Action.errno(0), "arm_fadvise64_64", 6, 4, 0, 0),
                on(Architecture.AARCH64, arm, Action.ALLOW, "arm_fadvise64_64", 6, 3, 4, 4),
                on(s390x, s390x, Action.ALLOW, "s390_guarded_storage"),
                on(s390x, s390x, Action.ALLOW, "s390_runtime_instr"),
                on(s390x, s390x, EPERM, "s390_pci_mmio_write"),
                on(s390x, s390x, ENOSYS, "socketcall"),
                on(s390x, s390x, EPERM, "clone", 0, 0x10000000),
                on(s390x, s390x, Action.ALLOW, "clone", 0x10000000, 0x100),
                on(Architecture.X86_64, Architecture.X86_64, Action.ALLOW, "clone", 0, 0x10000000),
                on(Architecture.AARCH64, arm, Action.ALLOW, "cacheflush"),
                on(Architecture.AARCH64, arm, Action.ALLOW, "set_tls"),
                on(Architecture.AARCH64, arm, Action.ALLOW, "get_tls"),
                on(Architecture.AARCH64, arm, Action.ALLOW, "breakpoint"));
    }

    private static List<Row> strict() {
        var rows = new ArrayList<Row>();
        for (Syscall call : SyscallTable.get().calls(Architecture.X86_64).values()) {
            rows.add(row(
                    switch (call.name()) {
                        case "clone3", "listns" -> ENOSYS;
                        default -> STRICTLY_ALLOWED.contains(call.name()) ? Action.ALLOW : EPERM;
                    },
                    call.name()));
        }
        for (long flag : new long[] {1, 2, 0100, 01000, 020000000}) { // to write, to make, to cut off
            rows.add(row(EPERM, "openat", 3, 0, flag));
            rows.add(row(EPERM, "open", 0, flag));
        }
        rows.add(row(Action.ALLOW, "openat", 0x43, 0x43, 02000000));
        rows.add(row(Action.ALLOW, "open", 0x43, 02000000));
        rows.add(row(Action.ALLOW, "clone", 0x3d0f00));
        for (long flags : new long[] {0x11, 0x3d0e00, 0x3c0f00, 0x3d0700, 0x203d0f00, 0x3f0f00}) {
            rows.add(row(EPERM, "clone", flags));
        }
        rows.add(row(EPERM, "execveat", 3, 0, 0, 0, 0x1000));
        rows.add(row(EINVAL, "madvise", 12, 12, 12)); // MADV_MERGEABLE
        rows.add(row(Action.ALLOW, "madvise", 12, 12, 14));
        Architecture s390x = Architecture.S390X;
        rows.add(on(s390x, s390x, Action.ALLOW, "clone", 0, 0x3d0f00));
        rows.add(on(s390x, s390x, EPERM, "clone", 0x3d0f00, 0));
        rows.add(on(Architecture.X86_64, Architecture.X86_64, EPERM, "clone", 0, 0x3d0f00));
        rows.add(on(Architecture.RISCV64, Architecture.RISCV64, Action.ALLOW, "riscv_hwprobe"));
        rows.add(on(Architecture.RISCV64, Architecture.RISCV64, Action.ALLOW, "riscv_flush_icache"));
        rows.add(on(Architecture.AARCH64, Architecture.ARM, Action.ALLOW, "cacheflush"));
        rows.add(on(Architecture.AARCH64, Architecture.ARM, Action.ALLOW, "set_tls"));
        return rows;
    }

    private static List<Row> volumes() {
        var rows = new ArrayList<Row>();
        for (int bit : new int[] {04000, 02000}) {
            for (String call : List.of("chmod", "fchmod", "creat", "mknod")) {
                rows.add(row(EPERM, call, 0, bit));
                rows.add(row(Action.ALLOW, call, bit, 01777));
            }
            for (String call : List.of("fchmodat", "fchmodat2", "mknodat")) {
                rows.add(row(EPERM, call, 0, 0, bit));
                rows.add(row(Action.ALLOW, call, bit, bit, 01777));
            }
            for (int flag : new int[] {0100, 020000000}) {
                rows.add(row(EPERM, "open", 0, flag, bit));
                rows.add(row(EPERM, "openat", 0, 0, flag, bit));
                rows.add(row(Action.ALLOW, "open", 0, flag, 01777));
                rows.add(row(Action.ALLOW, "openat", 0, 0, flag, 01777));
            }
            rows.add(row(Action.ALLOW, "open", 0, 0, bit));
            rows.add(row(Action.ALLOW, "openat", 0, 0, 0, bit));
        }
        rows.add(row(ENOSYS, "openat2"));
        for (int command = 0; command < 1040; command++) {
            rows.add(row(command == 1024 || command == 1026 ? EPERM : Action.ALLOW, "fcntl", 1024, command));
        }
        return rows;
    }

    /// @param rules that are held against the rows, from this one on
    record Subject(String name, Profile profile, int rules, List<Row> rows) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Subject> subjects() {
        Profile standard = Profile.standard().withCompatibleAbis();
        return Stream.of(
                new Subject("standard", standard, 0, standard()),
                new Subject("strict", Profile.strict().withCompatibleAbis(), 0, strict()),
                new Subject(
                        "volumes",
                        standard.under(List.of(Restriction.VOLUMES, Restriction.WRITABLE_VOLUMES)),
                        standard.rules().size(),
                        volumes()));
    }

    @ParameterizedTest
    @MethodSource("subjects")
    void a_profile_decides_each_of_these_calls_so(Subject subject) {
        var evaluators = new Evaluators(subject.profile());

        assertThat(subject.rows()).filteredOn(row -> !row.holdsFor(evaluators)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("subjects")
    void no_rule_and_no_part_of_one_can_be_left_out_unnoticed(Subject subject) {
        List<Rule> rules = subject.profile().rules();
        var unnoticed = new ArrayList<String>();
        for (int i = subject.rules(); i < rules.size(); i++) {
            Rule rule = rules.get(i);
            List<Row> rows = subject.rows().stream()
                    .filter(row -> rule.names().contains(row.call()))
                    .toList();
            for (Rule changed : changed(rule)) {
                var others = new ArrayList<>(rules);
                others.set(i, changed);
                var evaluators = new Evaluators(with(subject.profile(), others));
                if (rows.stream().allMatch(row -> row.holdsFor(evaluators))) {
                    unnoticed.add(i + " " + rule.names() + " as " + changed);
                }
            }
        }
        assertThat(unnoticed).isEmpty();
    }

    private static Profile with(Profile profile, List<Rule> rules) {
        return new Profile(
                profile.defaultAction(),
                profile.abis(),
                profile.flags(),
                profile.listenerPath(),
                profile.listenerMetadata(),
                rules);
    }

    private static final Selector NEVER = new Selector(Set.of("CAP_LEASE"), Set.of("none"), Optional.empty());

    private static List<Rule> changed(Rule rule) {
        var changed = new ArrayList<Rule>();
        changed.add(new Rule(rule.names(), rule.action(), rule.conditions(), NEVER, rule.excludes(), ""));
        for (int i = 0; i < rule.conditions().size(); i++) {
            var fewer = new ArrayList<>(rule.conditions());
            fewer.remove(i);
            changed.add(new Rule(rule.names(), rule.action(), fewer, rule.includes(), rule.excludes(), ""));
        }
        boolean isDeniedByAnother = rule.names().equals(List.of("io_setup")) // whose stricter action counts
                || rule.conditions().equals(List.of(Condition.of(0, Condition.Operator.EQ, AF_PACKET)));
        if (!rule.includes().capabilities().isEmpty() && !isDeniedByAnother) {
            changed.add(new Rule(rule.names(), rule.action(), rule.conditions(), Selector.NONE, rule.excludes(), ""));
        }
        boolean isAllowedAnyway = rule.action().equals(Action.ALLOW); // by the rule of the capability
        if (!rule.excludes().capabilities().isEmpty() && !isAllowedAnyway) {
            changed.add(new Rule(rule.names(), rule.action(), rule.conditions(), rule.includes(), Selector.NONE, ""));
        }
        return changed;
    }

    @Test
    void the_compiled_filter_decides_as_the_profile_does() {
        Filter filter = Compiler.compile(Profile.standard(), PLAIN);

        assertThat(standard().stream().filter(row -> row.target().equals(PLAIN)))
                .allSatisfy(row -> assertThat(filter.decide(row.abi(), row.call(), row.values()))
                        .as(row.toString())
                        .isEqualTo(row.expected()));
    }
}
