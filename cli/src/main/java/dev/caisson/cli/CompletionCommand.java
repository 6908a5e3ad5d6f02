package dev.caisson.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson completion`: a script that teaches a shell the commands and options.
@Command(
        name = "completion",
        description = "Print a completion script for a shell.",
        footer = {
            "%nFor this session:   source <(caisson completion bash)",
            "For every session:  caisson completion bash > /etc/bash_completion.d/caisson"
        })
final class CompletionCommand implements Callable<Integer> {
    /// The shells that a script can be made for.
    enum Shell {
        BASH,
        ZSH
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "SHELL", description = "bash or zsh.")
    @SuppressWarnings({"NullAway.Init", "UnusedVariable"}) // required, and one script serves both shells
    private Shell shell;

    @Override
    public Integer call() {
        spec.commandLine().getOut().print(AutoComplete.bash("caisson", Main.commandLine()));
        return 0;
    }
}
