package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// A profile for engines that compile with libseccomp, resolved for one target, in rules that mean the same there: no
/// rule has more than one condition, a condition on an argument of 32 bits names them by a mask, and a range becomes
/// the masked blocks that make it up. What cannot be said so is left out, which can only deny more.
///
/// @param profile without `includes` and `excludes`
/// @param tightened what it denies that the original allows, a sentence each
public record ProfileExport(Profile profile, List<String> tightened) {
    private static final long WORD = 0xffffffffL;

    public ProfileExport {
        tightened = List.copyOf(tightened);
    }

    public static ProfileExport of(Profile profile, Target target) {
        return new Export(profile, target).export();
    }

    private static final class Export {
        private final Profile profile;
        private final Target target;
        private final Map<List<Object>, TreeSet<String>> names = new LinkedHashMap<>();
        private final List<String> tightened = new ArrayList<>();

        private Export(Profile profile, Target target) {
            this.profile = profile;
            this.target = target;
        }

        private ProfileExport export() {
            Map<String, Decisions.Decision> decisions = new TreeMap<>();
            var resolved = new Decisions(profile, target);
            for (Architecture abi : profile.abisOn(target.architecture())) {
                resolved.of(abi).forEach((number, decision) -> {
                    String name = SyscallTable.get()
                            .byNumber(abi, number)
                            .orElseThrow()
                            .name();
                    decisions.merge(name, decision, (one, other) -> isDenied(one.otherwise()) ? other : one);
                });
            }
            decisions.forEach(
                    (name, decision) -> export(SyscallTable.get().byName(name).orElseThrow(), decision));
            var rules = new ArrayList<Rule>();
            names.forEach((key, calls) -> rules.add(new Rule(
                    List.copyOf(calls),
                    (Action) key.getFirst(),
                    key.stream().skip(1).map(Condition.class::cast).toList(),
                    Selector.NONE,
                    Selector.NONE,
                    "")));
            Set<Architecture> others = Optional.ofNullable(profile.abis().get(target.architecture()))
                    .orElse(Set.of());
            return new ProfileExport(
                    new Profile(
                            profile.defaultAction(),
                            Map.of(target.architecture(), others),
                            profile.flags(),
                            profile.listenerPath(),
                            profile.listenerMetadata(),
                            rules),
                    tightened);
        }

        /// What is denied with another error gets the default one there.
        private boolean isDenied(Action action) {
            return action.equals(profile.defaultAction())
                    || (action.kind() == Action.Kind.ERRNO
                            && profile.defaultAction().kind() == Action.Kind.ERRNO);
        }

        private void export(Syscall call, Decisions.Decision decision) {
            if (!decision.dependsOnArguments()) {
                if (!isDenied(decision.otherwise())) {
                    add(call, List.of(decision.otherwise()));
                }
            } else if (isOfOneNumber(call, decision)) {
                exportRanges(call, decision);
            } else if (!isDenied(decision.otherwise())
                    || decision.branches().stream().anyMatch(branch -> isDenied(branch.action()))) {
                tightened.add(call.name() + ": denied, since what is denied of it has no such form");
            } else {
                decision.branches().forEach(branch -> exportBranch(call, branch));
            }
        }

        private void exportBranch(Syscall call, Decisions.Branch branch) {
            Optional<Condition> masked = branch.conditions().size() == 1
                    ? masked(call, branch.conditions().getFirst())
                    : Optional.empty();
            masked.ifPresentOrElse(
                    condition -> add(call, List.of(branch.action(), condition)),
                    () -> tightened.add(call.name() + ": denied where "
                            + String.join(
                                    " and ",
                                    branch.conditions().stream()
                                            .map(Condition::toString)
                                            .toList())));
        }

        private void add(Syscall call, List<Object> key) {
            names.computeIfAbsent(key, k -> new TreeSet<>()).add(call.name());
        }

        /// Whether all depends on how one argument of 32 bits compares with constants.
        private boolean isOfOneNumber(Syscall call, Decisions.Decision decision) {
            Condition first = decision.branches().getFirst().conditions().getFirst();
            return width(call, first.index()) == 32
                    && decision.branches().stream()
                            .allMatch(branch -> branch.conditions().size() == 1
                                    && branch.conditions().getFirst().index() == first.index()
                                    && branch.conditions().getFirst().operator() != Condition.Operator.MASKED_EQ);
        }

        /// Cuts the argument's numbers at every constant; between two cuts the decision is one.
        private void exportRanges(Syscall call, Decisions.Decision decision) {
            var cuts = new TreeSet<Long>(List.of(0L, WORD + 1));
            for (Decisions.Branch branch : decision.branches()) {
                long bound = bound(branch.conditions().getFirst());
                cuts.add(bound);
                cuts.add(Math.min(bound + 1, WORD + 1));
            }
            int index = decision.branches().getFirst().conditions().getFirst().index();
            long from = 0;
            Action action = at(decision, 0);
            for (long cut : cuts.tailSet(1L)) {
                Action next = cut > WORD ? profile.defaultAction() : at(decision, cut);
                if (cut > WORD || !next.equals(action)) {
                    if (!isDenied(action)) {
                        for (Condition block : blocks(index, from, cut - 1)) {
                            add(call, block.value() == 0 ? List.of(action) : List.of(action, block));
                        }
                    }
                    from = cut;
                    action = next;
                }
            }
        }

        /// The bits of an argument that the kernel looks at: 32 where it is so under every ABI, 64 where the machine's
        /// own ABI passes a register, 0 where the ABIs differ in another way.
        private int width(Syscall call, int index) {
            int bits = call.bits(target.architecture(), index);
            for (Architecture abi : profile.abisOn(target.architecture())) {
                int other = call.bits(abi, index);
                if (other < 32 || (other != bits && bits != 64)) {
                    return 0;
                }
            }
            return bits;
        }

        /// Empty for a condition that has no such form.
        private Optional<Condition> masked(Syscall call, Condition condition) {
            int width = width(call, condition.index());
            if (width == 64) {
                boolean low = condition.value() >>> 32 == 0 && condition.valueTwo() >>> 32 == 0;
                return low ? Optional.of(condition) : Optional.empty();
            }
            boolean equality = condition.operator() == Condition.Operator.MASKED_EQ
                    || condition.operator() == Condition.Operator.EQ;
            boolean exact = condition.operator() == Condition.Operator.EQ;
            long mask = exact ? WORD : condition.value() & WORD;
            long value = exact ? condition.value() : condition.valueTwo();
            return width == 32 && equality && fits(value)
                    ? Optional.of(Condition.masked(condition.index(), mask, value & WORD))
                    : Optional.empty();
        }
    }

    private static Action at(Decisions.Decision decision, long argument) {
        return decision.branches().stream()
                .filter(branch -> holds(branch.conditions().getFirst(), argument))
                .map(Decisions.Branch::action)
                .findFirst()
                .orElse(decision.otherwise());
    }

    private static boolean holds(Condition condition, long argument) {
        long bound = bound(condition);
        return switch (condition.operator()) {
            case EQ -> argument == bound;
            case NE -> argument != bound;
            case LT -> argument < bound;
            case LE -> argument <= bound;
            case GE -> argument >= bound;
            case GT -> argument > bound;
            case MASKED_EQ -> throw new IllegalArgumentException("a mask is no range");
        };
    }

    /// A constant that a 32-bit argument can be; one too large is above all of them.
    private static boolean fits(long value) {
        return value >>> 32 == 0 || value == (int) value;
    }

    private static long bound(Condition condition) {
        return fits(condition.value()) ? condition.value() & WORD : WORD + 1;
    }

    /// The aligned blocks of powers of two that make up a range, given with both ends. A mask of 0 is all numbers.
    private static List<Condition> blocks(int index, long from, long to) {
        var blocks = new ArrayList<Condition>();
        long at = from;
        while (at <= to) {
            long size = at == 0 ? 1L << 32 : Long.lowestOneBit(at);
            while (at + size - 1 > to) {
                size >>>= 1;
            }
            blocks.add(Condition.masked(index, WORD & -size, at));
            at += size;
        }
        return blocks;
    }
}
