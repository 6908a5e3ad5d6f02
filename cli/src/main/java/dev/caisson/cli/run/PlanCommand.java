package dev.caisson.cli.run;

import dev.caisson.cli.caller.CommandException;
import picocli.CommandLine.Command;

/// `caisson plan`: what another command would do, without doing it.
@Command(name = "plan", description = "Show what a command would do, step by step, without doing it.")
public final class PlanCommand implements Runnable {
    @Override
    public void run() {
        throw CommandException.usage("say what to plan: 'caisson plan run IMAGE COMMAND'");
    }
}
