package dev.caisson.seccomp;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.IntUnaryOperator;

/// Cuts the arguments of a call into regions with one action each. No two regions overlap, and each is given by the
/// bits that it fixes, at most one mask an argument, so that a compiler that has only masked equalities and no order of
/// rules decides the same.
final class ArgumentRegions {
    private static final int ARGUMENTS = 6;
    /// Bounds the work for one call; a profile of a person needs a few hundred.
    private static final int MOST_CUTS = 50_000;

    /// @param conditions [Condition.Operator#MASKED_EQ] each, ascending by argument; none for all arguments
    record Region(List<Condition> conditions, Action action) {
        Region {
            conditions = List.copyOf(conditions);
        }

        /// Narrows constants as a compiler for registers of 32 bits does: it drops their upper halves.
        private Region narrowed() {
            return new Region(
                    conditions.stream()
                            .map(condition -> Condition.masked(
                                    condition.index(), condition.value() & WORD, condition.valueTwo() & WORD))
                            .filter(condition -> condition.value() != 0)
                            .toList(),
                    action);
        }

        private boolean overlaps(Region other) {
            for (Condition mine : conditions) {
                for (Condition its : other.conditions) {
                    long both = mine.value() & its.value();
                    if (mine.index() == its.index() && ((mine.valueTwo() ^ its.valueTwo()) & both) != 0) {
                        return false;
                    }
                }
            }
            return true;
        }

        private BigInteger size() {
            int fixed = conditions.stream()
                    .mapToInt(condition -> Long.bitCount(condition.value()))
                    .sum();
            return BigInteger.ONE.shiftLeft(ARGUMENTS * Long.SIZE - fixed);
        }
    }

    /// Too many regions to be told one by one.
    static final class TooManyException extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private static final long WORD = 0xffffffffL;

    /// Bits of one argument that are known, and their values.
    private record Cube(long mask, long value) {
        static final Cube ALL = new Cube(0, 0);

        Cube with(long bit, boolean set) {
            return new Cube(mask | bit, set ? value | bit : value);
        }
    }

    private record Leaf(Cube cube, Decisions.Decision rest) {}

    private final IntUnaryOperator bits;
    private final Action leftOut;
    private final Cube[] within;
    private final List<Region> found = new ArrayList<>();
    private int cuts;

    private ArgumentRegions(IntUnaryOperator bits, Action leftOut, Cube[] within) {
        this.bits = bits;
        this.leftOut = leftOut;
        this.within = within;
    }

    /// All regions of a decision but those that get one action.
    /// @param bits of each argument that the kernel looks at
    /// @throws TooManyException where they are too many
    static List<Region> of(Decisions.Decision decision, IntUnaryOperator bits, Action leftOut) {
        var all = new ArgumentRegions(bits, leftOut, cubes(List.of()));
        all.cut(0, reduced(decision.branches(), decision.otherwise()), List.of());
        return all.found;
    }

    /// True if regions, compiled for an ABI whose registers libseccomp takes for 32 bits wide, decide there
    /// as a decision of that ABI.
    static boolean meansTheSame(
            List<Region> regions, Decisions.Decision decision, IntUnaryOperator bits, Action leftOut) {
        var narrow = new LinkedHashSet<Region>();
        regions.forEach(region -> narrow.add(region.narrowed()));
        var list = List.copyOf(narrow);
        BigInteger size = BigInteger.ZERO;
        for (int at = 0; at < list.size(); at++) {
            Region region = list.get(at);
            if (list.subList(0, at).stream().anyMatch(region::overlaps) || !isWhole(region, decision, bits)) {
                return false;
            }
            size = size.add(region.size());
        }
        return size.equals(
                of(decision, bits, leftOut).stream().map(Region::size).reduce(BigInteger.ZERO, BigInteger::add));
    }

    /// Returns true if the decision gives every call of a region its action.
    private static boolean isWhole(Region region, Decisions.Decision decision, IntUnaryOperator bits) {
        var inside = new ArgumentRegions(bits, region.action(), cubes(region.conditions()));
        inside.cut(0, reduced(decision.branches(), decision.otherwise()), List.of());
        return inside.found.isEmpty();
    }

    private static Cube[] cubes(List<Condition> conditions) {
        var cubes = new Cube[ARGUMENTS];
        java.util.Arrays.fill(cubes, Cube.ALL);
        conditions.forEach(condition -> cubes[condition.index()] = new Cube(condition.value(), condition.valueTwo()));
        return cubes;
    }

    /// One argument after the other, so that below each cube of one stand the cubes of the next.
    private void cut(int index, Decisions.Decision decision, List<Condition> fixed) {
        if (!decision.dependsOnArguments()) {
            if (!decision.otherwise().equals(leftOut)) {
                found.add(new Region(fixed, decision.otherwise()));
            }
            return;
        }
        long limit = limit(bits.applyAsInt(index));
        var start = new Cube(within[index].mask() & limit, within[index].value() & limit);
        for (Leaf leaf : split(index, start, decision)) {
            var conditions = new ArrayList<>(fixed);
            if (leaf.cube().mask() != 0) {
                conditions.add(
                        Condition.masked(index, leaf.cube().mask(), leaf.cube().value()));
            }
            cut(index + 1, leaf.rest(), conditions);
        }
    }

    /// The cubes of one argument in which each condition on it always holds or never does.
    private List<Leaf> split(int index, Cube cube, Decisions.Decision decision) {
        if (++cuts > MOST_CUTS) {
            throw new TooManyException();
        }
        Decisions.Decision rest = decided(index, cube, decision);
        long bit = undecidedBit(index, cube, rest);
        if (bit == 0) {
            return List.of(new Leaf(cube, rest));
        }
        List<Leaf> clear = split(index, cube.with(bit, false), rest);
        List<Leaf> set = split(index, cube.with(bit, true), rest);
        if (clear.size() == 1
                && set.size() == 1
                && clear.getFirst().rest().equals(set.getFirst().rest())) {
            return List.of(new Leaf(cube, clear.getFirst().rest()));
        }
        var both = new ArrayList<>(clear);
        both.addAll(set);
        return both;
    }

    /// The decision without the conditions on an argument whose outcome is known within a cube.
    private Decisions.Decision decided(int index, Cube cube, Decisions.Decision decision) {
        var branches = new ArrayList<Decisions.Branch>();
        for (Decisions.Branch branch : decision.branches()) {
            var open = new ArrayList<Condition>();
            boolean holds = true;
            for (Condition condition : branch.conditions()) {
                int answer = condition.index() == index ? answer(condition, cube) : UNDECIDED;
                holds &= answer != NEVER;
                if (answer == UNDECIDED) {
                    open.add(condition);
                }
            }
            if (holds) {
                branches.add(new Decisions.Branch(open, branch.action()));
            }
        }
        return reduced(branches, decision.otherwise());
    }

    private static Decisions.Decision reduced(List<Decisions.Branch> branches, Action otherwise) {
        var kept = new ArrayList<Decisions.Branch>();
        Action last = otherwise;
        for (Decisions.Branch branch : branches) {
            if (branch.conditions().isEmpty()) {
                last = branch.action();
                break;
            }
            kept.add(branch);
        }
        while (!kept.isEmpty() && kept.getLast().action().equals(last)) {
            kept.removeLast();
        }
        return new Decisions.Decision(kept, last);
    }

    /// The highest bit that the first undecided condition on an argument waits for; 0 where none does.
    private long undecidedBit(int index, Cube cube, Decisions.Decision decision) {
        for (Decisions.Branch branch : decision.branches()) {
            for (Condition condition : branch.conditions()) {
                if (condition.index() == index) {
                    return Long.highestOneBit(seen(condition) & ~cube.mask());
                }
            }
        }
        return 0;
    }

    private static final int NEVER = 0;
    private static final int ALWAYS = 1;
    private static final int UNDECIDED = 2;

    private int answer(Condition condition, Cube cube) {
        long limit = limit(bits.applyAsInt(condition.index()));
        long least = cube.value();
        long most = cube.value() | (limit & ~cube.mask());
        long value = constant(condition.value(), limit);
        return switch (condition.operator()) {
            case EQ -> equal(limit, value, cube);
            case NE -> not(equal(limit, value, cube));
            case MASKED_EQ -> equal(condition.value() & limit, constant(condition.valueTwo(), limit), cube);
            case LT -> below(least, most, value);
            case GE -> not(below(least, most, value));
            case GT ->
                below(value, value, least) == ALWAYS
                        ? ALWAYS
                        : not(below(value, value, most)) == ALWAYS ? NEVER : UNDECIDED;
            case LE ->
                below(value, value, least) == ALWAYS
                        ? NEVER
                        : not(below(value, value, most)) == ALWAYS ? ALWAYS : UNDECIDED;
        };
    }

    private static int below(long least, long most, long bound) {
        if (Long.compareUnsigned(most, bound) < 0) {
            return ALWAYS;
        }
        return Long.compareUnsigned(least, bound) >= 0 ? NEVER : UNDECIDED;
    }

    private static int not(int answer) {
        return answer == UNDECIDED ? UNDECIDED : ALWAYS - answer;
    }

    private static int equal(long mask, long value, Cube cube) {
        long known = mask & cube.mask();
        if ((value & ~mask) != 0 || ((cube.value() ^ value) & known) != 0) {
            return NEVER;
        }
        return known == mask ? ALWAYS : UNDECIDED;
    }

    /// The bits of its argument that a condition looks at.
    private long seen(Condition condition) {
        long limit = limit(bits.applyAsInt(condition.index()));
        return condition.operator() == Condition.Operator.MASKED_EQ ? condition.value() & limit : limit;
    }

    private static long limit(int bits) {
        return -1L >>> (Long.SIZE - bits);
    }

    /// A constant below zero reaches a profile with its sign extended to 64 bits.
    private static long constant(long value, long limit) {
        return value < 0 && value == (int) value ? value & limit : value;
    }
}
