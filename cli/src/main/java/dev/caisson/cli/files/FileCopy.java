package dev.caisson.cli.files;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.caller.OutputLostException;
import dev.caisson.engine.ContainerFiles;
import dev.caisson.engine.CopyOptions;
import dev.caisson.engine.CopyReport;
import dev.caisson.engine.Engine;
import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// A command that copies files between the host and something that has a name and files.
abstract class FileCopy implements Callable<Integer> {
    static final int FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-a", "--archive"},
            description = "Keep the numbers of user and group (default: root in a container, you on the host).")
    private boolean archive;

    @Option(
            names = {"-L", "--follow-link"},
            description = "Copy what SRC_PATH leads to if it is a symbolic link.")
    private boolean followLink;

    @Option(
            names = {"-q", "--quiet"},
            description = "Show no progress; without a terminal none is shown.")
    private boolean quiet;

    @Parameters(index = "0", paramLabel = "SRC", description = "Where it is copied from.")
    private String source = "";

    @Parameters(index = "1", paramLabel = "DEST", description = "Where it is copied to.")
    private String destination = "";

    @Override
    public Integer call() {
        CopyOperand from = CopyOperand.parse(source);
        CopyOperand to = CopyOperand.parse(destination);
        if (from.container().isPresent() == to.container().isPresent()) {
            throw new CommandException(
                    "COPY_FORM",
                    FAILED,
                    from.container().isPresent()
                            ? "copying between containers is not supported: copy to the host first, or through a pipe of"
                                    + " two 'caisson cp' with -"
                            : "must specify at least one container source: give " + word() + ":PATH on one side");
        }
        String container = to.container().or(from::container).orElseThrow();
        var progress = new CopyProgress(
                spec.commandLine().getErr(), quiet, to.container().isPresent());
        CopyOptions options = CopyOptions.STANDARD
                .owner(archive ? CopyOptions.Owner.SOURCE : CopyOptions.Owner.ROOT)
                .progress(progress);
        try (var lease = Caller.current().engine();
                ContainerFiles files = open(lease.engine(), container)) {
            CopyReport report = to.container().isPresent()
                    ? new CopyInto(files, followLink, options).copy(from, to)
                    : new CopyOutOf(files, followLink, options).copy(from, to);
            progress.end(destination, report);
        } catch (OutputLostException e) {
            throw e;
        } catch (IOException e) {
            progress.fail();
            Optional<OutputLostException> lost = Caller.current().output().lost();
            if (lost.isPresent()) {
                throw lost.get();
            }
            throw new CommandException(
                    "COPY_STREAM", FAILED, "the copy failed: " + OneLine.of(String.valueOf(e.getMessage())), e);
        } catch (CaissonException e) {
            progress.fail();
            throw new CommandException(e.code(), FAILED, e.sentence(), e);
        }
        tellWhatIsMissing(progress);
        return 0;
    }

    /// Opens the files of the container or workspace that is named before the colon.
    abstract ContainerFiles open(Engine engine, String name);

    /// Returns the word of the help for the part before the colon.
    abstract String word();

    private void tellWhatIsMissing(CopyProgress progress) {
        PrintWriter err = spec.commandLine().getErr();
        if (progress.leftOut() > 0) {
            err.println("caisson: " + progress.leftOut()
                    + " pipes, sockets, devices or directories of the kernel were left out");
        }
    }
}
