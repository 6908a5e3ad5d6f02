package dev.caisson.cli.seccomp;

import dev.caisson.cli.caller.CommandException;
import picocli.CommandLine.Command;

/// `caisson seccomp`: profiles and filters of system calls, those in files and those that processes run under.
@Command(
        name = "seccomp",
        description = "Work with system call profiles and filters.",
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            SeccompCompileCommand.class,
            SeccompExplainCommand.class,
            SeccompDiffCommand.class,
            SeccompLintCommand.class,
            SeccompVerifyCommand.class,
            SeccompMergeCommand.class,
            SeccompExportCommand.class,
            SeccompRecordCommand.class,
            SeccompWatchCommand.class
        })
public final class SeccompCommand implements Runnable {
    @Override
    public void run() {
        throw CommandException.usage("no command given; try 'caisson seccomp --help'");
    }
}
