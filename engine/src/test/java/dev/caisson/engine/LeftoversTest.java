package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.spec.Limits;
import dev.caisson.state.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What an engine that was killed has left goes when the next process looks, and nothing else does.
@Tag("root")
class LeftoversTest {
    private static final String ID = "ab".repeat(32);
    private static final String OTHER = "cd".repeat(32);

    @TempDir
    private Path directory;

    private final Hierarchy hierarchy = Hierarchy.detect();
    private EngineOptions options;
    private String parent;

    @BeforeEach
    void makeState() throws IOException {
        options = new EngineOptions(directory.resolve("state"), Files.createDirectory(directory.resolve("data")));
        new State(options.state()).close();
        parent = State.cgroupParent(options.state());
    }

    @AfterEach
    void removeGroups() {
        hierarchy.removeStale(parent, _ -> true);
        hierarchy.removeParent(parent);
        hierarchy.close();
    }

    private Path killedEngine() throws IOException {
        Path killed = Files.createDirectories(options.state().resolve("engines/0123456789abcdef"));
        Files.createFile(killed.resolve("lock"));
        Files.createFile(killed.resolve(ID + ".json"));
        hierarchy.create(parent, ID, Limits.defaults());
        return killed;
    }

    @Test
    void where_nothing_was_left_the_containers_are_told_at_once() {
        assertThat(Leftovers.cleared(options))
                .hasValueSatisfying(listing -> assertThat(listing.containers()).isEmpty());
        assertThat(Leftovers.cleared(new EngineOptions(directory.resolve("none"), options.data())))
                .isPresent();
        assertThat(directory.resolve("none")).doesNotExist();
    }

    @Test
    void what_a_killed_engine_left_is_removed_and_told_as_a_change() throws IOException {
        Path killed = killedEngine();

        assertThat(Leftovers.cleared(options)).isEmpty();

        assertThat(killed).doesNotExist();
        assertThat(hierarchy.find(parent, ID)).isEmpty();
        assertThat(Leftovers.cleared(options)).isPresent();
        Path again = killedEngine();
        Leftovers.clear(options);
        assertThat(again).doesNotExist();
    }

    @Test
    void what_belongs_to_an_engine_that_lives_stays() throws IOException {
        try (var living = new State(options.state())) {
            living.announce(OTHER);
            hierarchy.create(parent, OTHER, Limits.defaults());
            assertThat(Leftovers.cleared(options)).isPresent();
            killedEngine();

            Leftovers.clear(options);

            assertThat(hierarchy.find(parent, OTHER)).isPresent();
            assertThat(hierarchy.find(parent, ID)).isEmpty();
            assertThat(State.isRecordedIn(options.state(), OTHER)).isTrue();
        }
    }

    /// It is somebody else's to clear up.
    @Test
    void what_may_not_be_read_is_left_as_it_is() throws IOException {
        Path killed = killedEngine();
        Files.setAttribute(options.state(), "unix:uid", 1000);

        assertThat(Leftovers.cleared(options)).isEmpty();
        Leftovers.clear(options);

        assertThat(killed).exists();
        assertThat(hierarchy.find(parent, ID)).isPresent();
    }

    @Test
    void the_group_of_all_containers_goes_with_the_last_of_them() {
        try (var state = new State(options.state())) {
            hierarchy.create(parent, ID, Limits.defaults());
            Leftovers.removeParent(hierarchy, state, Optional.empty());
            assertThat(hierarchy.findParent(parent)).isPresent();

            hierarchy.removeStale(parent, _ -> true);
            Leftovers.removeParent(hierarchy, state, Optional.empty());
            assertThat(hierarchy.findParent(parent)).isEmpty();
        }
    }
}
