package dev.caisson.cli.container;

import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.RunningContainer;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `caisson stop`: asks containers to end, and kills those that do not.
@Command(
        name = "stop",
        sortOptions = false,
        description = "Ask containers to end, and kill those that have not ended in time.",
        footer = {"%n  caisson stop web", "  caisson stop -t 60 $(caisson ps -q --filter label=group=batch)"})
public final class StopCommand extends ContainerCommand {
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
        Optional<DetachedContainer> detached = DetachedContainer.find(container, options);
        if (detached.isPresent()) {
            detached.get().stop(number, patience);
            return;
        }
        Optional<RunningContainer> running = RunningContainer.find(container, options);
        if (running.isPresent()) {
            running.get().stop(number, patience);
        } else {
            KeptContainer.find(container, options); // it has ended already, or there is none
        }
    }
}
