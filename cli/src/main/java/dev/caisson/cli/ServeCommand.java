package dev.caisson.cli;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.caller.ProcessSignals;
import dev.caisson.cli.caller.ResidentEngine;
import dev.caisson.cli.front.Server;
import dev.caisson.cli.front.SourceWatch;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.NetworkKeeper;
import dev.caisson.engine.OwnSession;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `caisson serve`: the resident engine. It runs the commands of front ends, which saves each the start of a JVM;
/// containers that outlive their command do not depend on it.
@Command(
        name = "serve",
        sortOptions = false,
        description = "Run commands for other processes of root until it is ended, so that each takes milliseconds.",
        footer = {
            "%nIt listens in the state directory and serves commands of the same build alone. If it is not there, or",
            "cannot serve a command, that runs as without it. CAISSON_SERVE=off keeps a command away from it,",
            "CAISSON_SERVE=only makes it an error if it cannot serve.",
            "%nA command that starts a container in the background which needs it, for names or published ports, starts",
            "one with --on-demand if there is none; not with CAISSON_SERVE=off. One that is started by hand replaces it.",
            "%n  systemctl enable --now caisson          # with deploy/systemd/caisson.service"
        })
final class ServeCommand implements Callable<Integer> {
    private static final String HOME = "caisson.home";
    static final String FRONT = "caisson-front";
    private static final Duration WARM_UP_PATIENCE = Duration.ofSeconds(30);
    private static final Duration ON_DEMAND = Duration.ofMinutes(1);
    private static final int MAX_PLACE = 8192;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = "--on-demand",
            description = "Leave the caller's session, as a command has it that needs one for a container on networks;"
                    + " end after a minute without a command and without such a container.")
    private boolean onDemand;

    @Option(
            names = "--idle",
            paramLabel = "DURATION",
            description = "End after such a time without a command and without a container that needs it"
                    + " (default: never; 1m with --on-demand).")
    private @Nullable String idle;

    private final AtomicBoolean ended = new AtomicBoolean();
    private final AtomicBoolean makesRoom = new AtomicBoolean();
    private final AtomicReference<@Nullable Server> current = new AtomicReference<>();

    @Override
    public Integer call() throws IOException, InterruptedException {
        Optional<Duration> patience = Optional.ofNullable(idle)
                .map(text -> OptionText.duration("--idle", text))
                .or(() -> onDemand ? Optional.of(ON_DEMAND) : Optional.empty());
        Path home = home();
        EngineOptions options = Caller.current().directories();
        if (onDemand) {
            OwnSession.begin();
        }
        var own = new ServedCommands.Own(
                name(home),
                place(home.resolve(FRONT)),
                Caller.current().variable("TZ").orElse(""));
        Caller.current().onSignal(this::take);
        Caller.share();
        try (Engine engine = Engine.open(options);
                SourceWatch sources = SourceWatch.of(clone(home))) {
            var commands = new ServedCommands(own, options, engine);
            var warmUp = new WarmUp(home, own, options, sources);
            Thread warming =
                    Thread.ofPlatform().daemon().name("caisson-warm-up").unstarted(warmUp);
            while (serve(options, commands, sources, patience, warming) && NetworkKeeper.isNeeded(options)) {
                current.set(null); // a container was started while it ended
            }
            warming.interrupt();
            warming.join(WARM_UP_PATIENCE);
        }
        return 0;
    }

    private void take(int signal) {
        if (ProcessSignals.asksToEnd(signal)) {
            ended.set(true);
        } else if (onDemand && signal == Predecessor.MAKE_ROOM) {
            makesRoom.set(true);
        } else {
            return;
        }
        Server server = current.get();
        if (server != null) {
            server.stop();
        }
    }

    /// Serves until it is ended, or nobody needs it.
    /// @return true in the second case
    private boolean serve(
            EngineOptions options,
            ServedCommands commands,
            SourceWatch sources,
            Optional<Duration> patience,
            Thread warming)
            throws InterruptedException {
        Optional<Server> opened = onDemand
                ? Predecessor.unlessThere(options, () -> tryOpen(options, commands, sources))
                : Optional.of(Predecessor.displaced(options, () -> tryOpen(options, commands, sources)));
        if (opened.isEmpty()) {
            return false;
        }
        try (Server server = opened.get();
                NetworkKeeper keeper = keeper(options)) {
            Predecessor.note(options, onDemand);
            current.set(server);
            if (warming.getState() == Thread.State.NEW) {
                warming.start();
                PrintWriter err = spec.commandLine().getErr();
                err.println("caisson: serving commands below "
                        + OneLine.of(options.state().toString()));
                err.flush();
            }
            try (var _ = IdleWatch.of(patience, server, keeper, ResidentEngine.log(options))) {
                if (!ended.get() && !makesRoom.get()) {
                    server.serve();
                }
            }
            server.finish(() -> !ended.get());
            return !ended.get() && !makesRoom.get();
        }
    }

    private static NetworkKeeper keeper(EngineOptions options) {
        return NetworkKeeper.open(options)
                .orElseThrow(() -> new CommandException(
                        "SERVE_RUNNING",
                        CommandException.ENGINE_FAILED,
                        "another process answers names for " + options.state() + ": end that one first"));
    }

    static String name(Path home) {
        return home.getFileName().toString();
    }

    /// Returns the clone that a build is in.
    static Path clone(Path home) {
        return home.resolve("../..").normalize();
    }

    private static Path home() {
        String home = System.getProperty(HOME, "");
        if (home.isEmpty()) {
            throw new CommandException(
                    "SERVE_UNBUILT",
                    CommandException.ENGINE_FAILED,
                    "the build has no front end: start it by ./caisson serve");
        }
        return Path.of(home);
    }

    /// Returns what a front end would send that is started as this process was.
    private static String place(Path front) throws IOException, InterruptedException {
        Process asked = new ProcessBuilder(front.toString(), "--place")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        asked.getOutputStream().close();
        byte[] place = asked.getInputStream().readNBytes(MAX_PLACE);
        if (asked.waitFor() != 0 || place.length == 0) {
            throw new CommandException(
                    "SERVE_PLACE",
                    CommandException.ENGINE_FAILED,
                    "the front end " + front + " cannot read /proc/self: mount proc");
        }
        return new String(place, StandardCharsets.UTF_8);
    }

    static Server open(EngineOptions options, ServedCommands commands, SourceWatch sources) {
        return tryOpen(options, commands, sources).orElseThrow(() -> Predecessor.inTheWay(options));
    }

    private static Optional<Server> tryOpen(EngineOptions options, ServedCommands commands, SourceWatch sources) {
        try (Fd state = FileSystem.open(options.state().toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            return Server.open(state, commands, sources);
        } catch (ErrnoException e) {
            throw new CommandException(
                    "SERVE_REFUSED",
                    CommandException.ENGINE_FAILED,
                    "cannot listen in " + options.state().resolve(Server.DIRECTORY) + " (" + e.getMessage()
                            + "): remove what is there",
                    e);
        }
    }
}
