package dev.caisson.seccomp;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedSet;
import java.util.TreeSet;

/// Every way that a call of a given ABI and number can take through a filter, whatever its arguments: the arguments
/// stay open, each test of one splits the way in two, and a way that no arguments can take is left out.
final class Paths {
    /// More ways than any profile's call has; a program that has more is not one that was written to be read.
    private static final int MOST = 20_000;

    /// Tests that are looked at on all ways together, those that lead nowhere included.
    private static final int MOST_TESTS = 20_000_000;

    /// @param tests that lead here, in order
    /// @param example a call that goes this way
    record Path(List<WordTest> tests, Action action, SeccompData example) {
        Path {
            tests = List.copyOf(tests);
        }

        /// Returns the tests that do not follow from the others, in order.
        List<WordTest> decisive() {
            var left = new ArrayList<>(tests.stream().distinct().toList());
            for (WordTest test : List.copyOf(left).reversed()) {
                var others = new ArrayList<>(left);
                others.remove(test);
                others.add(test.opposite());
                if (Paths.example(others, test.offset()).isEmpty()) {
                    left.remove(test);
                }
            }
            return left;
        }
    }

    /// The content of the accumulator: a known value, or a masked word of the open arguments.
    private sealed interface Held {
        record Value(int value) implements Held {}

        record Word(int offset, int mask) implements Held {}
    }

    /// A way that is to be followed from an instruction on.
    private record Fork(int at, Held held, List<WordTest> tests) {}

    private final Filter filter;
    private final int arch;
    private final int number;
    private final List<Path> found = new ArrayList<>();
    private final Deque<Fork> open = new ArrayDeque<>(); // no recursion: a filter may have 4,096 tests in a row
    private int looked;

    private Paths(Filter filter, int arch, int number) {
        this.filter = filter;
        this.arch = arch;
        this.number = number;
    }

    static List<Path> of(Filter filter, int arch, int number) {
        return under(filter, arch, number, List.of());
    }

    /// The ways that calls can take for which the given tests come out as they say.
    /// @throws SeccompException FILTER_UNREADABLE for instructions that no seccomp compiler is known to write
    static List<Path> under(Filter filter, int arch, int number, List<WordTest> given) {
        var paths = new Paths(filter, arch, number);
        paths.open.push(new Fork(0, new Held.Value(0), given));
        while (!paths.open.isEmpty()) {
            paths.follow(paths.open.pop());
        }
        return paths.found;
    }

    /// Numbers that stand for all: those of the table, and those around every constant that the filter may compare a
    /// number with.
    static SortedSet<Integer> numbers(Filter filter, Architecture abi) {
        var numbers = new TreeSet<>(SyscallTable.get().calls(abi).keySet());
        if (abi == Architecture.X32) {
            var entered = new TreeSet<Integer>();
            numbers.forEach(number -> entered.add(number | Architecture.X32_BIT));
            numbers = entered;
        }
        for (int at = 0; at < filter.length(); at++) {
            if ((filter.code(at) & 0x07) == 0x05) {
                for (int near = -1; near <= 1; near++) {
                    int number = filter.constant(at) + near;
                    boolean x32 = (number & Architecture.X32_BIT) != 0;
                    if (number >= 0 && x32 == (abi == Architecture.X32)) {
                        numbers.add(number);
                    }
                }
            }
        }
        return numbers;
    }

    private void follow(Fork fork) {
        List<WordTest> tests = fork.tests();
        Held held = fork.held();
        int at = fork.at();
        while (at < filter.length()) {
            int constant = filter.constant(at);
            int code = filter.code(at);
            switch (code) {
                case 0x00 -> held = new Held.Value(constant);
                case 0x20 -> held = load(constant);
                case 0x54 ->
                    held = switch (held) {
                        case Held.Value value -> new Held.Value(value.value() & constant);
                        case Held.Word word -> new Held.Word(word.offset(), word.mask() & constant);
                    };
                case 0x06 -> {
                    add(tests, Action.ofReturnValue(constant));
                    return;
                }
                case 0x05 -> at += forward(constant);
                case 0x15, 0x25, 0x35, 0x45 -> {
                    if (held instanceof Held.Word word) {
                        branch(at, word, tests);
                        return;
                    }
                    var test = new WordTest(0, Node.ALL, jump(code), constant, true);
                    boolean taken = held instanceof Held.Value value && test.holds(value.value());
                    at += taken ? filter.jumpIfTrue(at) : filter.jumpIfFalse(at);
                }
                default -> throw unreadable("instruction code 0x" + Integer.toHexString(code));
            }
            at++;
        }
        throw unreadable("a way that does not end in a return");
    }

    /// The way of a test that holds is followed first.
    private void branch(int at, Held.Word word, List<WordTest> tests) {
        for (boolean outcome : new boolean[] {false, true}) {
            var next = new ArrayList<>(tests);
            next.add(new WordTest(word.offset(), word.mask(), jump(filter.code(at)), filter.constant(at), outcome));
            looked += next.size();
            if (looked > MOST_TESTS) {
                throw unreadable("more tests for one call than can be followed");
            }
            if (example(next, word.offset()).isPresent()) {
                open.push(new Fork(at + 1 + (outcome ? filter.jumpIfTrue(at) : filter.jumpIfFalse(at)), word, next));
            }
        }
    }

    private static OptionalInt example(List<WordTest> tests, int offset) {
        return WordTest.satisfy(tests.stream()
                .filter(test -> test.offset() == offset)
                .distinct()
                .toList());
    }

    private void add(List<WordTest> tests, Action action) {
        if (found.size() == MOST) {
            throw unreadable("more than " + MOST + " ways for one call");
        }
        long[] registers = new long[6];
        boolean bigEndian = filter.architecture() == Architecture.S390X;
        for (int offset = 16; offset < 64; offset += 4) {
            long word = example(tests, offset).orElse(0) & 0xffffffffL;
            boolean low = (offset % 8 == 0) != bigEndian;
            registers[(offset - 16) / 8] |= low ? word : word << 32;
        }
        found.add(new Path(
                tests,
                action,
                new SeccompData(
                        number,
                        arch,
                        0,
                        registers[0],
                        registers[1],
                        registers[2],
                        registers[3],
                        registers[4],
                        registers[5])));
    }

    private Held load(int offset) {
        return switch (offset) {
            case 0 -> new Held.Value(number);
            case 4 -> new Held.Value(arch);
            default -> {
                if (offset < 0 || offset > 60 || offset % 4 != 0) {
                    throw unreadable("a load from offset " + Integer.toUnsignedString(offset));
                }
                yield new Held.Word(offset, Node.ALL);
            }
        };
    }

    private int forward(int constant) {
        if (constant < 0 || constant > filter.length()) {
            throw unreadable("a jump of " + Integer.toUnsignedString(constant));
        }
        return constant;
    }

    private static Node.Jump jump(int code) {
        for (Node.Jump jump : Node.Jump.values()) {
            if (jump.code() == code) {
                return jump;
            }
        }
        throw unreadable("instruction code 0x" + Integer.toHexString(code));
    }

    private static SeccompException unreadable(String what) {
        return new SeccompException(
                SeccompException.Code.FILTER_UNREADABLE,
                "the filter holds " + what + "; ask about single calls instead of the whole");
    }
}
