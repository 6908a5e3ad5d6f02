package dev.caisson.cli;

import dev.caisson.cli.audit.AuditCommand;
import dev.caisson.cli.audit.ScanCommand;
import dev.caisson.cli.build.BuildCommand;
import dev.caisson.cli.build.LaterBuildOptions;
import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CallerText;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.ErrorLine;
import dev.caisson.cli.caller.HostPath;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.caller.OutputLostException;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.cli.container.AttachCommand;
import dev.caisson.cli.container.ContainerGroupCommand;
import dev.caisson.cli.container.KillCommand;
import dev.caisson.cli.container.PauseCommand;
import dev.caisson.cli.container.PruneCommand;
import dev.caisson.cli.container.RemoveCommand;
import dev.caisson.cli.container.RenameCommand;
import dev.caisson.cli.container.RenewCommand;
import dev.caisson.cli.container.RestartCommand;
import dev.caisson.cli.container.StartCommand;
import dev.caisson.cli.container.StopCommand;
import dev.caisson.cli.container.UnpauseCommand;
import dev.caisson.cli.container.UpCommand;
import dev.caisson.cli.container.UpdateCommand;
import dev.caisson.cli.container.WaitCommand;
import dev.caisson.cli.files.CopyCommand;
import dev.caisson.cli.files.DiffCommand;
import dev.caisson.cli.files.ExportCommand;
import dev.caisson.cli.files.WorkspaceCopyCommand;
import dev.caisson.cli.image.CommitCommand;
import dev.caisson.cli.image.ImageGroupCommand;
import dev.caisson.cli.image.ImagesCommand;
import dev.caisson.cli.image.ImportCommand;
import dev.caisson.cli.image.LoadCommand;
import dev.caisson.cli.image.LoginCommand;
import dev.caisson.cli.image.LogoutCommand;
import dev.caisson.cli.image.PullCommand;
import dev.caisson.cli.image.PushCommand;
import dev.caisson.cli.image.RemoveImageCommand;
import dev.caisson.cli.image.SaveCommand;
import dev.caisson.cli.image.TagCommand;
import dev.caisson.cli.network.NetworkCommand;
import dev.caisson.cli.option.LaterOptions;
import dev.caisson.cli.run.CreateCommand;
import dev.caisson.cli.run.ExecCommand;
import dev.caisson.cli.run.PlanCommand;
import dev.caisson.cli.run.PlanRunCommand;
import dev.caisson.cli.run.RunCommand;
import dev.caisson.cli.seccomp.SeccompCommand;
import dev.caisson.cli.secret.SecretGroupCommand;
import dev.caisson.cli.snapshot.SnapshotGroupCommand;
import dev.caisson.cli.stats.StatsCommand;
import dev.caisson.cli.system.DiskUseCommand;
import dev.caisson.cli.system.InfoCommand;
import dev.caisson.cli.system.SelftestCommand;
import dev.caisson.cli.system.SystemCommand;
import dev.caisson.cli.system.SystemPruneCommand;
import dev.caisson.cli.system.VersionCommand;
import dev.caisson.cli.view.EventsCommand;
import dev.caisson.cli.view.ImageHistoryCommand;
import dev.caisson.cli.view.InspectCommand;
import dev.caisson.cli.view.ListCommand;
import dev.caisson.cli.view.LogsCommand;
import dev.caisson.cli.view.PortCommand;
import dev.caisson.cli.view.TopCommand;
import dev.caisson.cli.view.VerifyCommand;
import dev.caisson.cli.volume.VolumeGroupCommand;
import dev.caisson.cli.workspace.WorkspaceCreateCommand;
import dev.caisson.cli.workspace.WorkspaceGroupCommand;
import dev.caisson.cli.workspace.WorkspaceInspectCommand;
import dev.caisson.cli.workspace.WorkspaceListCommand;
import dev.caisson.cli.workspace.WorkspacePruneCommand;
import dev.caisson.cli.workspace.WorkspaceRemoveCommand;
import dev.caisson.engine.Engine;
import dev.caisson.error.CaissonException;
import dev.caisson.linux.OwnProcess;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/// The `caisson` command: finds the subcommand, and turns what it throws into one line and an exit status.
public final class Main implements Runnable {
    /// In the order of the help.
    private static final Map<String, Supplier<Object>> COMMANDS = new LinkedHashMap<>();

    static {
        // no option is one of these types; picocli looks for each of them anew for each command line
        System.setProperty("picocli.converters.excludes", "java\\.(sql|time)\\..*");
        COMMANDS.put("run", RunCommand::spec);
        COMMANDS.put("exec", ExecCommand::new);
        COMMANDS.put("create", CreateCommand::spec);
        COMMANDS.put("start", StartCommand::new);
        COMMANDS.put("plan", Main::plan);
        COMMANDS.put("ps", ListCommand::new);
        COMMANDS.put("inspect", InspectCommand::new);
        COMMANDS.put("logs", LogsCommand::new);
        COMMANDS.put("attach", AttachCommand::new);
        COMMANDS.put("top", TopCommand::new);
        COMMANDS.put("port", PortCommand::new);
        COMMANDS.put("cp", CopyCommand::new);
        COMMANDS.put("diff", DiffCommand::new);
        COMMANDS.put("commit", CommitCommand::new);
        COMMANDS.put("export", ExportCommand::new);
        COMMANDS.put("wait", WaitCommand::new);
        COMMANDS.put("stop", StopCommand::new);
        COMMANDS.put("kill", KillCommand::new);
        COMMANDS.put("restart", RestartCommand::new);
        COMMANDS.put("pause", PauseCommand::new);
        COMMANDS.put("unpause", UnpauseCommand::new);
        COMMANDS.put("rename", RenameCommand::new);
        COMMANDS.put("update", UpdateCommand::spec);
        COMMANDS.put("events", EventsCommand::new);
        COMMANDS.put("renew", RenewCommand::new);
        COMMANDS.put("up", UpCommand::new);
        COMMANDS.put("rm", RemoveCommand::new);
        COMMANDS.put("build", BuildCommand::spec);
        COMMANDS.put("pull", PullCommand::new);
        COMMANDS.put("push", PushCommand::new);
        COMMANDS.put("login", LoginCommand::new);
        COMMANDS.put("logout", LogoutCommand::new);
        COMMANDS.put("images", ImagesCommand::new);
        COMMANDS.put("tag", TagCommand::new);
        COMMANDS.put("rmi", RemoveImageCommand::new);
        COMMANDS.put("save", SaveCommand::new);
        COMMANDS.put("load", LoadCommand::new);
        COMMANDS.put("import", ImportCommand::new);
        COMMANDS.put("history", ImageHistoryCommand::new);
        COMMANDS.put("image", () -> ImageGroupCommand.line().addSubcommand("build", BuildCommand.spec()));
        COMMANDS.put("container", Main::container);
        COMMANDS.put("network", NetworkCommand::line);
        COMMANDS.put("secret", SecretGroupCommand::line);
        COMMANDS.put("snapshot", SnapshotGroupCommand::line);
        COMMANDS.put("system", Main::system);
        COMMANDS.put("volume", VolumeGroupCommand::line);
        COMMANDS.put("workspace", Main::workspace);
        COMMANDS.put("verify", VerifyCommand::new);
        COMMANDS.put("stats", StatsCommand::new);
        COMMANDS.put("serve", ServeCommand::new);
        COMMANDS.put("selftest", SelftestCommand::new);
        COMMANDS.put("info", InfoCommand::new);
        COMMANDS.put("audit", AuditCommand::new);
        COMMANDS.put("scan", ScanCommand::new);
        COMMANDS.put("seccomp", SeccompCommand::new);
        COMMANDS.put("version", VersionCommand::new);
        COMMANDS.put("completion", CompletionCommand::new);
        COMMANDS.put("help", HelpCommand::new);
        COMMANDS.put("rehearse", RehearseCommand::new);
    }

    private static final List<String> CONTAINER_COMMANDS = List.of(
            "run", "exec", "create", "start", "inspect", "logs", "attach", "top", "port", "cp", "diff", "commit",
            "export", "wait", "stop", "kill", "restart", "pause", "unpause", "rename", "update", "stats", "rm");

    /// The AOT cache is written at the JVM's end; who looks into the resident engine leaves files that the JVM removes.
    private static final Set<String> ENDED_BY_THE_JVM = Set.of("rehearse", "serve");

    private Main() {}

    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals("run")) {
            Engine.preload();
        }
        int status = execute(Caller.process(), () -> CallerText.arguments(args));
        if (args.length == 0 || !ENDED_BY_THE_JVM.contains(args[0])) {
            OwnProcess.end(status); // all is written, and no command leaves a hook
        }
        if (status != 0) {
            System.exit(status);
        }
    }

    /// Runs one command line of a caller and returns its exit status.
    static int execute(Caller caller, Supplier<String[]> given) {
        PrintWriter err = caller.errors().writer();
        Terminal colours = caller.colours();
        String[] args;
        try {
            args = given.get();
        } catch (CommandException e) {
            return report(err, colours, e);
        }
        int status = caller.run(() -> execute(caller.output().strictWriter(), err, colours, args));
        Optional<OutputLostException> lost = caller.output().lost().or(caller.errors()::lost);
        return lost.isPresent() ? report(err, lost.get(), args) : status;
    }

    /// Runs one command line and returns its exit status: the command's own, or an [ExitStatus] if it failed.
    public static int execute(PrintWriter out, PrintWriter err, Terminal terminal, String... given) {
        String[] args = spelledOut(given);
        CommandLine line = commandLine(args);
        Optional<CommandException> unknown = UnknownCommand.in(line, args);
        if (unknown.isPresent()) {
            return report(err, terminal, unknown.get());
        }
        line.setOut(out)
                .setErr(err)
                .setExecutionStrategy(Main::run)
                .setColorScheme(terminal.outputColours())
                .setParameterExceptionHandler((problem, arguments) -> report(err, terminal, usage(problem)))
                .setExecutionExceptionHandler((problem, command, result) ->
                        report(err, terminal, problem, command.getCommandSpec().qualifiedName()));
        int status = line.execute(args);
        try {
            out.flush();
        } catch (OutputLostException e) {
            status = CommandException.ENGINE_FAILED;
        }
        err.flush();
        return status;
    }

    /// Reads nothing as `--help`, `--version` as the command, and `help COMMAND` as `COMMAND --help`.
    private static String[] spelledOut(String... given) {
        if (given.length == 0) {
            return new String[] {"--help"};
        }
        return switch (given[0]) {
            case "-v", "--version" -> new String[] {"version"};
            case "help" ->
                Stream.concat(Arrays.stream(given).skip(1), Stream.of("--help")).toArray(String[]::new);
            default -> given;
        };
    }

    /// Runs the command, or prints the help that was asked for.
    private static int run(ParseResult words) {
        try {
            return new CommandLine.RunLast().execute(words);
        } catch (OutputLostException e) { // in the help; a command's comes wrapped
            return CommandException.ENGINE_FAILED;
        }
    }

    /// True for the first word of a command line that is answered by help or an error.
    static boolean isNoCommand(String word) {
        return word.equals("help") || !COMMANDS.containsKey(word);
    }

    /// True if a group has such a command.
    static boolean hasInGroup(String group, String word) {
        CommandLine line = commandLine(Set.of(group)).getSubcommands().get(group);
        return line != null && line.getSubcommands().containsKey(word);
    }

    /// The tree of all commands, for running, for shell completion and for the manual pages.
    public static CommandLine commandLine() {
        return commandLine(COMMANDS.keySet());
    }

    /// Makes only the command that the words name, as each costs its share of a start; all of them if that
    /// cannot be told.
    private static CommandLine commandLine(String... args) {
        boolean named = args.length > 0 && COMMANDS.containsKey(args[0]);
        return commandLine(named ? Set.of(args[0]) : COMMANDS.keySet());
    }

    private static CommandLine commandLine(Set<String> wanted) {
        var line = new CommandLine(root());
        COMMANDS.forEach((name, command) -> {
            if (wanted.contains(name)) {
                line.addSubcommand(name, command.get());
            }
        });
        addHelp(line);
        line.setUsageHelpAutoWidth(false)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .registerConverter(Path.class, HostPath::convert)
                .setOverwrittenOptionsAllowed(true) // the last one counts, as in aliases and scripts that add options
                .setExpandAtFiles(false) // an argument that starts with @ belongs to the user's program
                .setAbbreviatedOptionsAllowed(false);
        // What stands behind the image belongs to the user's program.
        for (String name : List.of("run", "exec", "create", "top")) {
            stopAtPositional(line, name);
            stopAtPositional(line.getSubcommands().get("container"), name);
        }
        stopAtPositional(line.getSubcommands().get("plan"), "run");
        return line;
    }

    private static CommandSpec root() {
        CommandSpec root = CommandSpec.wrapWithoutInspection(new Main()).name("caisson");
        root.usageMessage()
                .description("Runs Linux containers with every limit on, and shows what the kernel enforces.")
                .synopsisSubcommandLabel("COMMAND");
        return root.addOption(OptionSpec.builder("-v", "--version")
                .type(boolean.class)
                .description("Show the version and exit.")
                .build());
    }

    /// Gives every command its `--help`, and `-h` where that says nothing else: to a run it gives a host name.
    private static void addHelp(CommandLine line) {
        CommandSpec command = line.getCommandSpec();
        String[] names =
                command.optionsMap().containsKey("-h") ? new String[] {"--help"} : new String[] {"-h", "--help"};
        command.addOption(OptionSpec.builder(names)
                .type(boolean.class)
                .usageHelp(true)
                .description("Show this help and exit.")
                .build());
        line.getSubcommands().values().forEach(Main::addHelp);
    }

    /// Docker's other names of the commands for containers, and those that have no other.
    private static CommandLine container() {
        var line = new CommandLine(new ContainerGroupCommand());
        CONTAINER_COMMANDS.forEach(name -> line.addSubcommand(
                name, Objects.requireNonNull(COMMANDS.get(name)).get()));
        line.addSubcommand("ls", new ListCommand());
        line.addSubcommand("prune", new PruneCommand());
        return line;
    }

    private static CommandLine system() {
        return new CommandLine(new SystemCommand())
                .addSubcommand("df", new DiskUseCommand())
                .addSubcommand("events", new EventsCommand())
                .addSubcommand("info", new InfoCommand())
                .addSubcommand("prune", new SystemPruneCommand());
    }

    private static CommandLine workspace() {
        return new CommandLine(new WorkspaceGroupCommand())
                .addSubcommand("create", new WorkspaceCreateCommand())
                .addSubcommand("ls", new WorkspaceListCommand())
                .addSubcommand("inspect", new WorkspaceInspectCommand())
                .addSubcommand("cp", new WorkspaceCopyCommand())
                .addSubcommand("rm", new WorkspaceRemoveCommand())
                .addSubcommand("prune", new WorkspacePruneCommand());
    }

    private static CommandLine plan() {
        return new CommandLine(new PlanCommand()).addSubcommand("run", PlanRunCommand.spec());
    }

    private static void stopAtPositional(@Nullable CommandLine parent, String name) {
        CommandLine command = parent == null ? null : parent.getSubcommands().get(name);
        if (command != null) {
            command.setStopAtPositional(true);
        }
    }

    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson --help'");
    }

    private static CommandException usage(ParameterException problem) {
        if (problem instanceof UnmatchedArgumentException unmatched) {
            for (String argument : unmatched.getUnmatched()) {
                Optional<CommandException> later =
                        refusal(problem.getCommandLine().getCommandSpec().userObject(), argument);
                if (later.isPresent()) {
                    return later.get();
                }
            }
        }
        CommandSpec command = problem.getCommandLine().getCommandSpec();
        String sentence = OneLine.of(problem.getMessage()) + "; " + advice(problem, command);
        // who runs an audit takes its exit status for the answer
        boolean isAudit = command.userObject() instanceof AuditCommand || command.userObject() instanceof ScanCommand;
        int status = isAudit ? AuditCommand.AUDIT_FAILED : ExitStatus.of(command.qualifiedName(), problem);
        return new CommandException("USAGE", status, sentence);
    }

    private static Optional<CommandException> refusal(@Nullable Object command, String argument) {
        if (command instanceof BuildCommand) {
            return LaterBuildOptions.refusal(argument);
        }
        Optional<CommandException> ofPlan =
                command instanceof PlanRunCommand ? PlanRunCommand.refusal(argument) : Optional.empty();
        return ofPlan.or(() -> LaterOptions.refusal(argument));
    }

    private static String advice(ParameterException problem, CommandSpec command) {
        String help = "try '" + command.qualifiedName() + " --help'";
        if (!(problem instanceof UnmatchedArgumentException unmatched)) {
            return help;
        }
        String word = unmatched.getUnmatched().getFirst().replaceFirst("=.*", "");
        return NearWord.of(word, command.optionsMap().keySet())
                .filter(_ -> word.startsWith("--"))
                .map(near -> "did you mean " + near + "?")
                .orElse(help);
    }

    /// Reports lost output, whatever the command made of it.
    private static int report(PrintWriter err, OutputLostException lost, String... args) {
        if (!lost.readerIsGone()) {
            err.println("caisson: OUTPUT_FAILED: " + OneLine.of(lost.getMessage()));
        }
        // who runs an audit takes its exit status for the answer
        boolean isAudit = args.length > 0 && (args[0].equals("audit") || args[0].equals("scan"));
        return lost.exitStatus(isAudit ? AuditCommand.AUDIT_FAILED : CommandException.ENGINE_FAILED);
    }

    private static int report(PrintWriter err, Terminal terminal, CommandException problem) {
        err.println(terminal.alarm(ErrorLine.of(problem)));
        return problem.exitStatus();
    }

    private static int report(PrintWriter err, Terminal terminal, Exception problem, String command) {
        if (problem instanceof OutputLostException) {
            return CommandException.ENGINE_FAILED; // the process says so when it ends
        }
        if (problem instanceof CaissonException known) {
            err.println(terminal.alarm(ErrorLine.of(known)));
            return ExitStatus.of(command, known);
        }
        err.println(terminal.alarm("caisson: INTERNAL: " + OneLine.of(problem.toString())
                + "; this is a defect of Caisson, please report it with the trace below"));
        problem.printStackTrace(err);
        return CommandException.ENGINE_FAILED;
    }
}
