package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.caisson.launch.IdRange;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.LayerMedium;
import dev.caisson.launch.Namespace;
import dev.caisson.launch.SlotSource;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.FileSystemSpace;
import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Writable layers on disk, and directories of them that a killed engine left.
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
    void a_data_directory_that_is_none_is_told() throws IOException {
        Path file = Files.createFile(data.resolve("file"));

        assertThatThrownBy(() -> DiskLayers.media(file))
                .isInstanceOfSatisfying(
                        ErrnoException.class,
                        e -> assertThat(e.is(Errno.ENOTDIR)).isTrue());
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

    // ---- layers in files without a name

    private static final ContainerId ID = new ContainerId(FIRST);
    private static final long SIZE = 8 << 20;

    private static LaunchPlan plan(long bytes, SlotSource... slots) {
        return new LaunchPlan(
                new IdRange(IdRange.FIRST, IdRange.WIDTH),
                Set.of(Namespace.USER),
                new LaunchPlan.RootAssembly(1, bytes, 512),
                List.of(slots),
                List.of());
    }

    private Fd image() {
        return layers.make(ID, plan(SIZE, new SlotSource.Upper(LayerMedium.IMAGE)))
                .orElseThrow();
    }

    @Test
    void one_in_memory_needs_nothing_here() {
        assertThat(layers.make(ID, plan(SIZE))).isEmpty();
        assertThat(layers.holders(FIRST)).isEmpty();
        assertThat(data).isEmptyDirectory();
    }

    @Test
    void one_in_a_file_is_held_until_it_is_discarded() throws IOException {
        assumeThat(DiskLayers.media(data)).contains(LayerMedium.IMAGE);
        Fd mount = image();

        assertThat(layers.holders(FIRST)).containsExactly(mount);
        assertThat(layers.holders(SECOND)).isEmpty();
        assertThat(FileSystemSpace.of(mount).freeBytes()).isBetween(SIZE / 2, SIZE);
        assertThat(data.resolve("layers")).isEmptyDirectory();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve("layers"))))
                .isEqualTo("rwx------");

        layers.discard(SECOND);
        assertThat(mount.isOpen()).isTrue();
        try (var state = new State(data.resolve("state"))) {
            layers.holding(state).undo(FIRST);
        }
        assertThat(mount.isOpen()).isFalse();
        assertThat(layers.holders(FIRST)).isEmpty();
        layers.discard(FIRST);
    }

    /// A container that outlives its engine keeps its layer.
    @Test
    void one_that_was_handed_over_is_not_discarded() {
        assumeThat(DiskLayers.media(data)).contains(LayerMedium.IMAGE);
        assertThat(layers.handOver(FIRST)).isEmpty();
        Fd mount = image();

        assertThat(layers.handOver(FIRST)).containsExactly(mount);
        assertThat(layers.holders(FIRST)).isEmpty();
        layers.discard(FIRST);
        assertThat(mount.isOpen()).isTrue();
        mount.close();
    }

    @Test
    void one_that_does_not_fit_or_cannot_be_made_is_told() throws IOException {
        assumeThat(DiskLayers.media(data)).contains(LayerMedium.IMAGE);
        assertRefused("STORAGE_FULL", 1L << 60);
        Files.delete(data.resolve("layers"));
        Files.createFile(data.resolve("layers"));
        assertRefused("STORAGE_FAILED", SIZE);
        assertThat(layers.holders(FIRST)).isEmpty();
    }

    /// The plan was made for another disk.
    @Test
    void a_bound_that_this_disk_does_not_have_is_told_and_leaves_nothing() {
        assumeThat(DiskLayers.media(data)).doesNotContain(LayerMedium.PROJECT);
        assertRefused("STORAGE_FAILED", LayerMedium.PROJECT, SIZE);
        assertThat(data.resolve("layers/caisson")).isEmptyDirectory();
        assertThat(layers.holders(FIRST)).isEmpty();
    }

    private void assertRefused(String code, long bytes) {
        assertRefused(code, LayerMedium.IMAGE, bytes);
    }

    private void assertRefused(String code, LayerMedium medium, long bytes) {
        assertThatThrownBy(() -> layers.make(ID, plan(bytes, new SlotSource.Upper(medium))))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(code));
    }
}
