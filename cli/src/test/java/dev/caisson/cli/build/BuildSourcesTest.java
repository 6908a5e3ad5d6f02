package dev.caisson.cli.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.GivenCaller;
import dev.caisson.containerfile.ContainerFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BuildSourcesTest {
    private static final String LINK = "is a link that leads to no file of the context";

    @TempDir
    private Path directory;

    private Path context;
    private Path outside;

    @BeforeEach
    void make() throws IOException {
        context = Files.createDirectory(directory.resolve("context"));
        outside = Files.writeString(directory.resolve("outside"), "root:hash:1\n");
        Files.writeString(context.resolve("plain"), "FROM scratch\n");
        Files.createDirectory(context.resolve("sub"));
        Files.writeString(context.resolve("sub/Dockerfile"), "FROM sub\n");
    }

    private BuildSources sources(Path file) {
        return BuildSources.of(new GivenCaller(Map.of(), new byte[0]), context.toString(), file.toString());
    }

    private BuildSources sources() {
        return BuildSources.of(new GivenCaller(Map.of(), new byte[0]), context.toString(), null);
    }

    private void link(String name, String target) throws IOException {
        Files.createSymbolicLink(context.resolve(name), Path.of(target));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"../outside", "../../../../../../etc/passwd", "/etc/passwd", "/proc/self/root/etc/passwd", "none"
            })
    void no_link_of_the_context_shows_another_file_of_the_host(String target) throws IOException {
        link("Dockerfile", target);
        link("other", target);

        assertThatThrownBy(this::sources).isInstanceOf(CommandException.class).hasMessageContaining(LINK);
        assertThatThrownBy(() -> sources(context.resolve("other")))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(LINK);
    }

    @Test
    void no_directory_of_the_context_leads_out_of_it() throws IOException {
        link("away", "..");

        assertThatThrownBy(() -> sources(context.resolve("away/outside")))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(LINK);
    }

    @Test
    void a_link_is_followed_as_if_the_context_were_the_root() throws IOException {
        link("Dockerfile", "/sub/../plain");
        link("deep", "../../sub");

        assertThat(sources().dockerfile().text()).isEqualTo("FROM scratch\n");
        assertThat(sources(context.resolve("deep/Dockerfile")).dockerfile().text())
                .isEqualTo("FROM sub\n");
    }

    @Test
    void a_file_that_is_named_outside_of_the_context_is_read() throws IOException {
        Files.createSymbolicLink(directory.resolve("linked"), context.resolve("plain"));
        Path again = Files.createSymbolicLink(directory.resolve("again"), context);

        assertThat(sources(outside).dockerfile().text()).isEqualTo("root:hash:1\n");
        assertThat(sources(directory.resolve("linked")).dockerfile().text()).isEqualTo("FROM scratch\n");
        assertThat(sources(again.resolve("sub/Dockerfile")).dockerfile().text()).isEqualTo("FROM sub\n");

        assertThat(sources(context.resolve("sub/../../outside")).dockerfile().text())
                .isEqualTo("root:hash:1\n");
        assertThat(sources(context.resolve("./sub/../sub/./Dockerfile"))
                        .dockerfile()
                        .text())
                .isEqualTo("FROM sub\n");
    }

    @Test
    void a_file_of_the_context_is_one_by_whatever_way_it_is_named() throws IOException {
        Path again = Files.createSymbolicLink(directory.resolve("again"), context);
        link("Dockerfile", "../outside");
        link("away", "..");
        for (String name : List.of("Dockerfile", "away/outside")) {
            for (Path way : List.of(again, context.resolve("sub/.."), Path.of("/proc/self/root" + context))) {
                assertThatThrownBy(() -> sources(way.resolve(name)))
                        .as(way + " " + name)
                        .isInstanceOf(CommandException.class)
                        .hasMessageContaining(LINK);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"../outside", "/etc/passwd", "none"})
    void patterns_that_a_link_leads_to_elsewhere_end_the_build(String target) throws IOException {
        link(".dockerignore", target);

        assertThatThrownBy(() -> sources(context.resolve("plain")))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(".dockerignore " + LINK);

        Files.delete(context.resolve(".dockerignore"));
        link("plain.dockerignore", target);
        assertThatThrownBy(() -> sources(context.resolve("plain")))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining("plain.dockerignore " + LINK);
    }

    @Test
    void patterns_are_read_through_a_link_of_the_context() throws IOException {
        Files.writeString(context.resolve("sub/patterns"), "*.log\n");
        link(".dockerignore", "/sub/patterns");

        assertThat(sources(context.resolve("plain")).ignore().orElseThrow().text())
                .isEqualTo("*.log\n");
    }

    @Test
    void what_is_no_file_is_refused() throws IOException {
        Files.createDirectory(context.resolve("Dockerfile"));

        assertThatThrownBy(this::sources).isInstanceOf(ContainerFileException.class);
        assertThatThrownBy(() -> sources(context.resolve("none")))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining("there is no file");
    }
}
