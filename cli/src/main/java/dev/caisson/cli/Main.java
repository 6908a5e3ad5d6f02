package dev.caisson.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/// The `caisson` command: finds the subcommand, and turns what it throws into one line and an exit status.
@Command(
        name = "caisson",
        description = "Runs Linux containers with every limit on, and shows what the kernel enforces.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {AuditCommand.class, VersionCommand.class, CompletionCommand.class, RehearseCommand.class})
public final class Main implements Runnable {

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help and exit.")
    @SuppressWarnings("UnusedVariable") // picocli reads it
    private boolean help;

    private Main() {}

    public static void main(String[] args) {
        var out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        var err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        System.exit(execute(out, err, Terminal.ofLauncher(), args));
    }

    /// Runs one command line and returns its exit status: the command's own, or 125 where Caisson itself failed.
    static int execute(PrintWriter out, PrintWriter err, Terminal terminal, String... args) {
        int status = commandLine()
                .setOut(out)
                .setErr(err)
                .setColorScheme(terminal.outputColours())
                .setParameterExceptionHandler((problem, arguments) -> report(err, terminal, usage(problem)))
                .setExecutionExceptionHandler((problem, command, result) -> report(err, terminal, problem))
                .execute(args);
        out.flush();
        err.flush();
        return status;
    }

    /// The tree of all commands, for running, for shell completion and for the manual pages.
    static CommandLine commandLine() {
        return new CommandLine(new Main())
                .setUsageHelpAutoWidth(false)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExpandAtFiles(false) // an argument that starts with @ belongs to the user's program
                .setAbbreviatedOptionsAllowed(false);
    }

    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson --help'");
    }

    private static CommandException usage(ParameterException problem) {
        String command = problem.getCommandLine().getCommandSpec().qualifiedName();
        return CommandException.usage(OneLine.of(problem.getMessage()) + "; try '" + command + " --help'");
    }

    private static int report(PrintWriter err, Terminal terminal, Exception problem) {
        if (problem instanceof CommandException known) {
            err.println(terminal.alarm("caisson: " + known.code() + ": " + OneLine.of(known.getMessage())));
            return known.exitStatus();
        }
        err.println(terminal.alarm("caisson: INTERNAL: " + OneLine.of(problem.toString())
                + "; this is a defect of Caisson, please report it with the trace below"));
        problem.printStackTrace(err);
        return CommandException.ENGINE_FAILED;
    }
}
