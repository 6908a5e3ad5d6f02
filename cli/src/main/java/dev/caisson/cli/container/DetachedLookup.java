package dev.caisson.cli.container;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.RunningContainer;

/// Finds containers that outlive their command, for commands that need one.
public final class DetachedLookup {
    private static final int FAILED = 1;

    private DetachedLookup() {}

    /// Returns the detached container of this name or id.
    /// @throws dev.caisson.error.CaissonException CONTAINER_UNKNOWN, CONTAINER_FOREGROUND
    public static DetachedContainer require(String container, EngineOptions options) {
        return DetachedContainer.find(container, options).orElseThrow(() -> {
            boolean ended = RunningContainer.find(container, options).isEmpty()
                    && !KeptContainer.find(container, options).isRunning(); // or there is none at all
            return new CommandException(
                    "CONTAINER_FOREGROUND",
                    FAILED,
                    "container " + OneLine.of(container)
                            + (ended
                                    ? " has ended with the command that ran it"
                                    : " lives as long as the command that runs it")
                            + ": run it with -d for this");
        });
    }
}
