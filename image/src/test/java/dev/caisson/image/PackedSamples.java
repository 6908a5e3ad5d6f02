package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/// Data that Python's libraries have packed, and what holds of everything that unpacks it.
public final class PackedSamples {
    private static final String[] WORDS = "the quick brown fox jumps over the lazy dog".split(" ");

    private PackedSamples() {}

    /// What unpacks.
    @FunctionalInterface
    public interface Unpacker {
        InputStream of(InputStream packed) throws IOException;
    }

    /// Packs with an expression of Python of `data`, with `lzma` and `bz2` at hand.
    public static byte[] packed(String expression, byte[] plain) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        "python3",
                        "-c",
                        "import sys, lzma, bz2\ndata = sys.stdin.buffer.read()\nsys.stdout.buffer.write(" + expression
                                + ")")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var in = process.getOutputStream()) {
            in.write(plain);
        }
        byte[] packed = process.getInputStream().readAllBytes();
        assertThat(process.waitFor()).as(expression).isZero();
        return packed;
    }

    /// Text, noise and runs.
    public static byte[] plain(int size) {
        var random = new Random(size);
        var bytes = new ByteArrayOutputStream();
        while (bytes.size() < size) {
            byte[] piece = new byte[1 + random.nextInt(3000)];
            switch (random.nextInt(3)) {
                case 0 -> random.nextBytes(piece);
                case 1 -> Arrays.fill(piece, (byte) ('a' + random.nextInt(3)));
                default -> {
                    for (int i = 0; i < piece.length; i++) {
                        piece[i] = (byte) "the quick brown fox ".charAt((i + random.nextInt(2)) % 20);
                    }
                }
            }
            bytes.writeBytes(piece);
        }
        return Arrays.copyOf(bytes.toByteArray(), size);
    }

    public static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    public static byte[] unpacked(Unpacker unpacker, byte[] packed) throws IOException {
        try (InputStream in = unpacker.of(new ByteArrayInputStream(packed))) {
            return in.readAllBytes();
        }
    }

    /// Asserts that it gives the same in whatever pieces it is read, and is at its end from then on.
    public static void assertUnpacks(Unpacker unpacker, byte[] packed, byte[] plain) throws IOException {
        assertThat(unpacked(unpacker, packed)).isEqualTo(plain);
        try (InputStream in = unpacker.of(new ByteArrayInputStream(packed))) {
            byte[] all = new byte[plain.length + 2];
            int count = 0;
            for (int turn = 0; count < plain.length; turn++) {
                int next = turn % 3 == 0 ? in.read() : in.read(all, count, Math.min(turn % 700, all.length - count));
                assertThat(next).isGreaterThanOrEqualTo(0);
                if (turn % 3 == 0) {
                    all[count++] = (byte) next;
                } else {
                    count += next;
                }
            }
            assertThat(Arrays.copyOf(all, count)).isEqualTo(plain);
            assertThat(in.read()).isEqualTo(-1);
            assertThat(in.read(all, 0, 2)).isEqualTo(-1);
            assertThat(in.read(all, 0, 0)).isZero();
        }
    }

    /// Asserts that whatever is cut off is told.
    public static void assertNothingCutOffPasses(Unpacker unpacker, byte[] packed) {
        for (int length = 0; length < packed.length; length++) {
            byte[] cut = Arrays.copyOf(packed, length);
            assertThatThrownBy(() -> unpacked(unpacker, cut))
                    .as("%d of %d bytes", length, packed.length)
                    .isInstanceOf(IOException.class);
        }
    }

    /// Asserts that data with one or more other bytes is told, or unpacks to what it was.
    public static void assertNothingDamagedPasses(Unpacker unpacker, byte[] packed, byte[] plain) {
        var random = new Random(packed.length);
        for (int round = 0; round < 600; round++) {
            byte[] damaged = packed.clone();
            for (int i = 0; i <= round % 3; i++) {
                damaged[random.nextInt(round % 2 == 0 ? Math.min(80, damaged.length) : damaged.length)] ^=
                        (byte) (1 + random.nextInt(255));
            }
            try {
                assertThat(unpacked(unpacker, damaged)).isEqualTo(plain);
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("data");
            }
        }
    }

    /// Asserts that damage leads to content or to a sentence, and to nothing else.
    public static void assertDamageIsTold(Unpacker unpacker, byte[] packed) {
        var random = new Random(packed.length);
        for (int round = 0; round < 600; round++) {
            byte[] damaged = packed.clone();
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            try {
                unpacked(unpacker, damaged);
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("data");
            }
        }
    }

    /// With other bytes from a place on.
    public static byte[] with(byte[] packed, int at, int... bytes) {
        byte[] changed = packed.clone();
        for (int i = 0; i < bytes.length; i++) {
            changed[at + i] = (byte) bytes[i];
        }
        return changed;
    }

    public static byte[] joined(byte[]... parts) {
        var all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private static int next(int random) {
        return (int) ((random * 1103515245L + 12345) & 0x7fffffff);
    }

    /// Noise, runs, words, repetitions and records, which a small generator makes anew everywhere.
    public static byte[] mixed(int seed, int size) {
        var out = new ByteArrayOutputStream();
        int random = seed;
        while (out.size() < size) {
            random = next(random);
            int kind = (random >> 16) % 5;
            random = next(random);
            int count = 1 + (random >> 16) % 40;
            switch (kind) {
                case 0 -> {
                    for (int i = 0; i < count; i++) {
                        random = next(random);
                        out.write(random >> 16);
                    }
                }
                case 1 ->
                    out.writeBytes(text(
                            String.valueOf((char) ('a' + (random >> 8) % 3)).repeat(count * 7)));
                case 2 -> {
                    for (int i = 0; i < count / 4; i++) {
                        random = next(random);
                        out.writeBytes(text(WORDS[(random >> 16) % WORDS.length] + " "));
                    }
                }
                case 3 -> {
                    if (out.size() > 0) {
                        random = next(random);
                        int distance = 1 + (random >> 8) % out.size();
                        for (int i = 0; i < 2 * count; i++) {
                            out.write(out.toByteArray()[out.size() - distance]);
                        }
                    }
                }
                default -> {
                    for (int i = 0; i < count / 5; i++) {
                        random = next(random);
                        out.writeBytes(text("id=" + i + ";v=" + (random >> 16) % 100 + "\n"));
                    }
                }
            }
        }
        return Arrays.copyOf(out.toByteArray(), size);
    }
}
