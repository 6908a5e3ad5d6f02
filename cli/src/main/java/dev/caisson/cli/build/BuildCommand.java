package dev.caisson.cli.build;

import dev.caisson.build.BuildException;
import dev.caisson.build.BuildListener;
import dev.caisson.build.BuildRequest;
import dev.caisson.build.BuildResult;
import dev.caisson.build.Builder;
import dev.caisson.cli.caller.Caller;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Images;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;

/// `caisson build`: builds an image from a Dockerfile.
public final class BuildCommand implements Callable<Integer> {
    private static final int INTERRUPTED = 130;

    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this).name("build");
    private final BuildOptions given = new BuildOptions(spec);

    /// The command as picocli knows it.
    public static CommandSpec spec() {
        CommandSpec spec = new BuildCommand().spec;
        spec.usageMessage()
                .sortOptions(false)
                .description("Build an image from a Dockerfile.")
                .footer(
                        "%nEach RUN has a container of its own with every default protection, no network unless --network names one,",
                        "and no path of the host. Steps whose inputs are the same are taken from earlier builds.",
                        "%n  caisson build -t web:1 .",
                        "  caisson build -t web:1 --secret id=npm,src=$HOME/.npmrc --target release .",
                        "  caisson build -t tiny:1 - <Dockerfile",
                        "  caisson build --target release -o out .          # the files of the image, in ./out");
        return spec;
    }

    @Override
    public Integer call() {
        BuildOptions.Wish wish = given.wish();
        PrintWriter err = spec.commandLine().getErr();
        BuildListener shown = BuildProgress.of(
                given.progress(), err, Caller.current().colours().error());
        Thread building = Thread.currentThread();
        Caller.current().onEnd(building::interrupt);
        EngineOptions options = Caller.current().directories();
        try (var sources = given.sources();
                var lease = Caller.current().engine();
                Images images = Images.open(options)) {
            BuildRequest request = given.request(wish, sources);
            BuildResult result = new Builder(lease.engine(), images, options).build(request, shown);
            if (wish.output().isPresent()) {
                wish.output().get().write(result, images, request.latest());
            }
            tell(result, wish, err);
            return 0;
        } catch (InterruptedException e) {
            err.println("caisson: the build was interrupted; what was done stays in the cache");
            return INTERRUPTED;
        } catch (BuildException e) {
            e.place().ifPresent(place -> err.print(Excerpt.of(place)));
            throw e;
        }
    }

    private void tell(BuildResult result, BuildOptions.Wish wish, PrintWriter err) {
        given.idFile().ifPresent(file -> BuildFacts.writeId(Caller.current().path(file), file, result));
        given.factsFile()
                .ifPresent(file -> BuildFacts.writeFacts(Caller.current().path(file), file, result, given.names()));
        if (given.isQuiet()) {
            if (!wish.isPrinted()) {
                spec.commandLine().getOut().println(result.id());
            }
            return;
        }
        err.println("built " + result.id());
        if (given.names().isEmpty() && !wish.isHandedOut()) {
            err.println("named " + result.image().name());
        }
        given.names().forEach(name -> err.println("named " + name));
        err.flush();
    }
}
