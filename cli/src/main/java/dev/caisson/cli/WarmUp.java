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
/// a state directory of their own, so that nobody sees their containers, and builds a store of their own too; these
/// stay, and the next warm-up clears what one that was killed has left.
final class WarmUp implements Runnable {
    private static final System.Logger LOG = System.getLogger(WarmUp.class.getName());
    private static final int ROUNDS = 30;
    private static final int BUILDS = 60;
    private static final int FILES = 40;
    private static final List<List<String>> COMMANDS = List.of(
            List.of("version"),
            List.of("ps", "-a"),
            List.of("logs", "no-such-container"),
            List.of("exec", "no-such-container", "true"),
            List.of("run", "--rm", "host", "--", "true"));

    /// Steps of each kind that needs no container, of which all but the first build take the results.
    private static final String DOCKERFILE = """
            ARG NAME=one
            FROM scratch AS files
            COPY file1 file2 /srv/
            FROM scratch
            ARG NAME
            ENV ONE=$NAME TWO=2
            WORKDIR /srv
            COPY --from=files /srv/file1 .
            COPY . /all/
            LABEL name=$NAME
            EXPOSE 80
            CMD ["run"]
            """;

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
            serve(options, COMMANDS, ROUNDS);
            Path place = options.state().resolveSibling("builds");
            makePrivate(place);
            Path context = Files.createDirectories(place.resolve("context"));
            for (int file = 1; file <= FILES; file++) {
                Files.writeString(context.resolve("file" + file), "content " + file);
            }
            Files.writeString(context.resolve("Dockerfile"), DOCKERFILE);
            serve(
                    new EngineOptions(place, place.resolve("data"), options.driver()),
                    List.of(List.of("build", "-t", "caisson-warm-up:1", context.toString())),
                    BUILDS);
        } catch (IOException | CaissonException e) {
            LOG.log(System.Logger.Level.DEBUG, "the first commands will be slower", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void makePrivate(Path directory) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    private void serve(EngineOptions with, List<List<String>> commands, int rounds)
            throws IOException, InterruptedException {
        makePrivate(with.state());
        try (Engine engine = Engine.open(with);
                Server server = ServeCommand.open(with, new ServedCommands(own, with, engine), sources)) {
            Thread.ofPlatform().daemon().name("caisson-warm-up-server").start(server::serve);
            for (int round = 0; round < rounds; round++) {
                for (List<String> command : commands) {
                    run(command, with);
                }
            }
        }
    }

    private void run(List<String> command, EngineOptions with) throws IOException, InterruptedException {
        var words = new ArrayList<>(List.of(
                home.resolve(ServeCommand.FRONT).toString(),
                ServeCommand.clone(home).toString(),
                own.build()));
        words.addAll(command);
        var process = new ProcessBuilder(words)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        process.environment().put("CAISSON_SERVE", "only");
        process.environment().put("CAISSON_STATE", with.state().toString());
        process.environment().put("CAISSON_DATA", with.data().toString());
        Process running = process.start();
        running.getOutputStream().close();
        running.waitFor();
    }
}
