package dev.caisson.engine;

import java.io.IOException;
import java.io.OutputStream;

/// Passes output on to a stream of the caller's, at once.
record CallersStream(OutputStream stream) implements OutputPump.Sink {
    @Override
    public void accept(byte[] bytes, int count) throws IOException {
        stream.write(bytes, 0, count);
        stream.flush();
    }

    @Override
    public boolean isCallers() {
        return true;
    }
}
