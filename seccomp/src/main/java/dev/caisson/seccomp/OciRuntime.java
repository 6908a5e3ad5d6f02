package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// A program that starts containers under a filter that it has loaded already: its own calls between the two pass the
/// filter too, so a profile of the program alone does not let it start.
public enum OciRuntime {
    /// The calls of runc 1.1, with and without no_new_privs, and what Go's scheduler and garbage collector may add.
    RUNC,
    /// The calls of crun 1.21, with and without no_new_privs.
    CRUN;

    /// Threads of Go's, and no namespaces: `CLONE_NEW…` of clone(2).
    private static final long NEW_NAMESPACES = 0x7e020000L;

    private static final Set<String> RUNC_CALLS = Set.of(
            "brk",
            "capget",
            "capset",
            "chdir",
            "clock_gettime",
            "close",
            "close_range",
            "epoll_create1",
            "epoll_ctl",
            "epoll_pwait",
            "eventfd2",
            "execve",
            "exit",
            "exit_group",
            "faccessat2",
            "fchown",
            "fcntl",
            "fstat",
            "fstatfs",
            "futex",
            "getcwd",
            "getdents64",
            "getpid",
            "getppid",
            "gettid",
            "getuid",
            "madvise",
            "mmap",
            "mprotect",
            "munmap",
            "nanosleep",
            "newfstatat",
            "openat",
            "pipe2",
            "prctl",
            "prlimit64",
            "read",
            "readlinkat",
            "restart_syscall",
            "rt_sigaction",
            "rt_sigprocmask",
            "rt_sigreturn",
            "sched_getaffinity",
            "sched_yield",
            "setgid",
            "setgroups",
            "setuid",
            "sigaltstack",
            "tgkill",
            "write");

    private static final Set<String> CRUN_CALLS = Set.of(
            "capset",
            "close",
            "close_range",
            "execve",
            "exit_group",
            "prctl",
            "rt_sigaction",
            "rt_sigprocmask",
            "setresgid",
            "setresuid",
            "write");

    private Set<String> calls() {
        return switch (this) {
            case RUNC -> RUNC_CALLS;
            case CRUN -> CRUN_CALLS;
        };
    }

    /// The name of its program, `runc`.
    public String programName() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    /// A profile with the calls of a runtime.
    /// @param profile that lets the runtime start a program
    /// @param opened calls that it allows whatever their arguments, and the given one does not
    public record Opened(Profile profile, List<String> opened) {
        public Opened {
            opened = List.copyOf(opened);
        }
    }

    /// Opens what this runtime needs in a profile.
    public Opened open(Profile profile, Target target) {
        var wanted = new TreeSet<String>();
        Set<String> own = calls();
        var decisions = new Decisions(profile, target).of(target.architecture());
        SyscallTable.get().calls(target.architecture()).forEach((number, call) -> {
            Decisions.Decision decision = decisions.get(number);
            boolean allowed = decision == null
                    || (!decision.dependsOnArguments() && decision.otherwise().equals(Action.ALLOW));
            if (own.contains(call.name()) && !allowed) {
                wanted.add(call.name());
            }
        });
        var rules = new ArrayList<Rule>();
        for (Rule rule : profile.rules()) {
            List<String> names =
                    rule.names().stream().filter(name -> !wanted.contains(name)).toList();
            if (!names.isEmpty()) {
                rules.add(new Rule(
                        names, rule.action(), rule.conditions(), rule.includes(), rule.excludes(), rule.comment()));
            }
        }
        if (!wanted.isEmpty()) {
            rules.add(new Rule(
                    List.copyOf(wanted),
                    Action.ALLOW,
                    List.of(),
                    Selector.NONE,
                    Selector.NONE,
                    "for " + programName()));
        }
        boolean threads = this == RUNC
                && decides(profile, target, SeccompData.of(target.architecture(), cloneNumber(target)))
                                .kind()
                        != Action.Kind.ALLOW;
        if (threads) {
            rules.add(Rule.of(Action.ALLOW, List.of(Condition.masked(0, NEW_NAMESPACES, 0)), "clone"));
        }
        return new Opened(
                new Profile(
                        profile.defaultAction(),
                        profile.abis(),
                        profile.flags(),
                        profile.listenerPath(),
                        profile.listenerMetadata(),
                        rules),
                List.copyOf(wanted));
    }

    private static int cloneNumber(Target target) {
        return SyscallTable.get().number(target.architecture(), "clone").orElseThrow();
    }

    private static Action decides(Profile profile, Target target, SeccompData call) {
        return new ProfileEvaluator(profile, target).decide(call);
    }
}
