package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;

/// Real files that hold no secret give hardly any finding: those of the machine that the tests run on.
class PrecisionTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final long LEAST_BYTES = 10_000_000;
    private static final long MOST_BYTES = 20_000_000;
    private static final int BYTES_A_FINDING = 10_000_000;

    private final LeakScanner.Reader reader = new LeakScanner(RuleSet.own(), NOW).reader();
    private final Collected found = new Collected();
    private long bytes;

    private void scan(String name, InputStream content, long size) {
        reader.scan(name, content, found);
        bytes += size;
    }

    private void assertFewFindings() {
        List<Leak> findings = found.leaks.stream()
                .filter(leak -> leak.confidence().above(Confidence.UNLIKELY))
                .toList();
        assertThat(findings).as("in " + bytes + " bytes").hasSizeLessThanOrEqualTo((int) (bytes / BYTES_A_FINDING));
    }

    @Test
    void packages_of_the_machine_give_at_most_one_finding_in_ten_megabytes() throws IOException {
        for (String root : List.of("/usr/share/perl", "/usr/lib/python3", "/usr/include", "/usr/share/doc")) {
            long before = bytes;
            for (Path file : files(Path.of(root))) {
                if (bytes - before < MOST_BYTES / 2) {
                    try (InputStream in = Files.newInputStream(file)) {
                        scan(file.toString(), in, Files.size(file));
                    }
                }
            }
        }
        assertThat(bytes).as("files of this machine").isGreaterThan(LEAST_BYTES);
        assertFewFindings();
    }

    private static List<Path> files(Path root) throws IOException {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        List<Path> files = new ArrayList<>();
        try (Stream<Path> all = Files.walk(root)) {
            all.filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && Files.isReadable(path))
                    .sorted()
                    .forEach(files::add);
        }
        return files;
    }

    @Test
    void sources_of_the_jdk_give_no_finding_at_all() throws IOException {
        Path sources = Path.of(System.getProperty("java.home"), "lib/src.zip");
        if (!Files.isRegularFile(sources)) {
            return; // a package of its own with some vendors
        }
        try (var zip = new ZipFile(sources.toFile())) {
            for (ZipEntry entry : zip.stream()
                    .map(ZipEntry.class::cast)
                    .filter(file -> !file.isDirectory() && file.getName().hashCode() % 8 == 0)
                    .toList()) {
                try (InputStream in = zip.getInputStream(entry)) {
                    scan(entry.getName(), in, entry.getSize());
                }
            }
        }
        assertThat(bytes).isGreaterThan(LEAST_BYTES);
        assertThat(found.leaks).isEmpty();
    }
}
