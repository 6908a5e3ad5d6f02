package dev.caisson.cli.system;

import dev.caisson.cli.caller.CommandException;
import picocli.CommandLine.Command;

/// `caisson selftest`: proofs that a reader can run on a machine of theirs.
@Command(
        name = "selftest",
        description = "Prove on this machine what is promised.",
        subcommands = {SelftestDosCommand.class})
public final class SelftestCommand implements Runnable {
    @Override
    public void run() {
        throw CommandException.usage("give what to prove, as 'caisson selftest dos'");
    }
}
