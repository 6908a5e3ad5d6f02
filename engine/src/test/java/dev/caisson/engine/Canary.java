package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A directory of the host that no container may change, nor mount anything on.
final class Canary {
    private final Path directory;
    private final Map<String, String> before;

    Canary(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
        Files.writeString(directory.resolve("bird"), "sings");
        Files.createDirectories(directory.resolve("self/fd"));
        Files.writeString(directory.resolve("hostname"), "host\n");
        before = look();
    }

    Path directory() {
        return directory;
    }

    void assertUnchanged() throws IOException {
        assertThat(look()).isEqualTo(before);
        List<String> mounts = Files.readAllLines(Path.of("/proc/self/mountinfo"));
        assertThat(mounts).noneMatch(line -> line.contains(directory.toString()));
    }

    private Map<String, String> look() throws IOException {
        var seen = new TreeMap<String, String>();
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : paths.toList()) {
                String content = Files.isRegularFile(path) ? Files.readString(path) : "";
                seen.put(path.toString(), Files.readAttributes(path, "unix:mode,uid,gid,ino,ctime") + content);
            }
        }
        return seen;
    }
}
