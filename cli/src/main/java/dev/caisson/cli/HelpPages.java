package dev.caisson.cli;

import dev.caisson.cli.caller.Terminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine;

/// The help of every command as a file, whose name is the words that lead to it: the same for everybody, so that the
/// launcher prints it without a JVM. One ends with `.colour` for terminals.
final class HelpPages {
    private HelpPages() {}

    static void write(Path directory) throws IOException {
        Files.createDirectories(directory);
        write(directory, Main.commandLine());
    }

    private static void write(Path directory, CommandLine line) throws IOException {
        String name = line.getCommandSpec().qualifiedName();
        Files.writeString(directory.resolve(name), line.getUsageMessage(Terminal.NONE.outputColours()));
        Files.writeString(
                directory.resolve(name + ".colour"), line.getUsageMessage(new Terminal(true, true).outputColours()));
        for (CommandLine below : line.getSubcommands().values()) {
            write(directory, below);
        }
    }
}
