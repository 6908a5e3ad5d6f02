package dev.caisson.cli.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A root file system of Debian's busybox-static.
final class BusyboxRoot {
    private BusyboxRoot() {}

    static void make(Path root) throws IOException {
        Path programs = Files.createDirectories(root.resolve("bin"));
        Path busybox = Files.copy(Path.of("/bin/busybox"), programs.resolve("busybox"));
        for (String program : List.of("sh", "sleep", "true", "kill", "pwd", "echo")) {
            Files.createLink(programs.resolve(program), busybox);
        }
        for (String empty : List.of("etc", "tmp")) {
            Files.createDirectory(root.resolve(empty));
        }
    }
}
