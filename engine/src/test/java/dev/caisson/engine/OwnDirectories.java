package dev.caisson.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Directories of this test process alone, so that tests of another clone or terminal do not meet its containers. They
/// are removed when the process ends.
final class OwnDirectories {
    private static final Set<Path> MADE = ConcurrentHashMap.newKeySet();
    private static final String RANDOM = HexFormat.of().toHexDigits(new SecureRandom().nextInt(), 6);

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> MADE.forEach(OwnDirectories::remove)));
    }

    private OwnDirectories() {}

    /// A state directory, in memory.
    static Path state(String name) {
        return own("/run", name);
    }

    /// A data directory, on disk.
    static Path data(String name) {
        return own("/var/lib", name);
    }

    /// A process of another pid namespace may have the same number. It is last, where tools/run-tests looks for the
    /// owner.
    private static Path own(String top, String name) {
        Path path = Path.of(
                top,
                "caisson-test-" + name + "-" + RANDOM + "-"
                        + ProcessHandle.current().pid());
        MADE.add(path);
        return path;
    }

    private static void remove(Path path) {
        try {
            if (Files.exists(path)) {
                BusyboxEngine.removeTree(path);
            }
        } catch (IOException | UncheckedIOException e) {
            System.err.println(path + " is left: " + e);
        }
    }
}
