package dev.caisson.build;

import dev.caisson.secret.Redaction;
import dev.caisson.secret.SecretException;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretValue;
import dev.caisson.state.LogEntry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// The output of a `RUN`, without the values of the secrets that it is given.
final class RunOutput implements AutoCloseable {
    private final Redaction redaction;
    private final Taker output;
    private final Map<LogEntry.Stream, Redaction.Stream> streams = new EnumMap<>(LogEntry.Stream.class);

    /// Gets what the program has written.
    interface Taker {
        void take(boolean isError, String text);
    }

    /// @param secrets by id; they may be cleared afterwards
    RunOutput(Map<String, byte[]> secrets, Taker output) {
        this.output = output;
        var values = new LinkedHashMap<SecretName, SecretValue>();
        try {
            for (Map.Entry<String, byte[]> secret : secrets.entrySet()) {
                int size = secret.getValue().length;
                if (size > 0 && size <= SecretValue.MOST_BYTES) {
                    values.put(name(secret.getKey(), values.size()), SecretValue.of(secret.getValue()));
                }
            }
            redaction = Redaction.of(values);
        } finally {
            values.values().forEach(SecretValue::close);
        }
    }

    /// Returns the id, which may be any text, as a name.
    private static SecretName name(String id, int index) {
        try {
            return new SecretName(id);
        } catch (SecretException e) {
            return new SecretName("of-the-build-" + index);
        }
    }

    void take(LogEntry entry) {
        byte[] bytes = entry.text().getBytes(StandardCharsets.UTF_8);
        pass(entry.stream(), (stream, out) -> stream.take(bytes, bytes.length, out));
    }

    private interface Step {
        void run(Redaction.Stream stream, Redaction.Taker out) throws IOException;
    }

    private void pass(LogEntry.Stream name, Step step) {
        var text = new ByteArrayOutputStream();
        try {
            step.run(streams.computeIfAbsent(name, _ -> redaction.stream()), text::write);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory throws none
        }
        if (text.size() > 0) {
            output.take(name == LogEntry.Stream.STDERR, text.toString(StandardCharsets.UTF_8));
        }
    }

    /// Passes on what waited, as nothing comes any more.
    @Override
    public void close() {
        try {
            streams.keySet().forEach(name -> pass(name, Redaction.Stream::end));
        } finally {
            redaction.close();
        }
    }
}
