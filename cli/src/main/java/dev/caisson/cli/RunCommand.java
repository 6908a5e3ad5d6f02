package dev.caisson.cli;

import dev.caisson.engine.Container;
import dev.caisson.engine.Engine;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.Streams;
import dev.caisson.engine.Verdict;
import dev.caisson.launch.Allowance;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.linux.Fd;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `caisson run`: runs a program in a container, its streams passed on, and exits as it did.
@Command(name = "run", description = "Run a program in a container.", sortOptions = false)
final class RunCommand implements Callable<Integer> {
    private static final List<String> FORWARDED = List.of("INT", "TERM", "HUP", "USR2", "WINCH");

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private RunOptions options;

    @Override
    public Integer call() throws InterruptedException {
        ContainerSpec wish = options.spec();
        PrintWriter err = spec.commandLine().getErr();
        wish.allowances().stream().sorted().forEach(allowance -> err.println("caisson: allowed: " + opens(allowance)));
        try (var engine = Engine.open(Directories.options())) {
            return options.terminal ? onTerminal(engine, wish) : onPipes(engine, wish);
        }
    }

    private static String opens(Allowance allowance) {
        return allowance.option() + " opens: " + allowance.opens();
    }

    private int onPipes(Engine engine, ContainerSpec wish) throws InterruptedException {
        Container container = engine.start(
                wish, streams(), new ProgressLine(spec.commandLine().getErr()));
        forward(container, null);
        return tell(container.await());
    }

    private Streams streams() {
        Optional<InputStream> input =
                options.interactive ? Optional.of(new FileInputStream(FileDescriptor.in)) : Optional.empty();
        return new Streams.Copy(
                input,
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                options.outputLimit());
    }

    private int onTerminal(Engine engine, ContainerSpec wish) throws InterruptedException {
        // Never closed: it is the descriptor that this process was started with.
        var terminal = new Fd(options.interactive ? 0 : 1);
        dev.caisson.linux.Terminal.Size size = dev.caisson.linux.Terminal.size(terminal)
                .orElseThrow(() -> new CommandException(
                        "NO_TERMINAL",
                        CommandException.ENGINE_FAILED,
                        "-t needs a terminal here: leave it out, or start caisson from one"));
        Container container = engine.start(
                wish.terminal(size),
                streams(),
                new ProgressLine(spec.commandLine().getErr()));
        forward(container, terminal);
        if (!options.interactive) {
            return tell(container.await());
        }
        dev.caisson.linux.Terminal.Mode before = dev.caisson.linux.Terminal.makeRaw(terminal);
        try {
            return tell(container.await());
        } finally {
            dev.caisson.linux.Terminal.restore(terminal, before);
        }
    }

    /// What is asked of this process is asked of the program; a new size of the terminal is passed on.
    private static void forward(Container container, @Nullable Fd terminal) {
        for (String name : FORWARDED) {
            ProcessSignals.handle(name, number -> {
                if (!name.equals("WINCH")) {
                    container.signal(number);
                } else if (terminal != null) {
                    dev.caisson.linux.Terminal.size(terminal).ifPresent(container::resize);
                }
            });
        }
    }

    private int tell(RunResult result) {
        if (result.verdict() != Verdict.OK && result.verdict() != Verdict.EXIT && result.verdict() != Verdict.SIGNAL) {
            spec.commandLine().getErr().println("caisson: " + result.verdict() + ": " + reason(result));
        }
        if (result.verdict() != Verdict.OK || options.complains()) {
            DenialText.lines(result.denials()).forEach(spec.commandLine().getErr()::println);
        }
        return result.exitStatus();
    }

    private static String reason(RunResult result) {
        return switch (result.verdict()) {
            case WALL_CLOCK ->
                "ended at its deadline, after " + result.wallClock().toMillis() + " ms";
            case CPU_TIME ->
                "ended when its processor time was used up, " + result.cpuTime().toMillis() + " ms";
            case OUTPUT -> "ended when it had written more than its output limit";
            case OUT_OF_MEMORY ->
                "the kernel killed " + result.oomKills() + " of its processes at its memory limit; most in use was "
                        + result.peakMemory() + ": give it more with --memory";
            case PIDS -> "was refused a process " + result.pidsRefused() + " times: give it more with --pids-limit";
            case SECCOMP -> "made a system call for which its filter kills";
            case KILLED -> "was ended";
            case OK, EXIT, SIGNAL -> "";
        };
    }
}
