package dev.caisson.seccomp;

/// One comparison of a call's argument with a constant, unsigned. `valueTwo` counts for MASKED_EQ only, where `value`
/// is the mask and `valueTwo` what the masked argument must equal.
///
/// An argument is compared as the kernel will read it: one that the call declares as `int` by its low 32 bits, whatever
/// the upper half of the register holds. A constant that is the 64-bit sign extension of a 32-bit number stands for
/// that number; any other constant too large for the argument is one it never equals and never reaches.
/// @param index 0 to 5
public record Condition(int index, Operator operator, long value, long valueTwo) {
    public enum Operator {
        NE,
        LT,
        LE,
        EQ,
        GE,
        GT,
        MASKED_EQ
    }

    /// Checks the index.
    /// @throws SeccompException BAD_ARGUMENT_INDEX
    public Condition {
        if (index < 0 || index > 5) {
            throw new SeccompException(
                    SeccompException.Code.BAD_ARGUMENT_INDEX,
                    "a call has arguments 0 to 5; there is no argument " + index);
        }
    }

    /// Like [#equals], which the JVM makes when it is first called; that costs a cold command more than the rest of a
    /// profile's resolution.
    boolean isSame(Condition other) {
        return index == other.index && operator == other.operator && value == other.value && valueTwo == other.valueTwo;
    }

    public static Condition of(int index, Operator operator, long value) {
        return new Condition(index, operator, value, 0);
    }

    /// True where `argument & mask == value`.
    public static Condition masked(int index, long mask, long value) {
        return new Condition(index, Operator.MASKED_EQ, mask, value);
    }

    @Override
    public String toString() {
        String argument = "arg" + index;
        return switch (operator) {
            case NE -> argument + " != " + show(value);
            case LT -> argument + " < " + show(value);
            case LE -> argument + " <= " + show(value);
            case EQ -> argument + " == " + show(value);
            case GE -> argument + " >= " + show(value);
            case GT -> argument + " > " + show(value);
            case MASKED_EQ -> argument + " & " + show(value) + " == " + show(valueTwo);
        };
    }

    private static String show(long value) {
        return value >= 0 && value < 1024 ? Long.toString(value) : "0x" + Long.toHexString(value);
    }
}
