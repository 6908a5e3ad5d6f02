package dev.caisson.launch;

import dev.caisson.linux.Fd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// The descriptors that this process has open, by which a test sees what was left open.
final class OpenFiles {
    private static final Path OPEN = Path.of("/proc/self/fd");

    private OpenFiles() {}

    /// Device and inode, by which two descriptors are known to be of one file.
    static Map<String, Object> file(Fd fd) {
        return file(OPEN.resolve(Integer.toString(fd.number())));
    }

    static Map<String, Object> file(Path path) {
        try {
            return Files.readAttributes(path, "unix:dev,ino");
        } catch (NoSuchFileException _) {
            return Map.of(); // a descriptor that is closed meanwhile
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Returns how many descriptors are open on a file.
    static long count(Map<String, Object> file) {
        try (Stream<Path> all = Files.list(OPEN)) {
            return all.filter(each -> file(each).equals(file)).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Returns the sockets that are open.
    static Set<String> sockets() {
        var sockets = new TreeSet<String>();
        try (Stream<Path> all = Files.list(OPEN)) {
            for (Path each : all.toList()) {
                String target = Files.readSymbolicLink(each).toString();
                if (target.startsWith("socket:")) {
                    sockets.add(each.getFileName() + " " + target);
                }
            }
            return sockets;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
