package dev.caisson.cli.container;

import dev.caisson.cli.option.SignalOptions;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How containers are asked to end, in Docker's words: the options of `stop` and `restart`.
final class StopOptions {
    @Option(
            names = {"-t", "--timeout", "--time"},
            paramLabel = "SECONDS",
            description = "Time to end before it is killed (default: --stop-timeout of its run, or 10).")
    private @Nullable String timeout;

    @Option(
            names = {"-s", "--signal"},
            paramLabel = "SIGNAL",
            description = "Signal that asks it to end (default: --stop-signal of its run, its image's, or TERM).")
    private @Nullable String signal;

    /// @throws CommandException if it is no time
    Optional<Duration> patience() {
        return Optional.ofNullable(timeout).map(text -> SignalOptions.patience("--timeout", text));
    }

    /// @throws CommandException if there is no such signal
    OptionalInt number() {
        return signal == null ? OptionalInt.empty() : OptionalInt.of(SignalOptions.number("--signal", signal));
    }
}
