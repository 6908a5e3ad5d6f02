package dev.caisson.seccomp;

import java.nio.ByteOrder;

/// Runs a filter as the kernel's interpreter does, with the instructions that seccomp allows, `seccomp_check_filter` of
/// `kernel/seccomp.c`.
public final class Simulator {
    private static final int WORD = 4;
    private static final int SIZE = 64;

    /// What a filter returned, and after how many instructions.
    public record Outcome(Action action, int executed) {}

    private Simulator() {}

    /// What the filter returns for a call.
    /// @throws SeccompException FILTER_INVALID where the kernel would refuse to load the program
    public static Outcome run(Filter filter, SeccompData data) {
        return run(filter, data, SIZE);
    }

    /// Whether a filter allows a call having loaded nothing but its number and architecture.
    static boolean allowsWithoutArguments(Filter filter, SeccompData data) {
        Outcome outcome = run(filter, data, 2 * WORD);
        return outcome.executed() > 0 && outcome.action().kind() == Action.Kind.ALLOW;
    }

    /// @param visible how much of `seccomp_data` may be loaded; at a load beyond, the run ends with no instruction
    /// counted
    private static Outcome run(Filter filter, SeccompData data, int visible) {
        int accumulator = 0;
        int executed = 0;
        int at = 0;
        while (at < filter.length()) {
            executed++;
            int constant = filter.constant(at);
            switch (filter.code(at)) {
                case 0x20 -> {
                    if (constant >= visible && visible < SIZE) {
                        return new Outcome(Action.KILL_PROCESS, 0);
                    }
                    accumulator = load(data, constant, filter.architecture().byteOrder());
                }
                case 0x54 -> accumulator &= constant;
                case 0x06 -> {
                    return new Outcome(Action.ofReturnValue(constant), executed);
                }
                case 0x05 -> at += forward(constant);
                case 0x15 -> at += jump(filter, at, accumulator == constant);
                case 0x25 -> at += jump(filter, at, Integer.compareUnsigned(accumulator, constant) > 0);
                case 0x35 -> at += jump(filter, at, Integer.compareUnsigned(accumulator, constant) >= 0);
                case 0x45 -> at += jump(filter, at, (accumulator & constant) != 0);
                default -> throw invalid("instruction code 0x" + Integer.toHexString(filter.code(at)));
            }
            at++;
        }
        throw invalid("a way that does not end in a return");
    }

    private static int jump(Filter filter, int at, boolean taken) {
        return taken ? filter.jumpIfTrue(at) : filter.jumpIfFalse(at);
    }

    private static int forward(int constant) {
        if (constant < 0 || constant > Assembler.MAX_LENGTH) {
            throw invalid("a jump of " + Integer.toUnsignedString(constant));
        }
        return constant;
    }

    private static int load(SeccompData data, int offset, ByteOrder order) {
        if (offset < 0 || offset >= SIZE || offset % WORD != 0) {
            throw invalid("a load from offset " + Integer.toUnsignedString(offset));
        }
        if (offset == 0) {
            return data.number();
        }
        if (offset == WORD) {
            return data.arch();
        }
        long register = offset < 16 ? data.instructionPointer() : data.argument((offset - 16) / 8);
        boolean first = offset % 8 == 0;
        return first == (order == ByteOrder.LITTLE_ENDIAN) ? (int) register : (int) (register >>> 32);
    }

    private static SeccompException invalid(String what) {
        return new SeccompException(
                SeccompException.Code.FILTER_INVALID, "the filter holds " + what + ", which no kernel loads");
    }
}
