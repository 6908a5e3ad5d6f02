package dev.caisson.cli;

import dev.caisson.cli.front.Server;
import dev.caisson.cli.front.SourceWatch;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/// Runs a few commands as front ends have them run, because code of the AOT cache is slow at first. They have
/// a state directory of their own, so that nobody sees their containers; it stays, and the next warm-up
/// clears what one that was killed has left.
final class WarmUp implements Runnable {
    private static final System.Logger LOG = System.getLogger(WarmUp.class.getName());
    private static final int ROUNDS = 30;
    private static final List<List<String>> COMMANDS = List.of(
            List.of("version"),
            List.of("ps", "-a"),
            List.of("logs", "no-such-container"),
            List.of("exec", "no-such-container", "true"),
            List.of("run", "--rm", "host", "--", "true"));

    private final Path home;
    private final ServedCommands.Own own;
    private final EngineOptions options;
    private final SourceWatch sources;

    /// @param home of the build
    /// @param served options of the engine that is warmed up
    WarmUp(Path home, ServedCommands.Own own, EngineOptions served, SourceWatch sources) {
        this.home = home;
        this.own = own;
        this.sources = sources;
        this.options = new EngineOptions(
                served.state().resolve(Server.DIRECTORY).resolve("warm-up"), served.data(), served.driver());
    }

    @Override
    public void run() {
        try {
            Files.createDirectories(
                    options.state(),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            try (Engine engine = Engine.open(options);
                    Server server = ServeCommand.open(options, new ServedCommands(own, options, engine), sources)) {
                Thread.ofPlatform().daemon().name("caisson-warm-up-server").start(server::serve);
                runAll();
            }
        } catch (IOException | CaissonException e) {
            LOG.log(System.Logger.Level.DEBUG, "the first commands will be slower", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void runAll() throws IOException, InterruptedException {
        for (int round = 0; round < ROUNDS; round++) {
            for (List<String> command : COMMANDS) {
                run(command);
            }
        }
    }

    private void run(List<String> command) throws IOException, InterruptedException {
        var words = new ArrayList<>(List.of(
                home.resolve(ServeCommand.FRONT).toString(),
                ServeCommand.clone(home).toString(),
                own.build()));
        words.addAll(command);
        var process = new ProcessBuilder(words)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        process.environment().put("CAISSON_SERVE", "only");
        process.environment().put("CAISSON_STATE", options.state().toString());
        Process running = process.start();
        running.getOutputStream().close();
        running.waitFor();
    }
}
