package dev.caisson.seccomp;

import java.nio.ByteOrder;

/// Turns conditions on arguments into tests, each argument as wide as the kernel reads it.
final class Arguments {
    /// The offset of `args` in `seccomp_data`.
    private static final int ARGS = 16;

    private final Node.Graph graph;
    private final boolean bigEndian;

    Arguments(Node.Graph graph, ByteOrder order) {
        this.graph = graph;
        this.bigEndian = order == ByteOrder.BIG_ENDIAN;
    }

    Node test(Condition condition, int bits, Node yes, Node no) {
        long value = constant(condition.value(), bits);
        return switch (condition.operator()) {
            case EQ -> equal(condition.index(), bits, -1L, value, yes, no);
            case NE -> equal(condition.index(), bits, -1L, value, no, yes);
            case GT -> above(condition.index(), bits, value, false, yes, no);
            case GE -> above(condition.index(), bits, value, true, yes, no);
            case LT -> above(condition.index(), bits, value, true, no, yes);
            case LE -> above(condition.index(), bits, value, false, no, yes);
            case MASKED_EQ ->
                equal(condition.index(), bits, condition.value(), constant(condition.valueTwo(), bits), yes, no);
        };
    }

    private static long constant(long value, int bits) {
        boolean negative = value < 0 && value == (int) value;
        return negative ? value & limit(bits) : value;
    }

    private static long limit(int bits) {
        return -1L >>> (64 - bits);
    }

    private Node equal(int index, int bits, long mask, long value, Node yes, Node no) {
        long seen = mask & limit(bits);
        if ((value & ~seen) != 0) {
            return no;
        }
        Node low = equalWord(lowWord(index), (int) seen, bits == 16 ? 0xffff : Node.ALL, (int) value, yes, no);
        return equalWord(highWord(index), (int) (seen >>> 32), Node.ALL, (int) (value >>> 32), low, no);
    }

    /// @param whole the mask that keeps all of the word that the kernel reads
    private Node equalWord(int offset, int mask, int whole, int value, Node yes, Node no) {
        if (mask == 0) {
            return yes;
        }
        if (value == 0 && mask != whole) {
            return graph.test(offset, Node.ALL, Node.Jump.ANY_BIT, mask, no, yes);
        }
        if (value == mask && Integer.bitCount(mask) == 1) {
            return graph.test(offset, Node.ALL, Node.Jump.ANY_BIT, mask, yes, no);
        }
        return graph.test(offset, mask, Node.Jump.EQUAL, value, yes, no);
    }

    /// Tests for greater than, or greater or equal.
    private Node above(int index, int bits, long value, boolean orEqual, Node yes, Node no) {
        if (Long.compareUnsigned(value, limit(bits)) > 0) {
            return no;
        }
        Node.Jump jump = orEqual ? Node.Jump.GREATER_OR_EQUAL : Node.Jump.GREATER;
        int mask = bits == 16 ? 0xffff : Node.ALL;
        Node low = orEqual && (int) value == 0 ? yes : graph.test(lowWord(index), mask, jump, (int) value, yes, no);
        if (bits <= 32) {
            return low;
        }
        int high = (int) (value >>> 32);
        Node notGreater = high == 0 && low.equals(yes)
                ? yes
                : graph.test(highWord(index), Node.ALL, Node.Jump.EQUAL, high, low, no);
        return graph.test(highWord(index), Node.ALL, Node.Jump.GREATER, high, yes, notGreater);
    }

    private int lowWord(int index) {
        return ARGS + 8 * index + (bigEndian ? 4 : 0);
    }

    private int highWord(int index) {
        return ARGS + 8 * index + (bigEndian ? 0 : 4);
    }
}
