package dev.caisson.cli.option;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.linux.Processes;
import java.time.Duration;

/// Signals and the time to obey them, as Docker's options have them.
public final class SignalOptions {
    /// A year: longer is a mistake.
    private static final long MOST_SECONDS = 31_536_000;

    private SignalOptions() {}

    /// A signal by name, with or without SIG, or by number.
    public static int number(String option, String text) {
        return Processes.signalNumber(text)
                .orElseThrow(() -> CommandException.usage(
                        option + " knows no signal '" + text + "': give a name as TERM or RTMIN+1, or a number to 64"));
    }

    /// Seconds; -1 stands for as long as it takes.
    public static Duration patience(String option, String text) {
        if (text.equals("-1")) {
            return Duration.ofSeconds(MOST_SECONDS);
        }
        if (!text.matches("[0-9]{1,8}") || Long.parseLong(text) > MOST_SECONDS) {
            throw CommandException.usage(
                    option + " takes a number of seconds, or -1 to wait without end, not '" + text + "'");
        }
        return Duration.ofSeconds(Long.parseLong(text));
    }
}
