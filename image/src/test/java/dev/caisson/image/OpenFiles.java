package dev.caisson.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;

/// Counts what this process holds open.
final class OpenFiles {
    private OpenFiles() {}

    /// Returns how many descriptors name a directory, or something below it.
    /// @param directory free of links
    static long below(Path directory) throws IOException {
        long open = 0;
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            for (Path each : all.toList()) {
                if (Files.isSymbolicLink(each) && Files.readSymbolicLink(each).startsWith(directory)) {
                    open++;
                }
            }
        }
        return open;
    }

    /// Waits until no more clients of registries are open than there were.
    static boolean clientsEnd(long before) throws InterruptedException {
        long end = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        while (clients() > before) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            Thread.sleep(5);
        }
        return true;
    }

    /// Counts the threads with which the JDK's clients of HTTP wait for answers, one each.
    static long clients() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().matches("HttpClient-\\d+-SelectorManager"))
                .count();
    }
}
