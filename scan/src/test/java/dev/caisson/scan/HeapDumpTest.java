package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A heap dump that is taken when a scan has ended holds none of the values that it found.
class HeapDumpTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final byte HIDING = 0x55;
    private static final List<String> KINDS = List.of("ghp_{w30}{crc}", "glpat-{s20}", "{w24}", "AIza{s35}");

    @TempDir
    Path root;

    /// Writes values to files in several forms.
    /// @return the values, hidden
    private List<byte[]> write() throws IOException {
        List<byte[]> hidden = new ArrayList<>();
        for (int i = 0; i < KINDS.size(); i++) {
            String value = new Samples(100 + i).fill(KINDS.get(i));
            Files.writeString(root.resolve("plain" + i), "password = \"" + value + "\"\n");
            byte[] line = ("password = \"" + value + "\"\n").getBytes(StandardCharsets.UTF_8);
            Files.writeString(
                    root.resolve("base" + i), "a: " + Base64.getEncoder().encodeToString(line));
            Files.write(
                    root.resolve("wide" + i), ("password = \"" + value + "\"\n").getBytes(StandardCharsets.UTF_16LE));
            hidden.add(hidden(value.getBytes(StandardCharsets.ISO_8859_1)));
        }
        return hidden;
    }

    private static byte[] hidden(byte[] value) {
        byte[] hidden = value.clone();
        for (int i = 0; i < hidden.length; i++) {
            hidden[i] ^= HIDING;
        }
        return hidden;
    }

    @Test
    void no_value_is_left_in_the_heap() throws Exception {
        List<byte[]> values = write();
        byte[] control = "this-stays-in-the-heap".getBytes(StandardCharsets.ISO_8859_1);
        var scanner = new LeakScanner(RuleSet.own(), NOW);
        var found = new Collected();
        TreeScan.scan(scanner, root, "d", found);
        assertThat(found.leaks).hasSize(3 * KINDS.size());

        Path dump = root.resolve("heap.hprof");
        dump(dump);

        assertThat(holds(dump, hidden(control)))
                .as("what is in the heap is seen")
                .isTrue();
        assertThat(control).isNotEmpty();
        assertThat(scanner.rules().rules()).isNotEmpty();
        for (byte[] value : values) {
            assertThat(holds(dump, value)).as("a value of " + value.length).isFalse();
        }
    }

    /// Writes what can still be reached.
    private static void dump(Path to) throws IOException, InterruptedException {
        String tool = Path.of(System.getProperty("java.home"), "bin/jcmd").toString();
        String own = String.valueOf(ProcessHandle.current().pid());
        Process process = new ProcessBuilder(tool, own, "GC.heap_dump", to.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(to).as(output).exists();
    }

    private static boolean holds(Path dump, byte[] hidden) throws IOException {
        byte[] window = new byte[1 << 20];
        int kept = 0;
        try (InputStream in = Files.newInputStream(dump)) {
            for (int read = in.read(window, 0, window.length); read > 0; ) {
                int length = kept + read;
                for (int at = 0; at + hidden.length <= length; at++) {
                    int same = 0;
                    while (same < hidden.length && (window[at + same] ^ HIDING) == hidden[same]) {
                        same++;
                    }
                    if (same == hidden.length) {
                        return true;
                    }
                }
                kept = Math.min(hidden.length, length);
                System.arraycopy(Arrays.copyOfRange(window, length - kept, length), 0, window, 0, kept);
                read = in.read(window, kept, window.length - kept);
            }
        }
        return false;
    }
}
