package dev.caisson.cli.caller;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;

/// A caller with variables and standard input of a test's, which has no terminal and no engine.
public class GivenCaller extends Caller {
    private final Map<String, String> variables;
    private final byte[] input;

    public GivenCaller(Map<String, String> variables, byte[] input) {
        this.variables = Map.copyOf(variables);
        this.input = input.clone();
    }

    @Override
    public Fd descriptor(int number) {
        return FileSystem.open("/dev/null", FileSystem.O_RDWR);
    }

    @Override
    public InputStream input() {
        return new ByteArrayInputStream(input);
    }

    @Override
    public StandardStream output() {
        throw new UnsupportedOperationException("the test has a writer");
    }

    @Override
    public StandardStream errors() {
        throw new UnsupportedOperationException("the test has a writer");
    }

    @Override
    public Optional<String> variable(String name) {
        return Optional.ofNullable(variables.get(name));
    }

    @Override
    public Optional<CallerPrograms> programs() {
        return Optional.empty();
    }

    @Override
    String located(String path) {
        return path;
    }

    @Override
    public Optional<Path> absolute(Path path) {
        return Optional.of(path.toAbsolutePath());
    }

    @Override
    public Terminal colours() {
        return Terminal.NONE;
    }

    @Override
    public void onSignal(IntConsumer handler) {
        throw new UnsupportedOperationException("no signals are sent to a test");
    }

    @Override
    public void leaveSignals() {
        throw new UnsupportedOperationException("no signals are sent to a test");
    }

    @Override
    void exit(int status) {
        throw new UnsupportedOperationException("a test does not end the process");
    }

    @Override
    public EngineLease engine() {
        throw new UnsupportedOperationException("the test has no engine");
    }
}
