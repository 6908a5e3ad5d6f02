package dev.caisson.cli.caller;

import dev.caisson.linux.Fd;
import dev.caisson.linux.Terminal;
import dev.caisson.spec.TerminalSize;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The size of a program's terminal (`-t`): that of the caller's, where there is one.
///
/// @param from the caller's, whose changes of size the program's follows; null if the output goes elsewhere
public record CallersTerminal(@Nullable Fd from, TerminalSize size) {
    /// Size of one that nobody looks at.
    public static final TerminalSize USUAL = new TerminalSize(24, 80);

    /// Finds it before anything starts.
    ///
    /// @param interactive whether what is typed goes to the program
    /// @throws CommandException NO_TERMINAL if it does, and nobody can type
    public static CallersTerminal find(boolean interactive) {
        Fd own = Caller.current().descriptor(interactive ? 0 : 1);
        Optional<TerminalSize> size = Terminal.size(own).map(given -> new TerminalSize(given.rows(), given.columns()));
        if (size.isPresent()) {
            return new CallersTerminal(own, size.get());
        }
        if (interactive) {
            throw new CommandException(
                    "NO_TERMINAL",
                    CommandException.ENGINE_FAILED,
                    "-i with -t needs a terminal here: leave out one of them, or start caisson from one");
        }
        return new CallersTerminal(null, USUAL);
    }
}
