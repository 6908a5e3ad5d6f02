package dev.caisson.cli;

import dev.caisson.cli.caller.Terminal;
import dev.caisson.hostaudit.Rehearsal;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/// `caisson rehearse`: runs commands that leave nothing but the image store, unseen, so that the JVM can
/// record the classes of everyday use in its AOT cache. The build calls it; a later command is added here
/// when its start should be quick.
@Command(name = "rehearse", hidden = true, description = "Run harmless commands for the AOT cache.")
final class RehearseCommand implements Callable<Integer> {
    private static final List<List<String>> COMMANDS = List.of(
            List.of("--help"),
            List.of("version"),
            List.of("info"),
            List.of("plan", "run", "--memory", "256m", "host", "--", "true"),
            List.of("run", "--rm", "host", "--", "true"),
            List.of("seccomp", "compile", "strict"),
            List.of("ps", "-a"),
            List.of("logs", "no-such-container"),
            List.of("audit", "--docker", "unix:///nonexistent"),
            List.of("version", "--help"),
            List.of("version", "--format", "json"),
            List.of("version", "--no-such-option"));

    @Override
    public Integer call() {
        for (List<String> command : COMMANDS) {
            var nowhere = new PrintWriter(Writer.nullWriter());
            Main.execute(nowhere, nowhere, Terminal.NONE, command.toArray(String[]::new));
        }
        Rehearsal.run();
        return 0;
    }
}
