package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;

/// Real files that hold no secret give hardly any finding: those of Debian's packages that tools/packages.txt asks for,
/// which are the same on each machine, whatever else is installed there.
class PrecisionTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final List<String> PACKAGES =
            List.of("libc6-dev", "linux-libc-dev", "libpython3.*-stdlib", "perl-modules-5.*", "nodejs", "strace");
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
    void packages_that_every_check_installs_give_at_most_one_finding_in_ten_megabytes() throws Exception {
        for (String name : PACKAGES) {
            long before = bytes;
            for (Path file : files(name)) {
                if (bytes - before < MOST_BYTES / 2) {
                    try (InputStream in = Files.newInputStream(file)) {
                        scan(file.toString(), in, Files.size(file));
                    }
                }
            }
        }
        assertThat(bytes).as("files of %s", PACKAGES).isGreaterThan(LEAST_BYTES);
        assertFewFindings();
    }

    /// Files of the packages of that name.
    private static List<Path> files(String pattern) throws IOException, InterruptedException {
        return printed("dpkg-query", "-W", "-f", "${binary:Package}\n", pattern).stream()
                .flatMap(name -> {
                    try {
                        return printed("dpkg-query", "-L", name).stream();
                    } catch (IOException | InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                })
                .map(Path::of)
                .filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) && Files.isReadable(path))
                .sorted()
                .toList();
    }

    private static List<String> printed(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> lines = process.inputReader().lines().toList();
        boolean _ = process.waitFor(10, TimeUnit.SECONDS);
        return lines;
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
