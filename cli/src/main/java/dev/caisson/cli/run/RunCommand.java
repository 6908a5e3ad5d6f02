package dev.caisson.cli.run;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CallersTerminal;
import dev.caisson.cli.caller.ResidentEngine;
import dev.caisson.cli.option.AttachOptions;
import dev.caisson.cli.option.DetachOptions;
import dev.caisson.cli.option.ImageOptions;
import dev.caisson.cli.option.RunOptions;
import dev.caisson.engine.Container;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.Engine;
import dev.caisson.engine.RunResult;
import dev.caisson.error.CaissonException;
import dev.caisson.linux.Fd;
import dev.caisson.spec.ContainerSpec;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/// `caisson run`: runs a program in a container, its streams passed on, and exits as it did.
public final class RunCommand implements Callable<Integer> {
    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this).name("run");
    private final RunOptions options = new RunOptions(spec);
    private final DetachOptions detach = new DetachOptions(spec, false);
    private final AttachOptions attach = new AttachOptions(spec);
    private final ImageOptions images = new ImageOptions(spec);

    @SuppressWarnings("NullAway.Init") // set before it is used
    private Foreground foreground;

    /// The command as picocli knows it.
    public static CommandSpec spec() {
        CommandSpec spec = new RunCommand().spec;
        spec.usageMessage().description("Run a program in a container.").sortOptions(false);
        return spec;
    }

    @Override
    public Integer call() throws InterruptedException {
        boolean detached = detach.isDetached();
        attach.require(options, detached);
        if (detached) {
            return inBackground();
        }
        if (attach.mayBeLeft() || (detach.hasOwnLog() && !options.remove())) {
            return attached();
        }
        detach.prepare();
        ContainerSpec wish = images.fetch(options.spec(), spec.commandLine().getErr());
        foreground =
                new Foreground(options, attach.streams(), spec.commandLine().getErr());
        foreground.prepare();
        try (var lease = Caller.current().engine()) {
            return options.terminal() ? onTerminal(lease.engine(), wish) : onPipes(lease.engine(), wish);
        }
    }

    /// One that cannot be started stays as it was created, unless nothing of it is to be kept.
    private int inBackground() throws InterruptedException {
        DetachedContainer made = CreateCommand.create(options, detach, images, spec);
        try {
            made.start();
            ResidentEngine.startFor(made, spec.commandLine().getErr());
        } catch (CaissonException e) {
            if (options.remove()) {
                made.removeWithVolumes(true);
            }
            throw e;
        }
        spec.commandLine().getOut().println(made.id().value());
        return 0;
    }

    /// One that may go on when this command ends, or has a log of its own, is kept by a monitor, as with -d, and
    /// attached here.
    private int attached() throws InterruptedException {
        DetachedContainer made = CreateCommand.create(options, detach, images, spec);
        var session = new AttachSession(made, spec, attach.keys(), options.interactive(), attach.passesSignals());
        int status;
        try {
            status = session.only(attach.streams()).startAndFollow();
        } catch (CaissonException e) {
            if (options.remove()) {
                made.removeWithVolumes(true);
            }
            throw e;
        }
        if (options.remove() && !made.state().isUp()) {
            made.removeWithVolumes(false);
        }
        return status;
    }

    /// @param standing run before the program is
    private Container start(Engine engine, ContainerSpec wish, Runnable standing) throws InterruptedException {
        return engine.start(
                wish, foreground.streams(), new ProgressLine(spec.commandLine().getErr()), made -> {
                    detach.write(made.id());
                    foreground.announce(wish);
                    standing.run();
                });
    }

    private int await(Container container) throws InterruptedException {
        return foreground.tell(container, container.await());
    }

    private int onPipes(Engine engine, ContainerSpec wish) throws InterruptedException {
        try (Container container = start(engine, wish, () -> {})) {
            foreground.forward(container, null);
            return await(container);
        }
    }

    private int onTerminal(Engine engine, ContainerSpec wish) throws InterruptedException {
        CallersTerminal terminal = CallersTerminal.find(options.interactive());
        ContainerSpec sized = wish.terminal(terminal.size());
        if (options.interactive() && terminal.from() != null) {
            return onRawTerminal(engine, sized, terminal.from());
        }
        try (Container container = start(engine, sized, () -> {})) {
            foreground.forward(container, terminal.from());
            return await(container);
        }
    }

    /// The terminal is raw before the program writes its first line, and no longer when its end is told: a raw one
    /// takes a new line for a line feed alone.
    private int onRawTerminal(Engine engine, ContainerSpec wish, Fd terminal) throws InterruptedException {
        var before = new AtomicReference<dev.caisson.linux.Terminal.@Nullable Mode>();
        Runnable restore = () -> {
            dev.caisson.linux.Terminal.Mode mode = before.getAndSet(null);
            if (mode != null) {
                dev.caisson.linux.Terminal.restore(terminal, mode);
            }
        };
        try (Container container =
                start(engine, wish, () -> before.set(dev.caisson.linux.Terminal.makeRaw(terminal)))) {
            foreground.forward(container, terminal);
            RunResult result = container.await();
            restore.run();
            return foreground.tell(container, result);
        } finally {
            restore.run();
        }
    }
}
