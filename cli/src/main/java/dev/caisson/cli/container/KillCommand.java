package dev.caisson.cli.container;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.option.SignalOptions;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.RunningContainer;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `caisson kill`: sends a signal to containers; without one they end at once.
@Command(
        name = "kill",
        sortOptions = false,
        description = "Kill containers, or send another signal to their programs.",
        footer = {"%n  caisson kill web", "  caisson kill -s HUP web"})
public final class KillCommand extends ContainerCommand {
    private static final int SIGKILL = 9;

    @Option(
            names = {"-s", "--signal"},
            paramLabel = "SIGNAL",
            defaultValue = "KILL",
            description = "Signal to send (default: ${DEFAULT-VALUE}).")
    private String signal = "KILL";

    private int number = SIGKILL;

    @Override
    void prepare() {
        number = SignalOptions.number("--signal", signal);
    }

    @Override
    void act(String container, EngineOptions options) throws InterruptedException {
        Optional<DetachedContainer> detached = DetachedContainer.find(container, options);
        if (detached.isPresent()) {
            detached.get().signal(number);
            return;
        }
        Optional<RunningContainer> found = RunningContainer.find(container, options);
        if (found.isEmpty()) {
            throw notRunning(KeptContainer.find(container, options));
        }
        RunningContainer running = found.get();
        if (number == SIGKILL) {
            running.kill();
        } else if (!running.signal(number)) {
            throw notRunning(KeptContainer.find(container, options));
        }
    }

    private static CommandException notRunning(KeptContainer ended) {
        return new CommandException(
                "CONTAINER_ENDED", 1, "the container " + ended.id().shortForm() + " does not run");
    }
}
