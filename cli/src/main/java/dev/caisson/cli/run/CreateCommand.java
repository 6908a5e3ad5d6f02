package dev.caisson.cli.run;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.ResidentEngine;
import dev.caisson.cli.option.DetachOptions;
import dev.caisson.cli.option.ImageOptions;
import dev.caisson.cli.option.RunOptions;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.DetachedOptions;
import dev.caisson.engine.NetworkKeeper;
import dev.caisson.spec.ContainerSpec;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;

/// `caisson create`: makes a container that is started later.
public final class CreateCommand implements Callable<Integer> {
    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this).name("create");
    private final RunOptions options = new RunOptions(spec);
    private final DetachOptions detach = new DetachOptions(spec, true);
    private final ImageOptions images = new ImageOptions(spec);

    public static CommandSpec spec() {
        CommandSpec spec = new CreateCommand().spec;
        spec.usageMessage()
                .description("Create a container that 'caisson start' starts, and print its id.")
                .sortOptions(false);
        return spec;
    }

    @Override
    public Integer call() throws InterruptedException {
        DetachedContainer made = create(options, detach, images, spec);
        spec.commandLine().getOut().println(made.id().value());
        return 0;
    }

    static DetachedContainer create(RunOptions options, DetachOptions detach, ImageOptions images, CommandSpec command)
            throws InterruptedException {
        ContainerSpec given = DetachOptions.withTerminal(options.spec(), options.terminal());
        DetachedOptions kept = detach.options(options.remove());
        ContainerSpec wanted = images.fetch(given, command.commandLine().getErr());
        detach.prepare();
        try (var lease = Caller.current().engine()) {
            ResidentEngine.startFor(wanted, command.commandLine().getErr());
            DetachedContainer made = lease.engine()
                    .create(wanted, kept, new ProgressLine(command.commandLine().getErr()));
            Foreground.announcements(wanted).forEach(command.commandLine().getErr()::println);
            FilterNotes.of(wanted, Caller.current().directories())
                    .forEach(command.commandLine().getErr()::println);
            if (!NetworkKeeper.isThere(Caller.current().directories())) {
                KeeperNotes.of(wanted).forEach(command.commandLine().getErr()::println);
            }
            detach.write(made.id());
            return made;
        }
    }
}
