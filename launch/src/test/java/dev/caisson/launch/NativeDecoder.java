package dev.caisson.launch;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// The decoder of `native/plan.c` in a process of its own, with AddressSanitizer.
final class NativeDecoder implements AutoCloseable {
    private final Process process;
    private final OutputStream plans;
    private final DataInputStream answers;

    NativeDecoder() throws IOException, InterruptedException {
        Path source = Path.of(System.getProperty("caisson.root", ".."), "native");
        int built = new ProcessBuilder("make", "--silent", "-C", source.toString(), "build/decode")
                .inheritIO()
                .start()
                .waitFor();
        if (built != 0) {
            throw new IOException("make ended with status " + built);
        }
        process = new ProcessBuilder(source.resolve("build/decode").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        plans = process.getOutputStream();
        answers = new DataInputStream(process.getInputStream());
    }

    /// The rule that a plan breaks, `enum plan_error`; 0 for none.
    int broken(byte[] plan) {
        try {
            ByteBuffer framed = ByteBuffer.allocate(4 + plan.length)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(plan.length);
            plans.write(framed.put(plan).array());
            plans.flush();
            return Integer.reverseBytes(answers.readInt());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        plans.close();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
