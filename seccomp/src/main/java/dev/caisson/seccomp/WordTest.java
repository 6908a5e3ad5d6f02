package dev.caisson.seccomp;

import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/// A comparison that a filter made of one 32-bit word of `seccomp_data`, and how it came out.
/// @param offset of the word in `seccomp_data`
/// @param mask that was laid on the word first
record WordTest(int offset, int mask, Node.Jump jump, int constant, boolean outcome) {
    /// True if a word comes out so.
    boolean holds(int word) {
        int masked = word & mask;
        boolean result = switch (jump) {
            case EQUAL -> masked == constant;
            case GREATER -> Integer.compareUnsigned(masked, constant) > 0;
            case GREATER_OR_EQUAL -> Integer.compareUnsigned(masked, constant) >= 0;
            case ANY_BIT -> (masked & constant) != 0;
        };
        return result == outcome;
    }

    WordTest opposite() {
        return new WordTest(offset, mask, jump, constant, !outcome);
    }

    /// A word for which all tests come out so, or none if there is none.
    ///
    /// The word is built bit by bit from the highest. What counts of the bits so far is, for each test, whether the
    /// masked word is already above or below the constant, or has one of the bits; from a combination that has led
    /// nowhere once, it is not tried again, and one from which a test cannot come out so any more is left at once.
    /// @throws SeccompException FILTER_UNREADABLE for tests that exclude each other in too many ways
    static OptionalInt satisfy(List<WordTest> tests) {
        return search(tests, 31, 0, new Progress[tests.size()], new HashSet<>());
    }

    /// Many more than a filter needs that was written to be read.
    private static final int MOST_FAILED = 20_000;

    private enum Progress {
        LEVEL,
        BELOW,
        ABOVE
    }

    private record State(int bit, List<Progress> progress) {}

    private static OptionalInt search(List<WordTest> tests, int bit, int word, Progress[] before, Set<State> failed) {
        if (bit < 0) {
            return tests.stream().allMatch(test -> test.holds(word)) ? OptionalInt.of(word) : OptionalInt.empty();
        }
        var progress = new Progress[tests.size()];
        for (int i = 0; i < progress.length; i++) {
            progress[i] = bit == 31 ? Progress.LEVEL : before[i];
        }
        var state = new State(bit, List.of(progress));
        if (failed.contains(state)) {
            return OptionalInt.empty();
        }
        for (int value = 0; value <= 1; value++) {
            var after = new Progress[tests.size()];
            boolean open = true;
            for (int i = 0; open && i < after.length; i++) {
                after[i] = tests.get(i).advance(progress[i], bit, value);
                open = tests.get(i).isOpen(after[i], (1 << bit) - 1);
            }
            OptionalInt found = open ? search(tests, bit - 1, word | value << bit, after, failed) : OptionalInt.empty();
            if (found.isPresent()) {
                return found;
            }
        }
        if (failed.size() == MOST_FAILED) {
            throw new SeccompException(
                    SeccompException.Code.FILTER_UNREADABLE,
                    "the filter compares one word in ways that exclude each other; ask about single calls instead of the"
                            + " whole");
        }
        failed.add(state);
        return OptionalInt.empty();
    }

    /// Returns true if some choice of the bits that are left lets the test come out so.
    private boolean isOpen(Progress progress, int left) {
        int most = mask & left;
        int wanted = constant & left;
        return switch (jump) {
            case EQUAL ->
                outcome
                        ? progress == Progress.LEVEL && (wanted & ~most) == 0
                        : progress != Progress.LEVEL || (most | wanted) != 0;
            case GREATER ->
                outcome
                        ? progress == Progress.ABOVE || (progress == Progress.LEVEL && most > wanted)
                        : progress != Progress.ABOVE;
            case GREATER_OR_EQUAL ->
                outcome
                        ? progress == Progress.ABOVE || (progress == Progress.LEVEL && most >= wanted)
                        : progress == Progress.BELOW || (progress == Progress.LEVEL && wanted > 0);
            case ANY_BIT -> outcome == (progress == Progress.ABOVE) || (outcome && (most & wanted) != 0);
        };
    }

    private Progress advance(Progress before, int bit, int value) {
        if (before != Progress.LEVEL) {
            return before;
        }
        int seen = value & (mask >>> bit);
        int wanted = (constant >>> bit) & 1;
        if (jump == Node.Jump.ANY_BIT) {
            return (seen & wanted) != 0 ? Progress.ABOVE : Progress.LEVEL;
        }
        return seen == wanted ? Progress.LEVEL : seen > wanted ? Progress.ABOVE : Progress.BELOW;
    }

    @Override
    public String toString() {
        String word = offset < 16 ? "ip" : "arg" + (offset - 16) / 8;
        String half = offset % 8 == 0 ? "[0]" : "[1]";
        String masked = mask == Node.ALL ? word + half : word + half + " & 0x" + Integer.toHexString(mask);
        String value = Integer.compareUnsigned(constant, 1024) < 0
                ? Integer.toString(constant)
                : "0x" + Integer.toHexString(constant);
        return switch (jump) {
            case EQUAL -> masked + (outcome ? " == " : " != ") + value;
            case GREATER -> masked + (outcome ? " > " : " <= ") + value;
            case GREATER_OR_EQUAL -> masked + (outcome ? " >= " : " < ") + value;
            case ANY_BIT -> masked + " & " + value + (outcome ? " != 0" : " == 0");
        };
    }
}
