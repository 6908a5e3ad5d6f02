package dev.caisson.cli.run;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CallersTerminal;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.caller.SignalForwarding;
import dev.caisson.cli.caller.StandardStream;
import dev.caisson.cli.option.DetachKeys;
import dev.caisson.cli.option.EnvironmentOptions;
import dev.caisson.cli.text.EndText;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Exec;
import dev.caisson.engine.ExecResult;
import dev.caisson.engine.RunningContainer;
import dev.caisson.engine.RunningExec;
import dev.caisson.engine.Streams;
import dev.caisson.engine.Verdict;
import dev.caisson.image.Image;
import dev.caisson.linux.Fd;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson exec`: runs one more program in a container that runs, its streams passed on, and exits as it did.
@Command(
        name = "exec",
        sortOptions = false,
        description = "Run one more program in a container that runs.",
        footer = {
            "%nIt has the limits, capabilities and filter of the container, and ends with this command; with -d it goes on,",
            "without streams, and 'caisson events' shows its end. One that is left by --detach-keys goes on too.",
            "%n  caisson exec web ps -ef",
            "  caisson exec -it web sh",
            "  caisson exec -it --detach-keys ctrl-p,ctrl-q web make",
            "  caisson exec --timeout 5s -u nobody web /box/check"
        })
public final class ExecCommand implements Callable<Integer> {
    private static final int LEFT = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-i", "--interactive"},
            description = "Pass standard input on.")
    private boolean interactive;

    @Option(
            names = {"-t", "--tty"},
            description = "Give it a terminal.")
    private boolean terminal;

    @Option(
            names = {"-u", "--user"},
            paramLabel = "USER[:GROUP]",
            description = "Run as this user of the container (default: the container's).")
    private @Nullable String user;

    @Option(
            names = {"-w", "--workdir"},
            paramLabel = "DIR",
            description = "Start in this directory of the container (default: the container's).")
    private @Nullable String directory;

    @Option(
            names = {"-e", "--env"},
            paramLabel = "NAME[=VALUE]",
            description = "Set a variable, or pass it on from here.")
    private List<String> variables = List.of();

    @Option(names = "--env-file", paramLabel = "FILE", description = "Read variables from a file, a line each.")
    private List<String> files = List.of();

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            description = "Kill it after this time, with all that it has started: 500ms, 10s, 2m.")
    private @Nullable String timeout;

    @Option(
            names = {"-d", "--detach"},
            description = "Let it run on without streams; the container's monitor keeps it.")
    private boolean detach;

    @Option(names = "--privileged", hidden = true)
    private boolean privileged;

    @Option(
            names = "--detach-keys",
            paramLabel = "KEYS",
            description = "Keys that leave it running, with -it, in a container of run -d: ctrl-p,ctrl-q.")
    private @Nullable String detachKeys;

    private @Nullable KeyedInput keyed;

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "A name, or the beginning of an id.")
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private String container;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "COMMAND",
            description = "The program in the container, and its arguments.")
    private List<String> command = List.of();

    @Override
    public Integer call() throws InterruptedException {
        if (privileged) {
            throw CommandException.refused(
                    "--privileged", "it has the container's capabilities: run the container with those that it needs");
        }
        requireKeys();
        Exec wish = wish();
        if (detach) {
            return inBackground(wish);
        }
        PrintWriter err = spec.commandLine().getErr();
        SignalForwarding signals = SignalForwarding.begin(err);
        try (var lease = Caller.current().engine()) {
            return terminal ? onTerminal(lease.engine(), wish, signals) : onPipes(lease.engine(), wish, signals);
        }
    }

    private int inBackground(Exec wish) throws InterruptedException {
        if (interactive || terminal) {
            throw CommandException.refused(
                    interactive ? "--interactive" : "--tty",
                    "a program that nobody waits for has no streams: leave -d out");
        }
        try (var lease = Caller.current().engine()) {
            lease.engine().execAlone(container, wish);
            return 0;
        }
    }

    /// Refuses keys that nobody could press, or that would leave what nobody keeps.
    private void requireKeys() {
        if (detachKeys == null) {
            return;
        }
        DetachKeys.parse(detachKeys);
        if (detach || !terminal || !interactive) {
            throw CommandException.refused("--detach-keys", "keys are read from a terminal: add -it, without -d");
        }
        if (timeout != null) {
            throw CommandException.refused(
                    "--detach-keys", "nobody would end what was left at its --timeout: leave one of the two out");
        }
        EngineOptions options = Caller.current().directories();
        if (DetachedContainer.find(container, options).isEmpty()
                && RunningContainer.find(container, options).isPresent()) {
            throw CommandException.refused(
                    "--detach-keys",
                    "container " + OneLine.of(container)
                            + " ends with the command that runs it, which would not keep the program: run it with -d");
        }
    }

    private Exec wish() {
        boolean marked = command.size() > 1 && command.getFirst().equals("--"); // as behind the image of a run
        Exec wish =
                Exec.of(marked ? command.subList(1, command.size()) : command).outputLimit(Bytes.UNLIMITED);
        wish = user == null ? wish : wish.user(user);
        wish = directory == null ? wish : wish.workingDirectory(directory);
        wish = timeout == null ? wish : wish.timeout(OptionText.duration("--timeout", timeout));
        Map<String, String> all = EnvironmentOptions.apply(ContainerSpec.of(Image.host()), files, variables)
                .environment();
        for (Map.Entry<String, String> variable : all.entrySet()) {
            wish = wish.environment(variable.getKey(), variable.getValue());
        }
        return wish;
    }

    private RunningExec start(Engine engine, Exec wish, SignalForwarding signals, @Nullable Fd from) {
        Caller caller = Caller.current();
        Optional<InputStream> input = interactive ? Optional.of(keyed(caller.input())) : Optional.empty();
        signals.hold();
        RunningExec exec = engine.startExec(container, wish, new Streams.Copy(input, caller.output(), caller.errors()));
        signals.to(new SignalForwarding.Target(exec::signal, exec::kill, exec::resize));
        if (from != null) {
            signals.resizes(from);
        }
        caller.output().onFailure(exec::kill);
        caller.errors().onFailure(exec::kill);
        return exec;
    }

    private InputStream keyed(InputStream input) {
        if (detachKeys == null) {
            return input;
        }
        var with = new KeyedInput(input, DetachKeys.parse(detachKeys));
        keyed = with;
        return with;
    }

    private int onPipes(Engine engine, Exec wish, SignalForwarding signals) throws InterruptedException {
        try (RunningExec exec = start(engine, wish, signals, null)) {
            return tell(exec.await());
        }
    }

    private int onTerminal(Engine engine, Exec wish, SignalForwarding signals) throws InterruptedException {
        CallersTerminal terminal = CallersTerminal.find(interactive);
        Exec sized = wish.terminal(terminal.size());
        Optional<ExecResult> result = interactive && terminal.from() != null
                ? onRawTerminal(engine, sized, signals, terminal.from())
                : onTerminal(engine, sized, signals, terminal.from());
        if (result.isEmpty()) {
            spec.commandLine().getErr().println("read escape sequence");
            return LEFT;
        }
        return tell(result.get());
    }

    /// @return empty if it was left
    private Optional<ExecResult> onTerminal(Engine engine, Exec wish, SignalForwarding signals, @Nullable Fd from)
            throws InterruptedException {
        try (RunningExec exec = start(engine, wish, signals, from)) {
            KeyedInput keys = keyed;
            if (keys != null) {
                keys.awaitPressed(exec.onExit());
                boolean left = keys.isPressed() && exec.leave();
                keys.release();
                if (left) {
                    return Optional.empty();
                }
            }
            return Optional.of(exec.await());
        }
    }

    /// The terminal is raw before the program writes its first line.
    private Optional<ExecResult> onRawTerminal(Engine engine, Exec wish, SignalForwarding signals, Fd from)
            throws InterruptedException {
        dev.caisson.linux.Terminal.Mode before = dev.caisson.linux.Terminal.makeRaw(from);
        try {
            return onTerminal(engine, wish, signals, from);
        } finally {
            dev.caisson.linux.Terminal.restore(from, before);
        }
    }

    private int tell(ExecResult result) {
        Caller caller = Caller.current();
        for (StandardStream stream : List.of(caller.output(), caller.errors())) {
            stream.lost().ifPresent(lost -> {
                throw lost;
            });
        }
        PrintWriter err = spec.commandLine().getErr();
        if (result.verdict() == Verdict.WALL_CLOCK) {
            err.println("caisson: killed at its timeout of " + timeout + ", with all that it had started");
        } else if (result.verdict() == Verdict.SECCOMP) {
            err.println("caisson: killed by the filter of system calls");
        }
        EndText.ofExec(result).forEach(err::println);
        result.streamFailures().forEach(failure -> err.println("caisson: " + OneLine.of(failure.toString())));
        return result.exitStatus();
    }
}
