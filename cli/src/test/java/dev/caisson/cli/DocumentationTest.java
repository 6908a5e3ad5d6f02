package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The documentation of the rooms is made without a complaint of doclint, as `-Ppublish` makes it for each.
@Tag("slow")
class DocumentationTest {
    /// Their libraries are not on this module path.
    private static final List<String> ELSEWHERE = List.of("benchmarks", "micrometer");

    @Test
    void doclint_finds_nothing(@TempDir Path directory) throws Exception {
        List<House.Room> rooms = House.rooms().stream()
                .filter(room -> !ELSEWHERE.contains(room.name()))
                .toList();
        var words = new ArrayList<>(List.of("-quiet", "-Xdoclint:all,-missing", "-Werror", "-Xmaxerrs", "100"));
        words.addAll(List.of("--show-packages", "all", "--show-module-contents", "all"));
        words.addAll(List.of("--module-path", System.getProperty("jdk.module.path")));
        words.addAll(List.of("-d", directory.toString()));
        for (House.Room room : rooms) {
            Path generated = room.directory().resolve("target/generated-sources/annotations");
            words.addAll(List.of(
                    "--module-source-path",
                    room.packageName() + "=" + room.directory().resolve("src/main/java")
                            + (Files.isDirectory(generated) ? ":" + generated : "")));
        }
        words.add("--module");
        words.add(rooms.stream().map(House.Room::packageName).collect(Collectors.joining(",")));
        var said = new StringWriter();

        int status = ToolProvider.findFirst("javadoc")
                .orElseThrow()
                .run(new PrintWriter(said), new PrintWriter(said), words.toArray(String[]::new));

        assertThat(status).as(said.toString()).isZero();
        assertThat(directory.resolve("dev.caisson.engine/dev/caisson/engine/Engine.html"))
                .exists();
    }
}
