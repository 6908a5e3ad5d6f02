package dev.caisson.cli.container;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.caller.ResidentEngine;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Leftovers;
import dev.caisson.error.CaissonException;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `caisson up`: starts, after a start of the host, the containers whose restart policy asks for it.
@Command(
        name = "up",
        sortOptions = false,
        description = "After a start of the host, start the containers whose restart policy asks for it.",
        footer = {
            "%nThese are, as with Docker, containers with --restart always that were ever started, and those with",
            "--restart unless-stopped that nobody stopped. One whose monitor is alive is left as it is.",
            "deploy/systemd/caisson-up.service runs it at each start of the host."
        })
public final class UpCommand implements Callable<Integer> {
    private static final int SOME_FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        EngineOptions options = Caller.current().directories();
        Leftovers.clear(options);
        List<DetachedContainer> wanted = DetachedContainer.all(options).stream()
                .filter(container -> container.isWantedUp() && !container.hasMonitor())
                .sorted(Comparator.comparing(DetachedContainer::name))
                .toList();
        int status = 0;
        for (DetachedContainer container : wanted) {
            try {
                LossText.print(container, spec.commandLine().getErr());
                container.start();
                ResidentEngine.startFor(container, spec.commandLine().getErr());
                spec.commandLine().getOut().println(container.name());
            } catch (CaissonException e) { // the others are started all the same
                if (e.code().equals("CONTAINER_UNKNOWN") && !container.isWantedUp()) { // removed meanwhile
                    continue;
                }
                spec.commandLine()
                        .getErr()
                        .println("caisson: " + container.name() + ": " + e.code() + ": " + OneLine.of(e.sentence()));
                status = SOME_FAILED;
            }
        }
        return status;
    }
}
