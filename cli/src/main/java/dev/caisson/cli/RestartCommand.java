package dev.caisson.cli;

import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `caisson restart`: stops containers and starts them again.
@Command(name = "restart", sortOptions = false, description = "Stop containers and start them again.")
final class RestartCommand extends ContainerCommand {
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

    private Optional<Duration> patience = Optional.empty();
    private OptionalInt number = OptionalInt.empty();

    @Override
    void prepare() {
        patience = Optional.ofNullable(timeout).map(text -> SignalOptions.patience("--timeout", text));
        number = signal == null ? OptionalInt.empty() : OptionalInt.of(SignalOptions.number("--signal", signal));
    }

    @Override
    void act(String container, EngineOptions options) throws InterruptedException {
        DetachedContainer found = DetachedLookup.require(container, options);
        LossText.print(found, err());
        found.restart(number, patience);
    }
}
