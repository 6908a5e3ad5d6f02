package dev.caisson.cli.container;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.option.DetachKeys;
import dev.caisson.cli.run.AttachSession;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Leftovers;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson attach`: the standard streams of a container that runs.
@Command(
        name = "attach",
        sortOptions = false,
        description = "Attach standard streams to a container that runs.",
        footer = {"%n  caisson attach web", "  caisson attach --sig-proxy=false web"})
public final class AttachCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(names = "--no-stdin", description = "Do not pass standard input on.")
    private boolean noInput;

    @Option(
            names = "--sig-proxy",
            arity = "0..1",
            fallbackValue = "true",
            defaultValue = "true",
            description = "Pass signals on (default: ${DEFAULT-VALUE}).")
    private boolean passesSignals = true;

    @Option(
            names = "--detach-keys",
            paramLabel = "KEYS",
            defaultValue = DetachKeys.USUAL,
            description = "Keys that leave it running (default: ${DEFAULT-VALUE}).")
    private String detachKeys = DetachKeys.USUAL;

    @Parameters(paramLabel = "CONTAINER", description = "Its name, or the beginning of its id.")
    private String container = "";

    @Override
    public Integer call() throws InterruptedException {
        EngineOptions options = Caller.current().directories();
        DetachKeys keys = DetachKeys.parse(detachKeys);
        Leftovers.clear(options);
        return new AttachSession(DetachedLookup.require(container, options), spec, keys, !noInput, passesSignals)
                .follow();
    }
}
