package dev.caisson.cli.image;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.InputFile;
import dev.caisson.engine.Images;
import dev.caisson.engine.ImportOptions;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson import`: makes an image of a root file system.
@Command(
        name = "import",
        sortOptions = false,
        description = "Make an image of one layer of a tar archive of a root file system.",
        footer = {
            "%nThe archive may be compressed (gzip, zstd, xz, bzip2). An address is not fetched: give what curl writes.",
            "%n  caisson import root.tar.gz base:1",
            "  caisson export box | caisson import -c 'CMD [\"sh\"]' - flat:1"
        })
public final class ImportCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-c", "--change"},
            paramLabel = "INSTRUCTION",
            description =
                    "Instruction of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or"
                            + " WORKDIR. Repeatable.")
    private List<String> changes = List.of();

    @Option(
            names = {"-m", "--message"},
            paramLabel = "TEXT",
            description = "Comment in the image's history.")
    private @Nullable String message;

    @Option(
            names = "--platform",
            paramLabel = "OS/ARCHITECTURE",
            description = "Refuse unless it is this machine's, which is what the image gets.")
    private @Nullable String platform;

    @Parameters(index = "0", paramLabel = "FILE", description = "The archive; - is standard input.")
    private String file = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "NAME", description = "Name of the image: REPOSITORY[:TAG].")
    private @Nullable String name;

    @Override
    public Integer call() {
        Platforms.requireOwn(platform);
        if (file.startsWith("http://") || file.startsWith("https://")) {
            throw CommandException.refused(
                    "import " + file, "an address is not fetched: pipe it in, curl -fL … | caisson" + " import - NAME");
        }
        Optional<ImageReference> wanted = Optional.ofNullable(name).map(ImageReference::parse);
        var how = new ImportOptions(Optional.ofNullable(message), changes);
        try (Images images = Images.open(Caller.current().directories());
                InputStream in = InputFile.open(file, "a FILE")) {
            StoredImage made = images.importRoot(in, InputFile.shown(file), how, wanted);
            spec.commandLine().getOut().println(images.describe(made).id());
        } catch (IOException e) {
            throw new CommandException("FILE_NOT_READ", 1, file + " cannot be closed: " + e.getMessage(), e);
        }
        return 0;
    }
}
