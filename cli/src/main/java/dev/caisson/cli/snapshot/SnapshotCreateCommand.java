package dev.caisson.cli.snapshot;

import dev.caisson.cli.caller.Caller;
import dev.caisson.engine.Snapshots;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson snapshot create`: takes the files of a container.
@Command(
        name = "create",
        sortOptions = false,
        description = "Take the files of a container that was started with create or run -d, as they are now.",
        footer = {
            "%nOne that runs stands still meanwhile, for 30 seconds at most. Memory, processes, volumes, workspaces and",
            "secrets are no part of a snapshot. A snapshot keeps the layers of the image that it is above.",
            "%n  caisson run -d --name box debian:13 -- sleep 1h",
            "  caisson exec box sh -c 'echo prepared >/srv/result'",
            "  caisson snapshot create box prepared"
        })
final class SnapshotCreateCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "Name, or the beginning of an id.")
    private @Nullable String container;

    @Parameters(
            index = "1",
            paramLabel = "NAME",
            description = "1 to 128 letters, digits, '_', '.' and '-', first a letter or digit.")
    private @Nullable String name;

    @Override
    public Integer call() throws InterruptedException {
        Snapshots all = Snapshots.of(Caller.current().directories());
        spec.commandLine()
                .getOut()
                .println(all.create(String.valueOf(container), String.valueOf(name))
                        .name());
        return 0;
    }
}
