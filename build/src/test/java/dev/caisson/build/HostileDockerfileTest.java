package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Dockerfiles that want a builder to stand still or to use up its memory: planned in bounded time, or refused.
@Timeout(60)
class HostileDockerfileTest {
    /// So many that work for each pair of them takes more than the time.
    private static final int MANY = 25_000;

    private static String[] lines(String first, int count, IntFunction<String> line) {
        var lines = new ArrayList<>(List.of(first));
        for (int i = 0; i < count; i++) {
            lines.add(line.apply(i));
        }
        return lines.toArray(String[]::new);
    }

    private static void assertRefused(String code, String sentence, String... lines) {
        var refused = catchThrowableOfType(CaissonException.class, () -> Plans.steps(lines));
        assertThat(refused).isNotNull();
        assertThat(refused.code()).as(refused.sentence()).isEqualTo(code);
        assertThat(refused.sentence()).contains(sentence);
    }

    @Test
    void many_thousand_stages_on_each_other() {
        String[] lines = lines("FROM scratch AS s0", MANY - 1, i -> "FROM s" + i + " AS s" + (i + 1));
        assertThat(Plans.graph(Map.of(), Optional.empty(), lines).needed()).hasSize(MANY);
    }

    @Test
    void a_line_of_blanks() {
        assertThat(Plans.steps("FROM scratch", "RUN a" + " ".repeat(1_000_000) + "b"))
                .hasSize(1);
    }

    @Test
    void the_lines_of_an_instruction_are_shown_as_one() {
        assertThat(Plans.steps("FROM scratch", "RUN a \\", "\t b\\", "", "  c  ")
                        .getFirst()
                        .text())
                .isEqualTo("RUN a b c");
    }

    @Test
    void a_line_of_ports() {
        assertRefused("BUILD_SIZE", "ports in the EXPOSE", "FROM scratch", "EXPOSE" + " 1-65535".repeat(100_000));
        assertThat(Plans.settings("FROM scratch", "EXPOSE 1-65535/tcp 1-65535/udp 1-65535/sctp")
                        .ports())
                .hasSize(3 * 65_535);
        assertRefused("BUILD_SIZE", "ports in the EXPOSE", lines("FROM scratch", 9_000, _ -> "EXPOSE 1-65535"));
    }

    @Test
    void many_long_variables() {
        String[] copies = lines("FROM scratch\nARG A=" + "x".repeat(100_000), 9_000, i -> "ENV B" + i % 900 + "=$A");
        assertRefused("CF-208", "All values together", copies);
        assertThat(Plans.steps(lines("FROM scratch", 9_000, i -> "ENV B" + i % 900 + "=" + i)))
                .hasSize(9_000);
    }

    @Test
    void arguments_that_every_step_of_the_history_holds() {
        String arguments = String.join("\n", lines("FROM scratch", 60, i -> "ARG A" + i + "=" + "x".repeat(60_000)));
        assertRefused("BUILD_SIZE", "characters in the history", lines(arguments, 490, _ -> "RUN x"));
    }

    @Test
    void a_pattern_that_comes_to_each_directory_in_many_ways(@TempDir Path directory) throws IOException {
        Files.createDirectories(directory.resolve("a/".repeat(60) + "b"));
        try (Fd root = FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            var tree = new FileTree(root, "the build context", _ -> false, false);
            assertThat(PathPattern.find(tree, "/" + "**/*/".repeat(12) + "b")).hasSize(1);
            assertThat(PathPattern.find(tree, "/" + "**/*/".repeat(12) + "c")).isEmpty();
            Files.createFile(directory.resolve("a".repeat(255)));
            assertThat(PathPattern.find(tree, "/" + "*a".repeat(30) + "b")).isEmpty();
        }
    }
}
