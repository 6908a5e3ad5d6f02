package dev.caisson.cli.container;

import dev.caisson.engine.EngineOptions;
import picocli.CommandLine.Command;

/// `caisson unpause`: lets containers run on that were paused.
@Command(name = "unpause", sortOptions = false, description = "Let paused containers run on.")
public final class UnpauseCommand extends ContainerCommand {
    @Override
    void act(String container, EngineOptions options) throws InterruptedException {
        DetachedLookup.require(container, options).resume();
    }
}
