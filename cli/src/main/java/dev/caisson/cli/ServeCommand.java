package dev.caisson.cli;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.front.Server;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.NetworkKeeper;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
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
            "%n  systemctl enable --now caisson          # with deploy/systemd/caisson.service"
        })
final class ServeCommand implements Callable<Integer> {
    private static final String HOME = "caisson.home";
    static final String FRONT = "caisson-front";
    private static final Duration WARM_UP_PATIENCE = Duration.ofSeconds(30);
    private static final int MAX_PLACE = 8192;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        Path home = home();
        EngineOptions options = Caller.current().directories();
        var own = new ServedCommands.Own(
                name(home),
                place(home.resolve(FRONT)),
                Caller.current().variable("TZ").orElse(""));
        PrintWriter err = spec.commandLine().getErr();
        try (Engine engine = Engine.open(options);
                Server server = open(options, new ServedCommands(own, options, engine));
                NetworkKeeper _ = keeper(options)) {
            Caller.current().onEnd(server::stop);
            var warmUp = new WarmUp(home, own, options);
            Thread warming =
                    Thread.ofPlatform().daemon().name("caisson-warm-up").start(warmUp);
            err.println("caisson: serving commands below "
                    + OneLine.of(options.state().toString()));
            err.flush();
            server.serve();
            warming.interrupt();
            warming.join(WARM_UP_PATIENCE);
        }
        return 0;
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

    static Server open(EngineOptions options, ServedCommands commands) {
        try (Fd state = FileSystem.open(options.state().toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            return Server.open(state, commands)
                    .orElseThrow(() -> new CommandException(
                            "SERVE_RUNNING",
                            CommandException.ENGINE_FAILED,
                            "another resident engine serves " + options.state() + ": end that one first"));
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
