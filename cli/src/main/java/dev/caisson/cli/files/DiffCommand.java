package dev.caisson.cli.files;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.container.DetachedLookup;
import dev.caisson.engine.FileChange;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson diff`: what a container has changed of its image's files.
@Command(
        name = "diff",
        sortOptions = false,
        description = "List what a container has changed of its image's files.",
        footer = {
            "%nA is added, C changed, D deleted. What is on volumes is not listed, nor what each start makes.",
            "%n  caisson diff web"
        })
public final class DiffCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "Its name, or the beginning of its id.")
    private String container = "";

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        for (FileChange change : DetachedLookup.require(
                        container, Caller.current().directories())
                .changes()) {
            String letter = switch (change.kind()) {
                case ADDED -> "A";
                case CHANGED -> "C";
                case DELETED -> "D";
            };
            out.println(letter + " " + OneLine.of(change.path()));
        }
        return 0;
    }
}
