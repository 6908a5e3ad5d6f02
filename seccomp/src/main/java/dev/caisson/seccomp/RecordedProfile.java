package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Makes a profile of the calls that a workload was seen to make. It allows no more than the profile under which the
/// workload ran: a call that this one allows for some arguments is allowed for the same arguments.
///
/// The base set, allowed though it was not seen, is what a process cannot do without or what depends on chance:
/// `execveat` starts the program; `exit`, `exit_group` end it; `rt_sigreturn`, `sigreturn` and `restart_syscall` come
/// with signals that may arrive in one run and not in another; `futex` and `sched_yield` with threads that may or may
/// not meet.
public final class RecordedProfile {
    static final Set<String> BASE = new TreeSet<>(Set.of(
            "execveat", "exit", "exit_group", "rt_sigreturn", "sigreturn", "restart_syscall", "futex", "sched_yield"));

    private RecordedProfile() {}

    /// A profile of one run.
    /// @param under the profile under which it ran; empty where every call was allowed
    /// @param seen names of the calls that were let through
    public static Profile of(Optional<Profile> under, Target target, Set<String> seen) {
        var rules = new ArrayList<Rule>();
        if (under.isEmpty()) {
            rules.add(new Rule(
                    List.copyOf(BASE), Action.ALLOW, List.of(), Selector.NONE, Selector.NONE, ProfileMerge.seen(1, 1)));
            var rest = new TreeSet<>(seen);
            rest.removeAll(BASE);
            rest.removeIf(name -> SyscallTable.get().byName(name).isEmpty());
            if (!rest.isEmpty()) {
                rules.add(new Rule(
                        List.copyOf(rest),
                        Action.ALLOW,
                        List.of(),
                        Selector.NONE,
                        Selector.NONE,
                        ProfileMerge.seen(1, 1)));
            }
            return new Profile(
                    Action.errno(Action.EPERM), Map.of(target.architecture(), Set.of()), Set.of(), "", "", rules);
        }
        Profile profile = under.get();
        var kept = new TreeSet<>(seen);
        kept.addAll(BASE);
        for (Rule rule : profile.rules()) {
            if (rule.appliesTo(target)) {
                // a denial of all arguments tells programs which way to take, as ENOSYS for clone3
                boolean whole = rule.action().kind() != Action.Kind.ALLOW
                        && rule.conditions().isEmpty();
                List<String> names = rule.names().stream()
                        .filter(name -> whole || kept.contains(name))
                        .toList();
                if (!names.isEmpty()) {
                    rules.add(new Rule(
                            names,
                            rule.action(),
                            rule.conditions(),
                            Selector.NONE,
                            Selector.NONE,
                            rule.action().kind() == Action.Kind.ALLOW ? ProfileMerge.seen(1, 1) : rule.comment()));
                }
            }
        }
        Set<Architecture> others =
                Optional.ofNullable(profile.abis().get(target.architecture())).orElse(Set.of());
        return new Profile(
                profile.defaultAction(), Map.of(target.architecture(), others), profile.flags(), "", "", rules);
    }
}
