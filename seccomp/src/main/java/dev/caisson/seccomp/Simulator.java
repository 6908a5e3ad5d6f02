package dev.caisson.seccomp;

import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Runs a filter as the kernel's interpreter does, with the instructions that seccomp allows, `seccomp_check_filter` of
/// `kernel/seccomp.c`.
public final class Simulator {
    private static final int WORD = 4;
    private static final int SIZE = 64;

    /// Offset of the first argument in `seccomp_data`.
    private static final int ARGUMENTS = 16;

    /// The answer of a filter, and after how many instructions.
    public record Outcome(Action action, int executed) {}

    private Simulator() {}

    /// Returns the filter's answer for a call.
    /// @throws SeccompException FILTER_INVALID where the kernel would refuse to load the program
    public static Outcome run(Filter filter, SeccompData data) {
        return run(filter, data, SIZE, null);
    }

    /// The halves of arguments that the filter looks at before it decides a call, each with its place: what else the
    /// arguments are makes no difference to it.
    /// @throws SeccompException FILTER_INVALID where the kernel would refuse to load the program
    public static List<Long> examined(Filter filter, SeccompData data) {
        var words = new TreeMap<Integer, Integer>();
        run(filter, data, SIZE, words);
        return words.entrySet().stream()
                .map(word -> (long) word.getKey() << Integer.SIZE | Integer.toUnsignedLong(word.getValue()))
                .toList();
    }

    /// True if a filter allows a call having loaded nothing but its number and architecture.
    static boolean allowsWithoutArguments(Filter filter, SeccompData data) {
        Outcome outcome = run(filter, data, 2 * WORD, null);
        return outcome.executed() > 0 && outcome.action().kind() == Action.Kind.ALLOW;
    }

    /// @param visible how much of `seccomp_data` may be loaded; at a load beyond, the run ends with no instruction
    /// counted
    /// @param words where the loaded halves of arguments are noted
    private static Outcome run(Filter filter, SeccompData data, int visible, @Nullable Map<Integer, Integer> words) {
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
                    if (words != null && constant >= ARGUMENTS) {
                        words.put(constant, accumulator);
                    }
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
        long register = offset < ARGUMENTS ? data.instructionPointer() : data.argument((offset - ARGUMENTS) / 8);
        boolean first = offset % 8 == 0;
        return first == (order == ByteOrder.LITTLE_ENDIAN) ? (int) register : (int) (register >>> 32);
    }

    private static SeccompException invalid(String what) {
        return new SeccompException(
                SeccompException.Code.FILTER_INVALID, "the filter holds " + what + ", which no kernel loads");
    }
}
