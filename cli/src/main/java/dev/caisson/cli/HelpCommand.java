package dev.caisson.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `caisson help COMMAND`, which [Main] reads as `caisson COMMAND --help`.
@Command(name = "help", description = "Show the help of a command.")
final class HelpCommand implements Runnable {
    @Parameters(arity = "0..*", paramLabel = "COMMAND", description = "The command; none for the list of all.")
    @SuppressWarnings("UnusedVariable") // for the help and the completion of this command itself
    private List<String> words = List.of();

    @Override
    public void run() {
        throw new IllegalStateException("it is read as --help");
    }
}
