package dev.caisson.cli.files;

import dev.caisson.engine.ContainerFiles;
import dev.caisson.engine.Engine;
import dev.caisson.spec.WorkspaceName;
import picocli.CommandLine.Command;

/// `caisson workspace cp`: copies files between a workspace and the host.
@Command(
        name = "cp",
        sortOptions = false,
        synopsisHeading = "Usage: ",
        customSynopsis = {
            "caisson workspace cp [-aLq] WORKSPACE:SRC_PATH DEST_PATH|-",
            "       caisson workspace cp [-aLq] SRC_PATH|- WORKSPACE:DEST_PATH"
        },
        description = "Copy files between a workspace and the host.",
        footer = {
            "%nContainers may use it meanwhile. SRC_PATH/. is what a directory holds; - is a tar archive on standard",
            "input or output. No link of a container leads out of the workspace, or on the host anywhere.",
            "%n  caisson workspace cp src/. job:/",
            "  caisson workspace cp job:/out/result .",
            "  caisson workspace cp job:/ - | tar -t"
        })
public final class WorkspaceCopyCommand extends FileCopy {
    @Override
    ContainerFiles open(Engine engine, String name) {
        return engine.files(new WorkspaceName(name));
    }

    @Override
    String word() {
        return "WORKSPACE";
    }
}
