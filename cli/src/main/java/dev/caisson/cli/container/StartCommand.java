package dev.caisson.cli.container;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.EachName;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.caller.ResidentEngine;
import dev.caisson.cli.option.DetachKeys;
import dev.caisson.cli.run.AttachSession;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Leftovers;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson start`: starts containers that were created or have ended.
@Command(
        name = "start",
        sortOptions = false,
        description = "Start containers that were created or have ended.",
        footer = {"%n  caisson start web", "  caisson start -ai shell"})
public final class StartCommand implements Callable<Integer> {
    private static final int SOME_FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-a", "--attach"},
            description = "Show its output, pass signals on and exit as it does.")
    private boolean attach;

    @Option(
            names = {"-i", "--interactive"},
            description = "Pass standard input on too.")
    private boolean interactive;

    @Option(
            names = "--detach-keys",
            paramLabel = "KEYS",
            defaultValue = DetachKeys.USUAL,
            description = "Keys that leave it running (default: ${DEFAULT-VALUE}).")
    private String detachKeys = DetachKeys.USUAL;

    @Parameters(arity = "1..*", paramLabel = "CONTAINER", description = "Names, or the beginnings of ids.")
    private List<String> containers = List.of();

    @Override
    public Integer call() throws InterruptedException {
        EngineOptions options = Caller.current().directories();
        DetachKeys keys = DetachKeys.parse(detachKeys);
        boolean attached = attach || interactive;
        if (attached && containers.size() > 1) {
            throw new CommandException(
                    "USAGE", SOME_FAILED, "you cannot start and attach multiple containers at once: name one");
        }
        Leftovers.clear(options);
        if (attached) {
            DetachedContainer container = DetachedLookup.require(containers.getFirst(), options);
            LossText.print(container, spec.commandLine().getErr());
            return new AttachSession(container, spec, keys, interactive, true).startAndFollow();
        }
        return startAll(options);
    }

    private int startAll(EngineOptions options) throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        return EachName.act(containers, err, container -> {
            DetachedContainer found = DetachedLookup.require(container, options);
            LossText.print(found, err);
            found.start();
            ResidentEngine.startFor(found, err);
            out.println(OneLine.of(container));
        });
    }
}
