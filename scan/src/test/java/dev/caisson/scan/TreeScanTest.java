package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TreeScanTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir
    Path root;

    private final String token = new Samples(3).fill("ghp_{w30}{crc}");
    private final byte[] secret = ("token " + token + "\n").getBytes(StandardCharsets.US_ASCII);

    private Collected scanned(Path path) {
        var collected = new Collected();
        TreeScan.scan(new LeakScanner(RuleSet.own(), NOW), path, "x", collected);
        return collected;
    }

    private static byte[] zip(String name, byte[] content) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes)) {
            zip.putNextEntry(new ZipEntry(name));
            zip.write(content);
        }
        return bytes.toByteArray();
    }

    private static byte[] gzip(byte[] content) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(content);
        }
        return bytes.toByteArray();
    }

    private static byte[] tar(String name, byte[] content) {
        var archive = new byte[512 + (content.length + 511) / 512 * 512 + 1024];
        put(archive, 0, name);
        put(archive, 124, String.format("%011o", content.length));
        archive[156] = '0';
        put(archive, 257, "ustar");
        System.arraycopy(content, 0, archive, 512, content.length);
        return archive;
    }

    private static void put(byte[] bytes, int at, String text) {
        byte[] word = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(word, 0, bytes, at, word.length);
    }

    @Test
    void files_of_all_directories_are_scanned_and_no_link_is_followed(@TempDir Path elsewhere) throws IOException {
        Files.createDirectories(root.resolve("a/.hidden"));
        Files.write(root.resolve("a/.hidden/f"), secret);
        Files.write(root.resolve("ignored"), secret);
        Files.writeString(root.resolve(".gitignore"), "ignored\n");
        Files.createDirectories(root.resolve(".git/objects"));
        Files.write(root.resolve(".git/config"), secret);
        Files.write(root.resolve(".git/objects/f"), secret);
        Files.write(elsewhere.resolve("f"), secret);
        Files.createSymbolicLink(root.resolve("link"), elsewhere.resolve("f"));
        Files.createSymbolicLink(root.resolve("dir"), elsewhere);

        Collected found = scanned(root);

        assertThat(found.places()).containsExactly("x/.git/config:1:7", "x/a/.hidden/f:1:7", "x/ignored:1:7");
        assertThat(found.skipped).isEmpty();
    }

    @Test
    void archives_are_unpacked_in_one_another() throws IOException {
        Files.write(root.resolve("a.bin"), gzip(tar("lib/b.jar", zip("conf/c.txt", gzip(secret)))));

        assertThat(scanned(root).places()).containsExactly("x/a.bin!/lib/b.jar!/conf/c.txt:1:7");
    }

    @Test
    void an_archive_that_unpacks_to_too_much_is_left_and_the_next_file_is_read() throws IOException {
        byte[] zeros = gzip(new byte[30 << 20]);
        Files.write(root.resolve("a"), gzip(zeros));
        Files.write(root.resolve("b"), secret);

        Collected found = scanned(root);

        assertThat(found.skipped)
                .containsExactly("x/a: not read to its end: it unpacks to more than 250 times its size");
        assertThat(found.places()).containsExactly("x/b:1:7");
    }

    @Test
    void archives_in_too_many_archives_are_left() throws IOException {
        byte[] deep = secret;
        for (int i = 0; i < 9; i++) {
            deep = gzip(deep);
        }
        Files.write(root.resolve("a"), deep);

        assertThat(scanned(root).skipped).containsExactly("x/a: not read to its end: it is in more than 8 archives");
    }

    @Test
    void damaged_and_closed_archives_are_reported() throws IOException {
        byte[] cut = zip("a", new Samples(1).fill("{w4000}").getBytes(StandardCharsets.US_ASCII));
        Files.write(root.resolve("a.zip"), java.util.Arrays.copyOf(cut, cut.length / 2));
        Files.write(root.resolve("b.xz"), new byte[] {(byte) 0xfd, '7', 'z', 'X', 'Z', 0, 1, 2});
        byte[] tar = tar("f", new byte[5000]);
        Files.write(root.resolve("c.tar"), java.util.Arrays.copyOf(tar, 2000));

        assertThat(scanned(root).skipped)
                .anyMatch(line -> line.startsWith("x/a.zip"))
                .contains("x/b.xz: not read to its end: the xz data is damaged")
                .anyMatch(line -> line.startsWith("x/c.tar"));
    }

    @Test
    void a_file_that_is_missing_or_no_file_is_refused() {
        assertThatThrownBy(() -> scanned(root.resolve("none")))
                .isInstanceOf(ScanException.class)
                .hasMessage("there is no file x");
        assertThatThrownBy(() -> scanned(Path.of("/dev/null"))).hasMessageContaining("neither a regular file");
    }

    @Test
    void a_single_file_is_scanned_by_the_name_given() throws IOException {
        Files.write(root.resolve("f"), secret);
        assertThat(scanned(root.resolve("f")).places()).containsExactly("x:1:7");
    }

    @Test
    void an_expression_that_runs_out_of_stack_hides_no_other_file() throws IOException {
        RuleSet rules = RuleSet.of("""
                [[rules]]
                id = "deep"
                description = "deep"
                regex = '''(tok(ab|b)*c)'''
                """);
        for (int i = 0; i < 100; i++) {
            Files.writeString(root.resolve("deep" + i), "tok" + "ab".repeat(30_000));
        }
        Files.writeString(root.resolve("z"), "tokabc");
        var collected = new Collected();

        TreeScan.scan(new LeakScanner(rules, NOW), root, "x", collected);

        assertThat(collected.places()).containsExactly("x/z:1:1");
        assertThat(collected.skipped).hasSize(100).allMatch(line -> line.contains("too much stack"));
    }

    @Test
    void a_sink_that_fails_ends_the_scan() throws IOException {
        for (int i = 0; i < 300; i++) {
            Files.write(root.resolve("f" + i), secret);
        }
        var sink = new ScanSink() {
            @Override
            public void found(Leak leak) {
                throw new IllegalStateException("closed");
            }

            @Override
            public void skipped(String source, String why) {
                throw new AssertionError("told after a failure");
            }
        };

        assertThatThrownBy(() -> TreeScan.scan(new LeakScanner(RuleSet.own(), NOW), root, "x", sink))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("closed");
    }
}
