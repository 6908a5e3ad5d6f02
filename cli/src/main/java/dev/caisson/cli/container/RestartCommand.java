package dev.caisson.cli.container;

import dev.caisson.cli.caller.ResidentEngine;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `caisson restart`: stops containers and starts them again.
@Command(name = "restart", sortOptions = false, description = "Stop containers and start them again.")
public final class RestartCommand extends ContainerCommand {
    @Mixin
    private StopOptions how = new StopOptions();

    private Optional<Duration> patience = Optional.empty();
    private OptionalInt number = OptionalInt.empty();

    @Override
    void prepare() {
        patience = how.patience();
        number = how.number();
    }

    @Override
    void act(String container, EngineOptions options) throws InterruptedException {
        DetachedContainer found = DetachedLookup.require(container, options);
        LossText.print(found, err());
        found.restart(number, patience);
        ResidentEngine.startFor(found, err());
    }
}
