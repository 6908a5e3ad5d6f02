package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.LayerMedium;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Directories of writable layers that a killed engine left.
@Tag("root")
class DiskLayersTest {
    private static final String FIRST = "a".repeat(64);
    private static final String SECOND = "b".repeat(64);

    @TempDir
    private Path data;

    private DiskLayers layers;

    @BeforeEach
    void open() {
        layers = new DiskLayers(data, "caisson");
    }

    private Path layer(String parent, String id) throws IOException {
        Path layer =
                Files.createDirectories(data.resolve("layers").resolve(parent).resolve(id));
        Files.createDirectories(layer.resolve("upper/etc"));
        Files.writeString(layer.resolve("upper/etc/file"), "content");
        return layer;
    }

    private static Fd hold(Path layer) {
        Fd held = FileSystem.open(layer.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        FileLocks.lock(held);
        return held;
    }

    @Test
    void the_layer_of_a_container_is_removed_with_all_in_it_and_no_other() throws IOException {
        Path gone = layer("caisson", FIRST);
        Path stays = layer("caisson", SECOND);
        Path elsewhere = layer("caisson-other", FIRST);

        layers.tryClear(FIRST);

        assertThat(gone).doesNotExist();
        assertThat(stays.resolve("upper/etc/file")).exists();
        assertThat(elsewhere.resolve("upper/etc/file")).exists();
    }

    @Test
    void a_layer_that_an_engine_holds_stays_until_it_lets_go() throws IOException {
        Path layer = layer("caisson", FIRST);
        try (Fd _ = hold(layer);
                var state = new State(data.resolve("state"))) {
            layers.tryClear(FIRST);
            layers.removeUnrecorded(state);
            assertThat(layer.resolve("upper/etc/file")).exists();
        }

        layers.tryClear(FIRST);
        assertThat(layer).doesNotExist();
    }

    @Test
    void layers_without_a_record_are_removed() throws IOException {
        Path recorded = layer("caisson", FIRST);
        Path nobodys = layer("caisson", SECOND);
        try (var state = new State(data.resolve("state"))) {
            state.announce(FIRST);

            layers.removeUnrecorded(state);

            assertThat(recorded).exists();
            assertThat(nobodys).doesNotExist();
        }
    }

    @Test
    void where_nothing_was_ever_kept_on_disk_there_is_nothing_to_remove() {
        var none = new DiskLayers(data.resolve("none"), "caisson");
        try (var state = new State(data.resolve("state"))) {
            for (DiskLayers each : new DiskLayers[] {layers, none}) {
                each.tryClear(FIRST);
                each.discard(FIRST);
                each.removeUnrecorded(state);
            }
        }
        assertThat(data.resolve("layers")).doesNotExist();
        assertThat(DiskLayers.media(data.resolve("none"))).contains(LayerMedium.MEMORY);
    }

    @Test
    void a_link_in_the_place_of_a_layer_is_not_followed() throws IOException {
        Path other = layer("other", SECOND);
        Files.createDirectories(data.resolve("layers/caisson"));
        Files.createSymbolicLink(data.resolve("layers/caisson").resolve(FIRST), Path.of("../other/" + SECOND));

        layers.tryClear(FIRST);

        assertThat(other.resolve("upper/etc/file")).exists();
        var linked = new DiskLayers(data, "linked");
        Files.createSymbolicLink(data.resolve("layers/linked"), Path.of("other"));
        assertThatThrownBy(() -> linked.tryClear(SECOND)).hasMessageContaining("ELOOP");
        assertThat(other.resolve("upper/etc/file")).exists();
    }
}
