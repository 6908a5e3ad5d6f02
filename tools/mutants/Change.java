import java.lang.classfile.Opcode;
import java.nio.file.Path;
import java.util.BitSet;

/// One mistake: the same operator at one or, where the compiler has copied a statement, at several instructions.
///
/// @param file the class file
/// @param at numbers of the instructions in that file
record Change(Path file, String method, int line, String shown, Kind kind, int argument, BitSet at) {
    /// A constant with as many bits may be a set of flags.
    static final int MOST_FLAGS = 5;
    private static final long LARGE = 1024;

    enum Kind { TAKE, SKIP, DROP_CALL, DROP_STORE, RETURN, ARITHMETIC, CONSTANT, BOUNDARY, CASE }

    /// The comparison that differs only where both sides are equal, or null.
    static Opcode boundary(Opcode opcode) {
        return switch (opcode) {
            case IFLT -> Opcode.IFLE;
            case IFLE -> Opcode.IFLT;
            case IFGT -> Opcode.IFGE;
            case IFGE -> Opcode.IFGT;
            case IF_ICMPLT -> Opcode.IF_ICMPLE;
            case IF_ICMPLE -> Opcode.IF_ICMPLT;
            case IF_ICMPGT -> Opcode.IF_ICMPGE;
            case IF_ICMPGE -> Opcode.IF_ICMPGT;
            default -> null;
        };
    }

    /// The operator that stands in for another, or null.
    static Opcode other(Opcode opcode) {
        return switch (opcode) {
            case IADD -> Opcode.ISUB;
            case ISUB -> Opcode.IADD;
            case IMUL -> Opcode.IDIV;
            case IDIV -> Opcode.IMUL;
            case IREM -> Opcode.IMUL;
            case IAND -> Opcode.IOR;
            case IOR -> Opcode.IAND;
            case ISHL -> Opcode.ISHR;
            case ISHR, IUSHR -> Opcode.ISHL;
            case LADD -> Opcode.LSUB;
            case LSUB -> Opcode.LADD;
            case LMUL -> Opcode.LDIV;
            case LDIV -> Opcode.LMUL;
            case LAND -> Opcode.LOR;
            case LOR -> Opcode.LAND;
            case LSHL -> Opcode.LSHR;
            case LSHR, LUSHR -> Opcode.LSHL;
            default -> null;
        };
    }

    /// What a constant becomes: with argument 0 its neighbour, or half of it if it is large, otherwise the same with a bit less.
    static long changed(long value, int argument) {
        return switch (argument) {
            case 0 -> value == 1 ? 0 : Math.abs(value) < LARGE ? value + 1 : value / 2;
            case 1 -> value & (value - 1);
            default -> value & ~Long.highestOneBit(value);
        };
    }
}
