package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.state.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// CVE-2023-25809: the control groups of the host lie in the container, writable. What lies there is the
/// container's own group, as root of all that it sees, and read-only.
class Cve2023_25809Test extends BusyboxEngine {
    /// mountinfo(5): the mount's own flags stand in field 6, its file system behind the separator.
    private record Line(String root, String target, List<String> flags, String fileSystem) {
        static Line of(String text) {
            String[] words = text.split(" ", -1);
            int separator = List.of(words).indexOf("-");
            return new Line(words[3], words[4], List.of(words[5].split(",", -1)), words[separator + 1]);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_container_sees_its_own_groups_alone_and_cannot_write_them(boolean init) throws Exception {
        Container container = engine.start(busybox("sleep", "100").init(init), Streams.capture());
        try {
            Path process = Path.of("/proc/" + container.pid());
            List<Line> groups = Files.readAllLines(process.resolve("mountinfo")).stream()
                    .map(Line::of)
                    .filter(line -> line.fileSystem().startsWith("cgroup"))
                    .toList();

            assertThat(groups).isNotEmpty();
            for (Line line : groups) {
                Path seen = process.resolve("root" + line.target());
                assertThat(line.flags()).as(line.target()).contains("ro", "nosuid", "nodev", "noexec");
                assertThat(inode(seen)).as(line.target()).isEqualTo(inode(own(line, container)));
            }
        } finally {
            container.kill();
            container.await();
        }
    }

    /// Where the host has the container's group of the same hierarchy.
    private static Path own(Line line, Container container) {
        return Path.of(line.target())
                .resolve(State.cgroupParent(OPTIONS.state()))
                .resolve(container.id().value());
    }

    private static Object inode(Path path) throws IOException {
        return Files.getAttribute(path, "unix:ino");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nor_does_the_group_namespace_show_the_way_to_it(boolean init) throws Exception {
        RunResult result = engine.run(busybox("cat", "/proc/self/cgroup").init(init));

        assertThat(result.stdout().lines()).isNotEmpty().allMatch(line -> line.endsWith(":/"));
    }
}
