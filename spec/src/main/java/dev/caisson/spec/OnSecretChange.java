package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.allPresent;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.Quoted;
import java.util.List;

/// Tells a container that one of its secrets has another value, which is in its file by then.
public sealed interface OnSecretChange {
    /// The word for a restart, in a written spec.
    String RESTART = "restart";

    /// Nothing: the program looks at its file when it needs it.
    record Nothing() implements OnSecretChange {}

    /// A signal to its process 1, which passes it on to the program.
    ///
    /// @param number 1 to 64
    record Signal(int number) implements OnSecretChange {
        private static final int MOST = 64;

        /// @throws ArgumentException ARGUMENT_INVALID
        public Signal {
            if (number < 1 || number > MOST) {
                throw ArgumentException.invalid(
                        "there is no signal " + number + " to send when a secret changes: give 1 to " + MOST);
            }
        }
    }

    /// One more program, with all limits of the container, which has 30 s.
    ///
    /// @param command its path and arguments, words without blanks
    record Program(List<String> command) implements OnSecretChange {
        private static final String WORD = "exec:";
        private static final int LONGEST = 4096;

        /// @throws ArgumentException ARGUMENT_INVALID
        public Program {
            command = allPresent(command, "command");
            String text = String.join(" ", command);
            if (text.isEmpty() || text.length() > LONGEST || !text.chars().allMatch(c -> c >= ' ' && c != 0x7f)) {
                throw ArgumentException.invalid("there is no command of 1 to " + LONGEST
                        + " characters to run when a secret changes: give its path and arguments");
            }
            if (!command.equals(List.of(text.split(" +")))) {
                throw ArgumentException.invalid("a word of the command " + Quoted.of(text)
                        + " has a blank: put the command into a script of the image");
            }
        }
    }

    /// Another start, as by `restart`. Of containers in the background alone.
    record Restart() implements OnSecretChange {}

    /// Returns it as a word of a written spec; empty for nothing.
    default String text() {
        return switch (this) {
            case Nothing _ -> "";
            case Signal signal -> Integer.toString(signal.number());
            case Program program -> Program.WORD + String.join(" ", program.command());
            case Restart _ -> RESTART;
        };
    }

    /// Reads what [#text] gives.
    /// @throws ArgumentException ARGUMENT_INVALID
    static OnSecretChange parse(String text) {
        if (text.isEmpty()) {
            return new Nothing();
        }
        if (text.equals(RESTART)) {
            return new Restart();
        }
        if (text.startsWith(Program.WORD)) {
            return new Program(
                    List.of(text.substring(Program.WORD.length()).strip().split(" +")));
        }
        if (!text.matches("[0-9]{1,2}")) {
            throw ArgumentException.invalid(Quoted.of(text)
                    + " is nothing to do when a secret changes: give the number of a signal, exec:COMMAND or "
                    + RESTART);
        }
        return new Signal(Integer.parseInt(text));
    }
}
