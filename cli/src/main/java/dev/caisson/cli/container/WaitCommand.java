package dev.caisson.cli.container;

import dev.caisson.engine.ContainerState;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.RunningContainer;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Command;

/// `caisson wait`: waits for containers to end and prints their exit statuses.
@Command(
        name = "wait",
        sortOptions = false,
        description = "Wait until containers have ended, and print their exit statuses.")
public final class WaitCommand extends ContainerCommand {
    private static final Duration LOOK = Duration.ofHours(1);

    @Override
    void act(String container, EngineOptions options) throws InterruptedException {
        Optional<DetachedContainer> detached = DetachedContainer.find(container, options);
        if (detached.isPresent()) {
            print(detached.get().awaitEndOfRun().map(ContainerState.End::status).orElse(0));
            return;
        }
        Optional<RunningContainer> running = RunningContainer.find(container, options);
        while (running.isPresent() && !running.get().awaitEnd(LOOK)) {}
        print(KeptContainer.find(container, options)
                .result()
                .map(RunResult::exitStatus)
                .orElse(0));
    }

    private void print(int status) {
        out().println(status);
    }

    @Override
    boolean printsNames() {
        return false;
    }
}
