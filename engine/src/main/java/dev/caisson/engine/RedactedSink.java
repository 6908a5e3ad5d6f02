package dev.caisson.engine;

import dev.caisson.secret.Redaction;
import java.io.IOException;
import java.util.Arrays;

/// Passes output on without the values of secrets.
final class RedactedSink implements OutputPump.Sink {
    private final Redaction.Stream stream;
    private final OutputPump.Sink next;

    RedactedSink(Redaction.Stream stream, OutputPump.Sink next) {
        this.stream = stream;
        this.next = next;
    }

    @Override
    public void accept(byte[] bytes, int count) throws IOException {
        stream.take(bytes, count, this::pass);
    }

    private void pass(byte[] bytes, int from, int length) throws IOException {
        next.accept(from == 0 ? bytes : Arrays.copyOfRange(bytes, from, from + length), length);
    }

    @Override
    public void end() throws IOException {
        stream.end(this::pass);
        next.end();
    }

    @Override
    public boolean isCallers() {
        return next.isCallers();
    }
}
