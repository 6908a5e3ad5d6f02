package dev.caisson.seccomp;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/// Counts a filter's decisions under the native ABI by calls of the table.
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
    /// A number below X32's bit that is no call of any ABI.
    private static final int NO_CALL = 0x3fffffff;

    /// Summarises a profile's decisions.
    static Summary of(
            Profile profile,
            Architecture machine,
            Map<Architecture, SortedMap<Integer, Decisions.Decision>> decisions) {
        var counts = new Counts(machine);
        decisions
                .getOrDefault(machine, new TreeMap<>())
                .forEach((number, decision) -> counts.add(number, decision.dependsOnArguments(), decision.otherwise()));
        var unknownNames = new TreeSet<String>();
        for (Rule rule : profile.rules()) {
            rule.names().stream()
                    .filter(name -> SyscallTable.get().byName(name).isEmpty())
                    .forEach(unknownNames::add);
        }
        return counts.summary(
                profile.defaultAction(), profile.unknownAction(), new TreeSet<>(decisions.keySet()), unknownNames);
    }

    /// Summarises a filter whose profile is not known: its default is the commonest action among the calls that are not
    /// allowed.
    static Summary of(Filter filter) {
        Architecture machine = filter.architecture();
        var counts = new Counts(machine);
        var refusals = new LinkedHashMap<Action, Integer>();
        DecisionTable table = DecisionTable.of(filter);
        for (DecisionTable.Row row : table.rows()) {
            if (row.abi() == machine) {
                counts.add(row.number(), row.dependsOnArguments(), row.loosest());
                if (row.loosest().kind() != Action.Kind.ALLOW) {
                    refusals.merge(row.loosest(), 1, Integer::sum);
                }
            }
        }
        Action unknown = Simulator.run(filter, SeccompData.of(machine, NO_CALL)).action();
        Action commonest = refusals.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse(unknown);
        var abis = new TreeSet<Architecture>();
        for (DecisionTable.Row row : table.rows()) {
            if (row.loosest().kind() == Action.Kind.ALLOW) {
                abis.add(row.abi());
            }
        }
        return counts.summary(commonest, unknown, abis, new TreeSet<>());
    }

    /// In one line that [#parse] reads.
    String stored() {
        return String.join(
                ";",
                toString(),
                allowed + "," + byArgument + "," + refused + "," + defaultAction.returnValue() + ","
                        + unknownAction.returnValue(),
                String.join(",", abis.stream().map(Architecture::name).toList()),
                String.join(",", unknownNames),
                String.join(",", unfilterable));
    }

    /// The first part of what is stored: [#toString].
    static String sentence(String stored) {
        return stored.substring(0, stored.indexOf(';'));
    }

    static Summary parse(String stored) {
        String[] parts = stored.split(";", -1);
        String[] numbers = parts[1].split(",", -1);
        var abis = new TreeSet<Architecture>();
        SortedSet<String> named = names(parts[2]);
        for (Architecture abi : Architecture.values()) {
            if (named.contains(abi.name())) {
                abis.add(abi);
            }
        }
        return new Summary(
                Integer.parseInt(numbers[0]),
                Integer.parseInt(numbers[1]),
                Integer.parseInt(numbers[2]),
                Action.ofReturnValue(Integer.parseInt(numbers[3])),
                Action.ofReturnValue(Integer.parseInt(numbers[4])),
                abis,
                names(parts[3]),
                names(parts[4]));
    }

    private static SortedSet<String> names(String list) {
        var names = new TreeSet<String>();
        for (String name : list.split(",", -1)) {
            if (!name.isEmpty()) {
                names.add(name);
            }
        }
        return names;
    }

    private static final class Counts {
        private final Architecture machine;
        private final SortedSet<String> unfilterable = new TreeSet<>();
        private int allowed;
        private int byArgument;
        private int refused;

        private Counts(Architecture machine) {
            this.machine = machine;
        }

        private void add(int number, boolean dependsOnArguments, Action action) {
            Syscall call = SyscallTable.get().byNumber(machine, number).orElseThrow();
            if (!call.filterable()) {
                unfilterable.add(call.name());
            } else if (dependsOnArguments) {
                byArgument++;
            } else if (action.kind() == Action.Kind.ALLOW) {
                allowed++;
            } else {
                refused++;
            }
        }

        private Summary summary(
                Action defaultAction,
                Action unknownAction,
                SortedSet<Architecture> abis,
                SortedSet<String> unknownNames) {
            return new Summary(
                    allowed, byArgument, refused, defaultAction, unknownAction, abis, unknownNames, unfilterable);
        }
    }

    /// One line, as `361 calls allowed, 24 by argument, the rest ERRNO(EPERM), unknown ERRNO(ENOSYS)`.
    @Override
    public String toString() {
        return allowed + " calls allowed, " + byArgument + " by argument, the rest " + defaultAction + ", unknown "
                + unknownAction;
    }
}
