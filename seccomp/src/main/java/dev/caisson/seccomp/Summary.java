package dev.caisson.seccomp;

import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;

/// What a filter decides under the native ABI, counted by calls of the table.
/// @param allowed let through whatever their arguments
/// @param byArgument decided by their arguments
/// @param refused all others
/// @param defaultAction for a call that no rule names
/// @param unknownAction for a number that is no call
/// @param abis that are let in
/// @param unknownNames in the profile that are no call of any ABI, most often a misspelling or a call too new
/// @param unfilterable calls of this machine that the kernel does not ask a filter about
public record Summary(
        int allowed,
        int byArgument,
        int refused,
        Action defaultAction,
        Action unknownAction,
        SortedSet<Architecture> abis,
        SortedSet<String> unknownNames,
        SortedSet<String> unfilterable) {
    static Summary of(
            Profile profile,
            Architecture machine,
            Map<Architecture, SortedMap<Integer, Decisions.Decision>> decisions) {
        var counter = new int[3];
        var unfilterable = new TreeSet<String>();
        SyscallTable table = SyscallTable.get();
        SortedMap<Integer, Decisions.Decision> own = decisions.getOrDefault(machine, new java.util.TreeMap<>());
        own.forEach((number, decision) -> {
            Syscall call = table.byNumber(machine, number).orElseThrow();
            if (!call.filterable()) {
                unfilterable.add(call.name());
            } else if (decision.dependsOnArguments()) {
                counter[1]++;
            } else if (decision.otherwise().kind() == Action.Kind.ALLOW) {
                counter[0]++;
            } else {
                counter[2]++;
            }
        });
        var unknownNames = new TreeSet<String>();
        for (Rule rule : profile.rules()) {
            rule.names().stream().filter(name -> table.byName(name).isEmpty()).forEach(unknownNames::add);
        }
        return new Summary(
                counter[0],
                counter[1],
                counter[2],
                profile.defaultAction(),
                profile.unknownAction(),
                new TreeSet<>(decisions.keySet()),
                unknownNames,
                unfilterable);
    }

    /// One line, as `361 calls allowed, 24 by argument, the rest ERRNO(EPERM), unknown ERRNO(ENOSYS)`.
    @Override
    public String toString() {
        return allowed + " calls allowed, " + byArgument + " by argument, the rest " + defaultAction + ", unknown "
                + unknownAction;
    }
}
