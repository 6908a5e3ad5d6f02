package dev.caisson.benchmarks;

import dev.caisson.secret.Redaction;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretValue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// Prints how fast the values of secrets are taken out of output, beside a plain copy in the same run.
/// `benchmarks/redaction` runs it.
public final class RedactionSpeed {
    private static final int CHUNK = 64 * 1024;
    private static final int CHUNKS = 4000;
    private static final int ROUNDS = 5;
    private static final String LINE =
            "2026-01-31 INFO a request of the client was answered in 12 ms, with 4096 bytes\n";

    private RedactionSpeed() {}

    public static void main(String[] arguments) throws IOException {
        byte[] text = LINE.repeat(CHUNK / LINE.length() + 1).getBytes(StandardCharsets.US_ASCII);
        byte[] chunk = Arrays.copyOf(text, CHUNK);
        for (int secrets : new int[] {1, 10, 50}) {
            Map<SecretName, SecretValue> values = new LinkedHashMap<>();
            for (int i = 0; i < secrets; i++) {
                values.put(new SecretName("secret" + i), SecretValue.generate(43));
            }
            long begun = System.nanoTime();
            try (Redaction redaction = Redaction.of(values)) {
                double made = (System.nanoTime() - begun) / 1e6;
                double best = 0;
                double copy = 0;
                for (int round = 0; round < ROUNDS; round++) {
                    best = Math.max(best, redact(redaction, chunk));
                    copy = Math.max(copy, copy(chunk));
                }
                System.out.printf(
                        Locale.ROOT,
                        "%2d secrets: %.0f MB/s, a copy %.0f MB/s, ratio 1:%.1f; made in %.2f ms%n",
                        secrets,
                        best,
                        copy,
                        copy / best,
                        made);
            } finally {
                values.values().forEach(SecretValue::close);
            }
        }
    }

    private static double redact(Redaction redaction, byte[] chunk) throws IOException {
        byte[] out = new byte[CHUNK];
        Redaction.Stream stream = redaction.stream();
        long begun = System.nanoTime();
        for (int i = 0; i < CHUNKS; i++) {
            stream.take(chunk, CHUNK, (bytes, from, length) -> System.arraycopy(bytes, from, out, 0, length));
        }
        return speed(begun);
    }

    private static double copy(byte[] chunk) {
        byte[] out = new byte[CHUNK];
        long begun = System.nanoTime();
        for (int i = 0; i < CHUNKS; i++) {
            System.arraycopy(chunk, 0, out, 0, CHUNK);
            out[i % CHUNK]++;
        }
        return speed(begun);
    }

    private static double speed(long begun) {
        return (double) CHUNKS * CHUNK / 1e6 / ((System.nanoTime() - begun) / 1e9);
    }
}
