package dev.caisson.cli.caller;

import dev.caisson.linux.HoldsThread;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Standard output or standard error of a caller. What cannot be written is never lost without a word: the first
/// failure is remembered, and the command ends with it.
public final class StandardStream extends OutputStream implements HoldsThread {
    /// Ends a command at the write that fails: a [PrintWriter] keeps an [IOException] to itself.
    private static final class Strict extends OutputStream {
        private final StandardStream stream;

        Strict(StandardStream stream) {
            this.stream = stream;
        }

        @Override
        public void write(int one) {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int start, int length) {
            if (stream.lost().isPresent()) {
                return; // told already: this is what a writer had in its buffer
            }
            try {
                stream.write(bytes, start, length);
            } catch (IOException e) {
                throw stream.lost(e);
            }
        }
    }

    private final String name;
    private final OutputStream descriptor;
    private @Nullable IOException failure;
    private Runnable onFailure = () -> {};

    StandardStream(String name, OutputStream descriptor) {
        this.name = name;
        this.descriptor = descriptor;
    }

    /// A writer whose first failure ends the command.
    public PrintWriter strictWriter() {
        return new PrintWriter(new Strict(this), true, StandardCharsets.UTF_8);
    }

    /// A writer for errors: there is nobody who could be told of a failure but by the exit status.
    public PrintWriter writer() {
        return new PrintWriter(this, true, StandardCharsets.UTF_8);
    }

    /// Runs `act` at the first failure, now if there was one.
    public synchronized void onFailure(Runnable act) {
        onFailure = act;
        if (failure != null) {
            act.run();
        }
    }

    @Override
    public void write(int one) throws IOException {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int start, int length) throws IOException {
        try {
            descriptor.write(bytes, start, length);
        } catch (IOException e) {
            failed(e);
            throw e;
        }
    }

    private synchronized void failed(IOException e) {
        if (failure == null) {
            failure = e;
            onFailure.run();
        }
    }

    /// Returns the failure, if output was lost.
    public synchronized Optional<OutputLostException> lost() {
        return Optional.ofNullable(failure).map(this::lost);
    }

    private OutputLostException lost(IOException e) {
        return new OutputLostException(name, e);
    }
}
