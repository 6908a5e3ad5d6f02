package dev.caisson.cli.container;

import dev.caisson.cli.caller.EachName;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineException;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.RunningContainer;
import dev.caisson.error.CaissonException;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `caisson rm`: removes what is kept of containers that have ended; by force it kills those that run.
@Command(
        name = "rm",
        sortOptions = false,
        description = "Remove containers that have ended: their logs, and how they ended.",
        footer = {"%n  caisson rm web-1", "  caisson rm $(caisson ps -aq)"})
public final class RemoveCommand extends ContainerCommand {
    @Option(
            names = {"-f", "--force"},
            description = "Kill one that runs, started with --rm too; one that is not there is no failure.")
    private boolean force;

    @Option(
            names = {"-v", "--volumes"},
            description = "Remove its anonymous volumes too, unless another container has them.")
    private boolean volumes;

    @Override
    void act(String container, EngineOptions options) throws InterruptedException {
        Optional<DetachedContainer> detached = DetachedContainer.find(container, options);
        if (detached.isPresent()) {
            if (volumes) {
                detached.get().removeWithVolumes(force);
            } else {
                detached.get().remove(force);
            }
            return;
        }
        Optional<RunningContainer> running = force ? RunningContainer.find(container, options) : Optional.empty();
        if (running.isPresent()) {
            running.get().kill();
        }
        try {
            KeptContainer kept = KeptContainer.find(container, options);
            if (force) {
                kept.kill();
            }
            kept.remove();
        } catch (EngineException e) {
            // One that was started with --rm is gone with its end.
            if (running.isEmpty() || !e.code().equals(UNKNOWN)) {
                throw e;
            }
        }
    }

    @Override
    EachName.Weight weight(CaissonException problem) {
        return force && problem.code().equals(UNKNOWN) ? EachName.Weight.REMARK : EachName.Weight.FAILURE;
    }
}
