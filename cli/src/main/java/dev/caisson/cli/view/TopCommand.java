package dev.caisson.cli.view;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.ContainerProcess;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Leftovers;
import dev.caisson.engine.RunningContainer;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson top`: the processes of a container.
@Command(
        name = "top",
        sortOptions = false,
        description = "List the processes of a container that runs.",
        footer = {"%n  caisson top web", "  caisson top web -eo pid,user,rss,comm"})
public final class TopCommand implements Callable<Integer> {
    private static final int FAILED = 1;
    private static final String ROW = "%-12s %-10s %-10s %-10s %-10s %s";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "Its name, or the beginning of its id.")
    private String container = "";

    @Parameters(
            index = "1..*",
            paramLabel = "PS OPTIONS",
            description = "Options of the host's ps, as -eo pid,comm or aux; a PID column must be among what it shows.")
    private List<String> options = List.of();

    @Override
    public Integer call() {
        EngineOptions directories = Caller.current().directories();
        Leftovers.clear(directories);
        RunningContainer running =
                RunningContainer.find(container, directories).orElseThrow(() -> missing(directories));
        PrintWriter out = spec.commandLine().getOut();
        if (!options.isEmpty()) {
            Set<Integer> processes =
                    running.processes().stream().map(ContainerProcess::pid).collect(Collectors.toSet());
            HostPs.table(options, processes).forEach(out::println);
            return 0;
        }
        out.println(String.format(Locale.ROOT, ROW, "UID", "PID", "PPID", "STIME", "TIME", "CMD"));
        for (ContainerProcess process : running.processes()) {
            out.println(String.format(
                            Locale.ROOT,
                            ROW,
                            process.uid(),
                            process.pid(),
                            process.parent(),
                            LogTime.clock(process.started()),
                            time(process.cpuSeconds()),
                            OneLine.of(process.command()))
                    .stripTrailing());
        }
        return 0;
    }

    private CommandException missing(EngineOptions directories) {
        ContainerStatus.find(container, directories); // or it is not there at all
        return new CommandException(
                "CONTAINER_NOT_RUNNING",
                FAILED,
                "container " + OneLine.of(container) + " is not running: 'caisson ps' lists those that do");
    }

    private static String time(long seconds) {
        return String.format(Locale.ROOT, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
}
