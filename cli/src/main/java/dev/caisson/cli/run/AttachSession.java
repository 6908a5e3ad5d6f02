package dev.caisson.cli.run;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.ProcessSignals;
import dev.caisson.cli.caller.ResidentEngine;
import dev.caisson.cli.option.AttachOptions;
import dev.caisson.cli.option.DetachKeys;
import dev.caisson.cli.text.EndText;
import dev.caisson.engine.Attachment;
import dev.caisson.engine.ContainerState;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.error.CaissonException;
import dev.caisson.linux.Fd;
import dev.caisson.state.LogEntry;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/// The caller's terminal or pipes, attached to a container that outlives it.
public final class AttachSession {
    private static final int BUFFER = 16 * 1024;
    private static final int DETACHED = 1;
    private static final int BY_SIGNAL = 128;

    private final DetachedContainer container;
    private final PrintWriter out;
    private final PrintWriter err;
    private final DetachKeys keys;
    private final boolean input;
    private final boolean passesSignals;
    private final Caller caller = Caller.current();
    private Set<AttachOptions.Stream> shown = EnumSet.allOf(AttachOptions.Stream.class);
    private final AtomicBoolean left = new AtomicBoolean();
    private final AtomicInteger endedBy = new AtomicInteger();

    public AttachSession(
            DetachedContainer container, CommandSpec command, DetachKeys keys, boolean input, boolean passesSignals) {
        this.container = container;
        this.out = command.commandLine().getOut();
        this.err = command.commandLine().getErr();
        this.keys = keys;
        this.input = input;
        this.passesSignals = passesSignals;
    }

    /// Shows these streams alone.
    AttachSession only(Set<AttachOptions.Stream> streams) {
        shown = EnumSet.copyOf(streams);
        return this;
    }

    public int startAndFollow() throws InterruptedException {
        try (Attachment attachment = container.attachBeforeStart()) {
            container.start();
            ResidentEngine.startFor(container, err);
            int status = follow(attachment);
            if (left.get()) {
                return 0;
            }
            container.result().map(EndText::ofRun).ifPresent(lines -> lines.forEach(err::println));
            return status;
        }
    }

    public int follow() throws InterruptedException {
        try (Attachment attachment = container.attach()) {
            return follow(attachment);
        }
    }

    private int follow(Attachment attachment) throws InterruptedException {
        boolean terminal = container.hasTerminal();
        forwardSignals(attachment, terminal);
        dev.caisson.linux.Terminal.@Nullable Mode before = null;
        Fd own = caller.descriptor(0);
        if (terminal && input && dev.caisson.linux.Terminal.isTerminal(own)) {
            before = dev.caisson.linux.Terminal.makeRaw(own);
        }
        try {
            if (terminal) {
                resize(attachment);
            }
            if (input && container.hasInput()) {
                Thread.ofPlatform().daemon().name("caisson-input").start(() -> passInput(attachment, terminal));
            }
            ContainerState end = attachment.follow(this::print, () -> !left.get() && endedBy.get() == 0);
            if (attachment.hasGap()) {
                err.println("caisson: lines are missing here, which were written faster than they were read");
            }
            if (endedBy.get() != 0) {
                return BY_SIGNAL + endedBy.get();
            }
            if (left.get()) {
                err.println("read escape sequence");
                return DETACHED;
            }
            return end.lastEnd().map(ContainerState.End::status).orElse(0);
        } finally {
            if (before != null) {
                dev.caisson.linux.Terminal.restore(own, before);
            }
        }
    }

    private void print(List<LogEntry> entries) {
        for (LogEntry entry : entries) {
            switch (entry.stream()) {
                case STDOUT -> print(entry, AttachOptions.Stream.STDOUT, out);
                case STDERR -> print(entry, AttachOptions.Stream.STDERR, err);
            }
        }
        out.flush();
        err.flush();
    }

    private void print(LogEntry entry, AttachOptions.Stream stream, PrintWriter to) {
        if (shown.contains(stream)) {
            to.print(entry.text());
        }
    }

    /// Until the input ends, the container's does, or the keys were pressed.
    private void passInput(Attachment attachment, boolean terminal) {
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = caller.input()) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                DetachKeys.Input typed = terminal
                        ? keys.take(buffer, count)
                        : new DetachKeys.Input(java.util.Arrays.copyOf(buffer, count), false);
                if (!attachment.write(typed.bytes(), typed.bytes().length)) {
                    return;
                }
                if (typed.detached()) {
                    left.set(true);
                    return;
                }
            }
            attachment.endInput();
        } catch (IOException | CaissonException | IllegalStateException e) {
            System.getLogger(AttachSession.class.getName())
                    .log(System.Logger.Level.DEBUG, "no more input is passed on", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// A program with a terminal gets its signals from that, by keys: those of this command end the command alone, as
    /// they do Docker's. So does SIGHUP of a window that is closed, which Docker passes on to a process 1 that
    /// ignores it; here it would end the container.
    private void forwardSignals(Attachment attachment, boolean terminal) {
        if (!passesSignals && !terminal) {
            caller.leaveSignals();
            return;
        }
        boolean windowed =
                List.of(0, 1, 2).stream().map(caller::descriptor).anyMatch(dev.caisson.linux.Terminal::isTerminal);
        caller.onSignal(number -> {
            try {
                boolean isOwn = terminal || (windowed && number == ProcessSignals.HUP);
                if (number == ProcessSignals.WINCH) {
                    if (terminal) {
                        resize(attachment);
                    }
                } else if (!isOwn) {
                    container.signal(number);
                } else if (ProcessSignals.asksToEnd(number)) {
                    endedBy.set(number);
                }
            } catch (CaissonException e) { // it has ended meanwhile
                System.getLogger(AttachSession.class.getName())
                        .log(System.Logger.Level.DEBUG, "a signal is not passed on", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private void resize(Attachment attachment) throws InterruptedException {
        var size = dev.caisson.linux.Terminal.size(caller.descriptor(1));
        if (size.isPresent()) {
            attachment.resize(new dev.caisson.spec.TerminalSize(
                    size.get().rows(), size.get().columns()));
        }
    }
}
