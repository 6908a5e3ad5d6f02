package dev.caisson.cli.run;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CallersTerminal;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.option.OptionList;
import dev.caisson.cli.option.RunOptions;
import dev.caisson.cli.text.OutputFormat;
import dev.caisson.engine.PlannedRun;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.PlanText;
import dev.caisson.spec.ContainerSpec;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;

/// `caisson plan run`: the launch plan of a run, a line for each phase.
public final class PlanRunCommand implements Callable<Integer> {
    private static final Set<String> FETCH = Set.of("--pull", "--platform");

    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this).name("run");
    private final RunOptions options;
    private OutputFormat format = OutputFormat.TEXT;

    private PlanRunCommand() {
        new OptionList(spec)
                .value(
                        "--format",
                        "FORMAT",
                        "text for people, json for programs (default: text).",
                        OutputFormat.class,
                        value -> format = value);
        options = new RunOptions(spec);
    }

    /// The command as picocli knows it.
    public static CommandSpec spec() {
        CommandSpec spec = new PlanRunCommand().spec;
        spec.usageMessage().description("Show the launch plan of a run.").sortOptions(false);
        return spec;
    }

    /// Returns why an option of `run` is refused that no plan has; empty if `run` does not have it either.
    public static Optional<CommandException> refusal(String argument) {
        String name = argument.replaceFirst("=.*", "");
        if (FETCH.contains(name)) {
            return Optional.of(CommandException.refused(
                    name,
                    "a plan is of the image that is at hand: fetch another with 'caisson pull', and leave this out"));
        }
        return RunCommand.spec().optionsMap().containsKey(name)
                ? Optional.of(CommandException.refused(
                        name, "it changes nothing of how the program is launched, which a plan shows: leave this out"))
                : Optional.empty();
    }

    @Override
    public Integer call() {
        ContainerSpec wish = options.spec();
        if (options.terminal()) {
            wish = wish.terminal(CallersTerminal.USUAL);
        }
        PlannedRun run = PlannedRun.of(
                wish,
                Caller.current().directories(),
                new ProgressLine(spec.commandLine().getErr()));
        LaunchPlan plan = run.launch();
        PrintWriter out = spec.commandLine().getOut();
        switch (format) {
            case TEXT -> {
                PlanText.lines(plan).forEach(out::println);
                PlannedNetwork.of(run).lines().forEach(out::println);
                out.println("   then      " + PlanText.execution(plan));
            }
            case JSON -> out.println(PlanJson.of(plan, PlannedNetwork.of(run)));
        }
        return 0;
    }
}
