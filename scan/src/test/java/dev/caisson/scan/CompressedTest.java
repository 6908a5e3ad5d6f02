package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files that other programs compressed are looked into, and damage in them ends in a sentence.
class CompressedTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir
    Path root;

    private final String token = new Samples(5).fill("ghp_{w30}{crc}");

    /// Compresses with Python's libraries.
    private byte[] compressed(String expression, byte[] plain) throws IOException, InterruptedException {
        Path from = Files.write(root.resolve("plain"), plain);
        Path to = root.resolve("packed");
        Process process = new ProcessBuilder(
                        "python3",
                        "-c",
                        "import sys, lzma, bz2\ndata = open(sys.argv[1], 'rb').read()\nopen(sys.argv[2], 'wb').write("
                                + expression + ")",
                        from.toString(),
                        to.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return Files.readAllBytes(to);
    }

    /// Text, noise and runs, with a secret at the end.
    private byte[] plain(int size) {
        var random = new Random(size);
        var bytes = new ByteArrayOutputStream();
        while (bytes.size() < size) {
            byte[] piece = new byte[1 + random.nextInt(5000)];
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
        bytes.writeBytes(("\ntoken = " + token + "\n").getBytes(StandardCharsets.UTF_8));
        return bytes.toByteArray();
    }

    private static Collected scanned(byte[] bytes) {
        var found = new Collected();
        new LeakScanner(RuleSet.own(), NOW).scan("a", new ByteArrayInputStream(bytes), found);
        return found;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bz2.compress(data)",
                "bz2.compress(data, 1)",
                "bz2.compress(data[:9000]) + bz2.compress(data[9000:])",
                "lzma.compress(data)",
                "lzma.compress(data, preset=0, check=lzma.CHECK_NONE)",
                "lzma.compress(data, preset=9, check=lzma.CHECK_SHA256)",
                "lzma.compress(data[:9000]) + lzma.compress(data[9000:], check=lzma.CHECK_CRC32)",
                "lzma.compress(data, filters=[{'id': lzma.FILTER_LZMA2, 'dict_size': 4096, 'lc': 0, 'lp': 3, 'pb': 1}])",
                "lzma.compress(data, filters=[{'id': lzma.FILTER_X86}, {'id': lzma.FILTER_LZMA2, 'preset': 6}])",
                "bz2.compress(lzma.compress(data))"
            })
    void bzip2_and_xz_are_decoded(String expression) throws Exception {
        for (int size : new int[] {0, 10_000, 2_000_000}) {
            Collected found = scanned(compressed(expression, plain(size)));
            assertThat(found.skipped).as(expression + " of " + size).isEmpty();
            assertThat(found.leaks).as(expression + " of " + size).hasSize(1);
        }
    }

    @Test
    void zstd_and_packages_of_debian_are_decoded() throws Exception {
        // a frame of one raw block
        byte[] text = ("x\ntoken = " + token + "\n").getBytes(StandardCharsets.UTF_8);
        var frame = new ByteArrayOutputStream();
        frame.writeBytes(new byte[] {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 0x20, (byte) text.length});
        int head = text.length << 3 | 1;
        frame.writeBytes(new byte[] {(byte) head, (byte) (head >> 8), (byte) (head >> 16)});
        frame.writeBytes(text);
        assertThat(scanned(frame.toByteArray()).leaks).hasSize(1);

        byte[] member = compressed("lzma.compress(data)", text);
        String header =
                String.format("%-16s%-12d%-6d%-6d%-8s%-10d`\n", "data.tar.xz", 0, 0, 0, "100644", member.length);
        var deb = new ByteArrayOutputStream();
        deb.writeBytes(
                ("!<arch>\n" + String.format("%-16s%-12d%-6d%-6d%-8s%-10d`\n", "debian-binary", 0, 0, 0, "100644", 3)
                                + "2.0\n")
                        .getBytes(StandardCharsets.US_ASCII));
        deb.writeBytes(header.getBytes(StandardCharsets.US_ASCII));
        deb.writeBytes(member);
        assertThat(scanned(deb.toByteArray()).places()).containsExactly("a!/data.tar.xz:2:9");
    }

    @Test
    void others_are_named() {
        assertThat(scanned(new byte[] {'7', 'z', (byte) 0xbc, (byte) 0xaf, 0x27, 0x1c, 0, 4}).skipped)
                .containsExactly(
                        "a: not read to its end: it is a 7z archive, which is not looked into: unpack it and scan the directory");
        assertThat(scanned("Rar!\u001a\u0007\u0000".getBytes(StandardCharsets.ISO_8859_1)).skipped)
                .singleElement()
                .asString()
                .contains("rar archive");
    }

    @Test
    void damage_ends_in_a_sentence_and_in_time() throws Exception {
        var random = new Random(3);
        for (String expression : List.of("bz2.compress(data)", "lzma.compress(data)")) {
            byte[] packed = compressed(expression, plain(20_000));
            for (int round = 0; round < 200; round++) {
                byte[] damaged = packed.clone();
                for (int i = 0; i <= round % 3; i++) {
                    damaged[8 + random.nextInt(round % 2 == 0 ? 60 : damaged.length - 8)] ^=
                            (byte) (1 + random.nextInt(255));
                }
                int length = round % 5 == 0 ? random.nextInt(damaged.length) : damaged.length;
                long start = System.nanoTime();
                Collected found = scanned(Arrays.copyOf(damaged, length));
                assertThat(found.skipped).noneMatch(why -> why.contains("Exception"));
                assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
            }
        }
    }

    @Test
    void a_bomb_of_any_kind_ends_at_its_bound() throws Exception {
        for (String expression : List.of("bz2.compress(b'a' * 200000000)", "lzma.compress(b'a' * 200000000)")) {
            assertThat(scanned(compressed(expression, new byte[0])).skipped)
                    .singleElement()
                    .asString()
                    .contains("unpacks to more than");
        }
    }
}
