package dev.caisson.cli.files;

import dev.caisson.engine.ContainerFiles;
import dev.caisson.engine.Engine;
import picocli.CommandLine.Command;

/// `caisson cp`: copies files between a container and the host.
@Command(
        name = "cp",
        sortOptions = false,
        synopsisHeading = "Usage: ",
        customSynopsis = {
            "caisson cp [-aLq] CONTAINER:SRC_PATH DEST_PATH|-",
            "       caisson cp [-aLq] SRC_PATH|- CONTAINER:DEST_PATH"
        },
        description = "Copy files between a container and the host.",
        footer = {
            "%nThe container may run, be paused, not be started yet, or have ended. SRC_PATH/. is what a directory",
            "holds; - is a tar archive on standard input or output. A file or directory takes the name DEST_PATH,",
            "or goes into it if that is a directory. Set-user-ID bits, pipes, sockets and devices are not copied.",
            "%n  caisson cp config.json web:/etc/app/",
            "  caisson cp web:/var/log/. logs",
            "  caisson cp web:/srv - | tar -t"
        })
public final class CopyCommand extends FileCopy {
    @Override
    ContainerFiles open(Engine engine, String name) {
        return engine.files(name);
    }

    @Override
    String word() {
        return "CONTAINER";
    }
}
