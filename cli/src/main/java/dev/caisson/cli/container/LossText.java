package dev.caisson.cli.container;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.DetachedContainer;
import java.io.PrintWriter;

/// Says what a start does not bring back of a container whose monitor is gone.
final class LossText {
    private LossText() {}

    static void print(DetachedContainer container, PrintWriter err) {
        container
                .losses()
                .forEach(path -> err.println("caisson: gone with the monitor of " + OneLine.of(container.name())
                        + ": what it had written into " + path + ", which was in memory"));
    }
}
