package dev.caisson.cli.caller;

import dev.caisson.cli.front.Client;
import dev.caisson.engine.Engine;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.InputStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.IntConsumer;

/// A caller whose command runs in the resident engine: everything is what its front end has sent.
public final class ServedCaller extends Caller {
    /// The launcher's names for variables that it takes away from the JVM. A front end sends variables as they are, so
    /// such a name is not from the launcher.
    private static final String OF_THE_LAUNCHER = "CAISSON_CALLER_";

    private final Client client;
    private final Engine engine;
    private final StandardStream output;
    private final StandardStream errors;

    public ServedCaller(Client client, Engine engine) {
        this.client = client;
        this.engine = engine;
        this.output = new StandardStream("standard output", client.output(1));
        this.errors = new StandardStream("standard error", client.output(2));
    }

    @Override
    public Fd descriptor(int number) {
        return client.request().streams().get(number);
    }

    @Override
    public InputStream input() {
        return client.input();
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
        return name.startsWith(OF_THE_LAUNCHER)
                ? Optional.empty()
                : Optional.ofNullable(client.request().variables().get(name));
    }

    /// A directory without a name is no place for a program: it begins in `/`.
    @Override
    public Optional<CallerPrograms> programs() {
        return Optional.of(CallerPrograms.of(
                client.request().variables(), absolute(Path.of("")).orElse(Path.of("/"))));
    }

    @Override
    String located(String path) {
        return path.isEmpty() || path.startsWith("/")
                ? path
                : "/proc/self/fd/" + client.request().directory().number() + "/" + path;
    }

    @Override
    public Optional<Path> absolute(Path path) {
        if (path.isAbsolute()) {
            return Optional.of(path);
        }
        Fd directory = client.request().directory();
        String name = FileSystem.path(directory);
        try (Fd found = FileSystem.open(name, FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            FileStatus there = FileSystem.status(found);
            FileStatus own = FileSystem.status(directory);
            return there.inode() == own.inode() && there.fileSystem() == own.fileSystem()
                    ? Optional.of(Path.of(name).resolve(path))
                    : Optional.empty();
        } catch (ErrnoException | InvalidPathException e) {
            return Optional.empty(); // it is gone, or has no name that a JVM can hold
        }
    }

    @Override
    public Terminal colours() {
        String terminals = (isTerminal(1) ? "1" : "") + (isTerminal(2) ? "2" : "");
        return Terminal.of(
                terminals, variable("NO_COLOR").orElse(""), variable("TERM").orElse(""));
    }

    private boolean isTerminal(int number) {
        return dev.caisson.linux.Terminal.isTerminal(descriptor(number));
    }

    @Override
    public void onSignal(IntConsumer handler) {
        client.onSignal(handler);
    }

    @Override
    public void leaveSignals() {
        client.leaveSignals();
    }

    @Override
    void exit(int status) {
        client.exit(status);
    }

    @Override
    public EngineLease engine() {
        return new EngineLease(engine, () -> {}); // it serves others, too
    }
}
