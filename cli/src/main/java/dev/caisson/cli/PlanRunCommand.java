package dev.caisson.cli;

import dev.caisson.engine.Engine;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.PlanText;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson plan run`: the launch plan of a run, a line for each phase.
@Command(name = "run", description = "Show the launch plan of a run.", sortOptions = false)
final class PlanRunCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text for people, json for programs (default: ${DEFAULT-VALUE}).")
    private OutputFormat format = OutputFormat.TEXT;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private RunOptions options;

    @Override
    public Integer call() {
        ContainerSpec wish = options.spec();
        if (options.terminal) {
            wish = wish.terminal(new dev.caisson.linux.Terminal.Size(24, 80));
        }
        LaunchPlan plan = Engine.plan(
                wish, Directories.options(), new ProgressLine(spec.commandLine().getErr()));
        PrintWriter out = spec.commandLine().getOut();
        switch (format) {
            case TEXT -> {
                PlanText.lines(plan).forEach(out::println);
                out.println("   then      " + PlanText.execution(plan));
            }
            case JSON -> out.println(PlanJson.of(plan));
        }
        return 0;
    }
}
