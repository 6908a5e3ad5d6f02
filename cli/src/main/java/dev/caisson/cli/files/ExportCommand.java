package dev.caisson.cli.files;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OutputFile;
import dev.caisson.cli.container.DetachedLookup;
import dev.caisson.engine.DetachedContainer;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `caisson export`: writes the root file system of a container as a tar archive.
@Command(
        name = "export",
        sortOptions = false,
        description = "Write the root file system of a container as a tar archive.",
        footer = {
            "%nThe container was created, or runs with -d; it may run, be paused, or have ended. The archive has its",
            "image's files with its changes. What is mounted is not in it: volumes, tmpfs, secrets, and files that",
            "each start makes; nor are sockets and devices. Pause it for the files of one moment.",
            "%n  caisson export -o box.tar box",
            "  caisson export box | tar -t"
        })
public final class ExportCommand implements Callable<Integer> {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            defaultValue = "-",
            description = "File to write (default: standard output).")
    private String output = "-";

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "Its name, or the beginning of its id.")
    private String name = "";

    @Override
    public Integer call() throws InterruptedException {
        DetachedContainer container =
                DetachedLookup.require(name, Caller.current().directories());
        OutputFile.write(output, container::writeRoot);
        return 0;
    }
}
