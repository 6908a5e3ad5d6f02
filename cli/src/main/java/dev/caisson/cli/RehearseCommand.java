package dev.caisson.cli;

import dev.caisson.build.BuildListener;
import dev.caisson.build.BuildRequest;
import dev.caisson.build.Builder;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.containerfile.Source;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Images;
import dev.caisson.error.CaissonException;
import dev.caisson.hostaudit.Rehearsal;
import dev.caisson.image.RegistryLogins;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Network;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `caisson rehearse`: runs commands that leave nothing but the image store, and builds an image, unseen, so that the
/// JVM can record the classes of everyday use in its AOT cache. The build calls it; a later command is added here when
/// its start should be quick. Writes the help of each command too, which `./caisson` prints without a JVM.
@Command(name = "rehearse", hidden = true, description = "Run harmless commands for the AOT cache.")
final class RehearseCommand implements Callable<Integer> {
    private static final System.Logger LOG = System.getLogger(RehearseCommand.class.getName());
    private static final List<List<String>> COMMANDS = List.of(
            List.of("--help"),
            List.of("version"),
            List.of("info"),
            List.of("plan", "run", "--memory", "256m", "host", "--", "true"),
            List.of("run", "--rm", "host", "--", "true"),
            List.of("seccomp", "compile", "strict"),
            List.of("ps", "-a"),
            List.of("logs", "no-such-container"),
            List.of("images"),
            List.of("pull", "127.0.0.1:1/nothing:1"),
            List.of("build", "/nonexistent"),
            List.of("audit", "--docker", "unix:///nonexistent"),
            List.of("version", "--help"),
            List.of("version", "--format", "json"),
            List.of("version", "--no-such-option"));

    @Parameters(arity = "0..1", paramLabel = "DIRECTORY", description = "Where the help is written to.")
    private @Nullable Path help;

    @Override
    public Integer call() throws IOException {
        if (help != null) {
            HelpPages.write(help);
        }
        for (List<String> command : COMMANDS) {
            var nowhere = new PrintWriter(Writer.nullWriter());
            Main.execute(nowhere, nowhere, Terminal.NONE, command.toArray(String[]::new));
        }
        Rehearsal.run();
        build();
        return 0;
    }

    /// Builds an image twice, in a store of its own.
    private static void build() {
        String name = "caisson-rehearsal-" + ProcessHandle.current().pid();
        Path all = Path.of(System.getProperty("java.io.tmpdir"));
        try (Fd parent = FileSystem.open(all.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            FileSystem.makeDirectory(parent, name, 0700);
            try {
                buildIn(all.resolve(name));
            } finally {
                FileSystem.removeTree(parent, name);
            }
        } catch (IOException | CaissonException e) {
            LOG.log(System.Logger.Level.DEBUG, "the first build will be slower", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void buildIn(Path place) throws IOException, InterruptedException {
        Path context = Files.createDirectory(place.resolve("context"));
        Files.writeString(context.resolve("a"), "a");
        var options = new EngineOptions(place.resolve("state"), place.resolve("data"));
        var request = new BuildRequest(
                Source.of("Dockerfile", "FROM scratch\nWORKDIR /srv\nCOPY a .\nCMD [\"run\"]\n"),
                Optional.of(context),
                Optional.empty(),
                List.of(),
                Map.of(),
                Optional.empty(),
                Map.of(),
                Map.of(),
                Network.none(),
                true,
                false,
                Optional.empty(),
                RegistryLogins.none());
        try (Engine engine = Engine.open(options);
                Images images = Images.open(options)) {
            var builder = new Builder(engine, images, options);
            builder.build(request, BuildListener.none());
            builder.build(request, BuildListener.none());
        }
    }
}
