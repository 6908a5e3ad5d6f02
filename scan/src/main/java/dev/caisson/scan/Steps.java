package dev.caisson.scan;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The steps that the expressions may take in a passage, each of them and all together: they bound the time that a
/// text takes, whatever is in it.
final class Steps {
    /// The steps that a file has at first, to which each of its characters adds some: a text of the worst kind may take
    /// long for some megabytes, and no longer than others after that.
    private static final long FIRST = 64L << 20;
    private static final int STEADY = 6;
    /// An expression without a keyword is tried at each character.
    private static final int STEADY_EVERYWHERE = 16;

    private final List<Expression> expressions;
    private final int steady;
    private long ofFile = FIRST;
    private final long[] taken;
    private final boolean[] told;
    private final boolean foreign;
    private long ours;
    private long others;
    private long all;
    private boolean allTold;

    Steps(List<Expression> expressions) {
        this.expressions = expressions;
        taken = new long[expressions.size()];
        told = new boolean[expressions.size()];
        foreign = expressions.stream().anyMatch(expression -> !expression.own());
        int everywhere = (int) expressions.stream()
                .filter(expression -> expression.keywords().isEmpty())
                .count();
        steady = STEADY + STEADY_EVERYWHERE * everywhere;
    }

    /// Another file begins.
    void begin() {
        Arrays.fill(told, false);
        allTold = false;
        ofFile = FIRST;
    }

    /// Grants the steps for a passage of that length.
    void grant(int length) {
        ours = BoundedText.ownSteps(length);
        others = BoundedText.steps(length);
        long most = foreign ? others : ours;
        ofFile = Math.min(FIRST, ofFile) + (long) steady * length;
        all = Math.min(most + most / 2 + (long) (steady - STEADY) * length, ofFile);
        Arrays.fill(taken, 0);
    }

    /// True if an expression may take more steps.
    boolean areLeft(int index) {
        return left(index) >= 0; // the next one of none is reported
    }

    /// Lets an expression read the text with the steps that it has.
    void lend(int index, BoundedText text) {
        text.grant(left(index));
    }

    /// Takes off the steps that were taken since they were lent.
    void spend(int index, BoundedText text) {
        taken[index] += text.taken();
        if (isShared(index)) {
            all -= text.taken();
            ofFile -= text.taken();
        }
    }

    private long left(int index) {
        Expression expression = expressions.get(index);
        long own = (expression.own() ? ours : others) - taken[index];
        return isShared(index) ? Math.min(own, all) : own;
    }

    /// Ours that begin with their keyword take few steps, as that stands at the start of a word. They need none of
    /// those that others may have used up.
    private boolean isShared(int index) {
        return !expressions.get(index).own() || !expressions.get(index).anchored();
    }

    /// Returns what to report of an expression that was stopped; empty if it was reported of the same file.
    Optional<String> exhausted(int index, BoundedText text) {
        boolean together = isShared(index) && all <= text.taken();
        if (together ? allTold : told[index]) {
            return Optional.empty();
        }
        allTold |= together;
        told[index] |= !together;
        return Optional.of(
                together
                        ? "the rules together take too many steps"
                        : "the expression of rule "
                                + expressions.get(index).rule().id() + " takes too many steps, or too much stack");
    }
}
