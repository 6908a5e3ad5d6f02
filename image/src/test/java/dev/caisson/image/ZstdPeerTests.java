package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the zstd of Debian (package `zstd`) writes at each level comes back as it was.
@Tag("peers")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class ZstdPeerTests {
    @TempDir
    Path temporary;

    @ParameterizedTest
    @ValueSource(strings = {"--fast=5", "-1", "-3", "-9", "-19", "-12 --long=25", "-3 --no-check", "-5 -T2 -B131072"})
    void it_comes_back_as_it_was(String options) throws Exception {
        var random = new Random(options.hashCode());
        for (byte[] content : contents(random)) {
            Path file = Files.write(temporary.resolve("content"), content);
            Path packed = temporary.resolve("packed.zst");
            var command = new ArrayList<>(List.of("zstd", "-q", "-f"));
            command.addAll(Arrays.asList(options.split(" ")));
            command.addAll(List.of("-o", packed.toString(), file.toString()));
            assertThat(new ProcessBuilder(command).inheritIO().start().waitFor())
                    .isZero();

            try (InputStream in = new ZstdInputStream(new BufferedInputStream(Files.newInputStream(packed)))) {
                assertSame(content, in, random);
            }
        }
    }

    /// Reads in pieces of any length.
    private static void assertSame(byte[] content, InputStream in, Random random) throws IOException {
        byte[] read = new byte[content.length + 1];
        int length = 0;
        while (true) {
            int count = in.read(read, length, Math.min(read.length - length, 1 + random.nextInt(200_000)));
            if (count < 0) {
                break;
            }
            length += count;
        }
        assertThat(Arrays.equals(content, 0, content.length, read, 0, length)).isTrue();
    }

    private static List<byte[]> contents(Random random) throws IOException {
        var contents = new ArrayList<byte[]>();
        contents.add(new byte[0]);
        contents.add("a".getBytes(StandardCharsets.US_ASCII));
        contents.add(new byte[3 << 20]);
        byte[] noise = new byte[300_000];
        random.nextBytes(noise);
        contents.add(noise);
        try (InputStream program =
                Files.newInputStream(Path.of(System.getProperty("java.home"), "lib/server/libjvm.so"))) {
            contents.add(program.readNBytes(6 << 20));
        }
        contents.add(Files.readAllBytes(Path.of(System.getProperty("java.home"), "release")));
        for (int alphabet : new int[] {2, 5, 40, 200}) {
            byte[] text = new byte[200_000 + random.nextInt(400_000)];
            for (int i = 0; i < text.length; i++) {
                boolean again = i > 1000 && random.nextInt(30) == 0;
                int from = again ? random.nextInt(i) : 0;
                if (again) {
                    int count = Math.min(random.nextInt(300), text.length - i);
                    System.arraycopy(text, from, text, i, Math.min(count, i - from));
                    i += Math.max(0, Math.min(count, i - from) - 1);
                } else {
                    text[i] = (byte) Math.abs(random.nextGaussian() * alphabet);
                }
            }
            contents.add(text);
        }
        return contents;
    }
}
