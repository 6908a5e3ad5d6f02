package dev.caisson.cli.caller;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Pipes;
import dev.caisson.linux.Terminal;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Optional;

/// A line that the caller types without seeing it, as for a passphrase.
public final class HiddenLine {
    private static final int LONGEST = 4096;
    private static final int INTERRUPT = 3;
    private static final int END = 4;
    private static final int BACKSPACE = 8;
    private static final int CLEAR = 21;
    private static final int DELETE = 127;

    private HiddenLine() {}

    /// True if there is a terminal to ask at.
    public static boolean isPossible() {
        return Terminal.isTerminal(Caller.current().descriptor(0));
    }

    /// Asks at the caller's terminal; nothing if standard input is none.
    ///
    /// @param prompt shown on standard error
    /// @return the bytes of the line, which the caller clears
    /// @throws CommandException INTERRUPTED for Ctrl-C and Ctrl-D
    public static Optional<byte[]> ask(String prompt) {
        Caller caller = Caller.current();
        Fd terminal = caller.descriptor(0);
        if (!isPossible()) {
            return Optional.empty();
        }
        PrintWriter err = caller.errors().writer();
        err.print(prompt);
        err.flush();
        Terminal.Mode before = Terminal.makeRaw(terminal);
        try {
            return Optional.of(read(terminal));
        } finally {
            Terminal.restore(terminal, before);
            err.println();
            err.flush();
        }
    }

    private static byte[] read(Fd terminal) {
        byte[] line = new byte[LONGEST];
        int length = 0;
        try {
            while (true) {
                int typed = next(terminal);
                switch (typed) {
                    case '\r', '\n' -> {
                        return Arrays.copyOf(line, length);
                    }
                    case INTERRUPT, END -> throw interrupted();
                    case BACKSPACE, DELETE -> length = withoutLast(line, length);
                    case CLEAR -> length = 0;
                    default -> {
                        if (length == LONGEST) {
                            throw CommandException.usage(
                                    "the line is longer than " + LONGEST + " bytes: give the value in a file");
                        }
                        line[length++] = (byte) typed;
                    }
                }
            }
        } finally {
            Arrays.fill(line, (byte) 0);
        }
    }

    /// A character of UTF-8 ends with its first byte, seen from behind.
    private static int withoutLast(byte[] line, int length) {
        int end = Math.max(0, length - 1);
        while (end > 0 && (line[end] & 0xc0) == 0x80) {
            end--;
        }
        return end;
    }

    private static int next(Fd terminal) {
        byte[] typed = new byte[1];
        try {
            if (Pipes.read(terminal, typed) <= 0) {
                throw interrupted();
            }
            return Byte.toUnsignedInt(typed[0]);
        } catch (ErrnoException e) {
            throw interrupted();
        }
    }

    private static CommandException interrupted() {
        return new CommandException("INTERRUPTED", CommandException.ENGINE_FAILED, "nothing was typed: run it again");
    }
}
