package dev.caisson.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine;
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
            "For every session:  caisson completion bash > /etc/bash_completion.d/caisson",
            "                    caisson completion fish > ~/.config/fish/completions/caisson.fish"
        })
final class CompletionCommand implements Callable<Integer> {
    /// The shells that a script can be made for.
    enum Shell {
        BASH,
        ZSH,
        FISH
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "SHELL", description = "bash, zsh or fish.")
    @SuppressWarnings("NullAway.Init") // required
    private Shell shell;

    @Override
    public Integer call() {
        CommandLine all = Main.commandLine();
        spec.commandLine()
                .getOut()
                .print(
                        switch (shell) {
                            case BASH, ZSH -> CompletionScripts.bash(all); // one script serves both
                            case FISH -> CompletionScripts.fish(all);
                        });
        return 0;
    }
}
