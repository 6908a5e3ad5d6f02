package dev.caisson.cli.container;

import dev.caisson.engine.EngineOptions;
import picocli.CommandLine.Command;

/// `caisson pause`: freezes every process of containers.
@Command(name = "pause", sortOptions = false, description = "Freeze every process of containers.")
public final class PauseCommand extends ContainerCommand {
    @Override
    void act(String container, EngineOptions options) throws InterruptedException {
        DetachedLookup.require(container, options).pause();
    }
}
