package dev.caisson.cli.caller;

import dev.caisson.engine.Engine;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Signals;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntConsumer;

/// The caller of the one command that this process is: what is asked for is the process's own.
public final class ProcessCaller extends Caller {
    static final ProcessCaller ONLY = new ProcessCaller();

    private final StandardStream output =
            new StandardStream("standard output", new FileOutputStream(FileDescriptor.out));
    private final StandardStream errors =
            new StandardStream("standard error", new FileOutputStream(FileDescriptor.err));

    private ProcessCaller() {}

    @Override
    public Fd descriptor(int number) {
        return new Fd(number);
    }

    @Override
    public InputStream input() {
        return new FileInputStream(FileDescriptor.in) {
            @Override
            public void close() {
                // the descriptor stays open
            }
        };
    }

    @Override
    public StandardStream output() {
        return output;
    }

    @Override
    public StandardStream errors() {
        return errors;
    }

    @Override
    public Optional<String> variable(String name) {
        return CallerText.variable(name);
    }

    @Override
    public Optional<CallerPrograms> programs() {
        return Optional.empty();
    }

    @Override
    String located(String path) {
        return path;
    }

    /// The JVM has the working directory's name with U+FFFD for what is not UTF-8.
    @Override
    public Optional<Path> absolute(Path path) {
        return path.isAbsolute() || Files.exists(Path.of("").toAbsolutePath())
                ? Optional.of(path.toAbsolutePath())
                : Optional.empty();
    }

    /// The launcher names the descriptors that are terminals, as `12`.
    @Override
    public Terminal colours() {
        return Terminal.of(
                System.getProperty("caisson.terminal", ""),
                variable("NO_COLOR").orElse(""),
                variable("TERM").orElse(""));
    }

    /// Signals that the launcher has blocked mean nothing to the JVM, SIGQUIT neither; here they are read. What was not
    /// blocked ends the process as usual.
    @Override
    public void onSignal(IntConsumer handler) {
        Set<Integer> blocked = Signals.blocked();
        if (blocked.isEmpty()) {
            return;
        }
        Signals signals = Signals.open(blocked);
        Thread.ofPlatform().daemon().name("caisson-signals").start(() -> {
            while (true) {
                handler.accept(signals.await());
            }
        });
    }

    @Override
    public void leaveSignals() {
        Signals.unblock(Signals.blocked());
    }

    @Override
    void exit(int status) {
        Runtime.getRuntime().halt(status);
    }

    @Override
    public EngineLease engine() {
        Engine engine = Engine.open(directories());
        return new EngineLease(engine, engine::close);
    }
}
