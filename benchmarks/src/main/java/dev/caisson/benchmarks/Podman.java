package dev.caisson.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Podman with directories of its own.
///
/// @param directory of its storage and state
record Podman(Path directory) {
    /// Returns a command of it, to be run where version 2 of control groups is hidden.
    List<String> command(List<String> words) {
        var all = new ArrayList<String>(List.of(
                "podman",
                "--root=" + directory.resolve("root"),
                "--runroot=" + directory.resolve("run"),
                "--tmpdir=" + directory.resolve("tmp"),
                "--cgroup-manager=cgroupfs",
                "--runtime=runc"));
        all.addAll(words);
        return Peers.inNamespace(all);
    }

    /// Runs podman with `words`; true if it succeeded.
    boolean run(String... words) throws IOException, InterruptedException {
        return new ProcessBuilder(command(List.of(words)))
                        .redirectErrorStream(true)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start()
                        .waitFor()
                == 0;
    }
}
