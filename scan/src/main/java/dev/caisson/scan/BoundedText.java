package dev.caisson.scan;

import java.io.Serial;

/// A text that an expression reads at most so many characters of, again and again included: it
/// bounds the time of one that tries too many ways.
final class BoundedText implements CharSequence {
    private static final int STEPS_FOR_EACH = 64;
    private static final int LEAST_STEPS = 1 << 20;
    /// Ours take 2 steps a character in ordinary text, all of them together.
    private static final int OWN_STEPS_FOR_EACH = 16;
    private static final int LEAST_OWN_STEPS = 1 << 18;

    /// The bound was reached. Has no stack trace; it is caught where the expression was started.
    static final class Exhausted extends RuntimeException {
        @Serial
        private static final long serialVersionUID = 1L;

        Exhausted() {
            super("an expression takes too many steps", null, false, false);
        }
    }

    private final String text;
    private long granted;
    private long left;

    BoundedText(String text) {
        this.text = text;
        grant(steps(text.length()));
    }

    /// Returns how many characters may be read for a text of that length.
    static long steps(int length) {
        return LEAST_STEPS + (long) STEPS_FOR_EACH * length;
    }

    /// Returns how many an expression of ours may read.
    static long ownSteps(int length) {
        return LEAST_OWN_STEPS + (long) OWN_STEPS_FOR_EACH * length;
    }

    /// Grants the next expression so many steps.
    void grant(long steps) {
        granted = steps;
        left = steps;
    }

    /// Returns how many steps were taken since the last grant.
    long taken() {
        return granted - left;
    }

    @Override
    public int length() {
        return text.length();
    }

    @Override
    public char charAt(int index) {
        if (--left < 0) {
            throw new Exhausted();
        }
        return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
        return text.substring(start, end);
    }

    @Override
    public String toString() {
        return text;
    }
}
