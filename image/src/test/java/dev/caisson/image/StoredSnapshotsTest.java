package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a container of a snapshot is made of: the snapshot's own tree above all that its container had.
@Tag("root")
class StoredSnapshotsTest {
    private static final SnapshotName ONE = new SnapshotName("one");
    private static final SnapshotName TWO = new SnapshotName("two");

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    @SuppressWarnings("NullAway.Init") // set before each test
    private ImageStore store;

    @BeforeEach
    void open() {
        store = ImageStore.open(temporary.resolve("store"));
    }

    @AfterEach
    void close() {
        store.close();
    }

    private Rootfs resolve(Image image) {
        return store.resolve(image, ProgressListener.none());
    }

    private Rootfs resolve(SnapshotName name) {
        return resolve(new Image.Snapshot(name));
    }

    private Snapshot take(SnapshotName name, Image image) {
        var source = new StoredSnapshots.Source("box", image, resolve(image));
        return store.snapshots().make(name, source, tree -> {
            FileSystem.makeDirectory(tree, name.value(), 0755);
            return 7;
        });
    }

    private StoredImage image(int layers) {
        var added = new ArrayList<NewLayer>();
        for (int i = 0; i < layers; i++) {
            byte[] tar = new TarBuilder().file("f" + i, "x").build();
            added.add(new NewLayer(to -> to.write(tar), false));
        }
        return store.make(
                Optional.empty(),
                added,
                digests -> ("{\"os\":\"linux\",\"architecture\":\""
                                + Platform.running().architecture()
                                + "\",\"config\":{\"Cmd\":[\"run\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\""
                                + String.join(
                                        "\",\"",
                                        digests.stream().map(Digest::toString).toList()) + "\"]}}")
                        .getBytes(StandardCharsets.UTF_8),
                ImageReference.parse("app:1"));
    }

    private Image app(int layers) {
        return new Image.Named(ImageReference.parse(image(layers).name()));
    }

    private static Path own(Rootfs rootfs) {
        return rootfs.layers().getFirst().path();
    }

    @Test
    void one_of_an_image_has_the_image_s_layers_and_configuration() {
        Image app = app(2);
        Rootfs before = resolve(app);
        Snapshot made = take(ONE, app);
        assertThat(made.image()).isEqualTo("app:1");
        assertThat(made.container()).isEqualTo("box");
        assertThat(made.bytes()).isEqualTo(7);
        assertThat(store.snapshots().find(ONE)).contains(made);
        assertThat(store.snapshots().list()).containsExactly(made);

        Rootfs rootfs = resolve(ONE);
        assertThat(own(rootfs).resolve("one")).isDirectory();
        assertThat(rootfs.layers().subList(1, 3)).isEqualTo(before.layers());
        assertThat(rootfs.config()).isEqualTo(before.config());
        assertThat(rootfs.config().cmd()).containsExactly("run");
        assertThat(rootfs.digest()).contains(made.id());
        assertThat(rootfs.binds()).isEmpty();
    }

    /// The lowest of very many layers are one tree.
    @Test
    void one_of_an_image_of_very_many_layers_has_all_its_trees() {
        Image app = app(LayerTrees.MOST_TREES + 2);
        Rootfs before = resolve(app);
        take(ONE, app);
        assertThat(resolve(ONE).layers())
                .hasSize(before.layers().size() + 1)
                .endsWith(before.layers().getLast());
    }

    @Test
    void one_of_a_snapshot_stands_above_it_and_all_below() {
        Image app = app(1);
        take(ONE, app);
        Snapshot second = take(TWO, new Image.Snapshot(ONE));
        assertThat(second.parent()).contains(ONE);
        assertThat(second.image()).isEqualTo("app:1");
        Rootfs rootfs = resolve(TWO);
        assertThat(own(rootfs).resolve("two")).isDirectory();
        assertThat(rootfs.layers().subList(1, 3)).isEqualTo(resolve(ONE).layers());
        assertThat(rootfs.config()).isEqualTo(resolve(app).config());
        assertThat(store.snapshots().above(resolve(app).digest().orElseThrow())).containsExactly("one", "two");
        assertThat(store.snapshots().above(Digest.of(new byte[0]))).isEmpty();
    }

    @Test
    void one_of_a_directory_has_the_directory_as_it_is_and_one_of_host_its_programs() throws IOException {
        Path root = Files.createDirectories(temporary.resolve("root")).toRealPath();
        take(ONE, Image.directory(root));
        assertThat(resolve(ONE).layers()).hasSize(2);
        assertThat(resolve(ONE).layers().getLast().path()).isEqualTo(root);
        assertThat(resolve(ONE).binds()).isEmpty();

        take(TWO, Image.host());
        Rootfs host = resolve(TWO);
        assertThat(host.layers())
                .hasSize(2)
                .endsWith(resolve(Image.host()).layers().getFirst());
        assertThat(host.binds()).isEqualTo(resolve(Image.host()).binds()).isNotEmpty();
    }

    @Test
    void layers_stay_while_a_snapshot_needs_them() {
        StoredImage image = image(2);
        take(ONE, new Image.Named(ImageReference.parse("app:1")));
        store.remove(Set.of(image));
        store.removeUnused();
        for (Fd layer : resolve(ONE).openLayers()) {
            layer.close();
        }
        store.snapshots().remove(ONE);
        assertThat(store.snapshots().list()).isEmpty();
        store.removeUnused();
        assertThat(store.unpackedSizes()).isEmpty();
    }

    @Test
    void one_whose_layers_are_gone_is_damaged() throws IOException {
        take(ONE, app(1));
        Path layer = resolve(ONE).layers().getLast().path();
        Files.move(layer, temporary.resolve("moved"));
        var refused = catchThrowableOfType(ImageException.class, () -> resolve(ONE));
        assertThat(refused.reason()).isEqualTo(Code.SNAPSHOT_DAMAGED);
        assertThat(refused)
                .hasMessageContaining("the layer " + layer.getFileName() + " is not in the store")
                .hasMessageContaining("remove it and take it again");
        assertThat(catchThrowableOfType(ImageException.class, () -> resolve(TWO))
                        .reason())
                .isEqualTo(Code.SNAPSHOT_UNKNOWN);
    }

    @Test
    void layers_are_read_lowest_first_and_compared() throws IOException {
        StoredImage image = image(2);
        var read = new ArrayList<String>();
        store.readLayers(image, (index, archive) -> {
            var entries = new TarReader(archive, UnpackLimits.DEFAULT);
            read.add(index + " " + entries.next().orElseThrow().name());
        });
        assertThat(read).isEqualTo(List.of("0 f0", "1 f1"));
        Path blob = temporary
                .resolve("store/content/blobs/sha256")
                .resolve(store.layers(image).getLast().blob().hex());
        Files.write(blob, new TarBuilder().file("f2", "x").build());
        var refused = catchThrowableOfType(
                ImageException.class, () -> store.readLayers(image, (_, archive) -> archive.readAllBytes()));
        assertThat(refused.reason()).isEqualTo(Code.DIGEST_MISMATCH);
    }
}
