package dev.caisson.cli.container;

import dev.caisson.cli.caller.Caller;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Leftovers;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `caisson rename`: gives a container another name.
@Command(name = "rename", sortOptions = false, description = "Give a container another name.")
public final class RenameCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "CONTAINER", description = "Its name, or the beginning of its id.")
    private String container = "";

    @Parameters(index = "1", paramLabel = "NAME", description = "Its new name.")
    private String name = "";

    @Override
    public Integer call() {
        EngineOptions options = Caller.current().directories();
        Leftovers.clear(options);
        DetachedLookup.require(container, options).rename(name);
        return 0;
    }
}
