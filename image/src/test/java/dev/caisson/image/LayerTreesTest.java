package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// One tree per layer: shared, kept while somebody uses it, and removed with its last image.
@Tag("root")
class LayerTreesTest {
    private static final long LONG_AGO = 1_000_000_000;

    @TempDir
    private Path temporary;

    private ImageStore store;

    @BeforeEach
    void open() {
        store = ImageStore.open(temporary.resolve("store"));
    }

    @AfterEach
    void close() {
        store.close();
    }

    private static NewLayer layer(byte[] tar) {
        return new NewLayer(to -> to.write(tar), false);
    }

    private StoredImage make(String name, List<byte[]> layers) {
        return store.make(
                Optional.empty(),
                layers.stream().map(LayerTreesTest::layer).toList(),
                LayerTreesTest::config,
                ImageReference.parse(name));
    }

    private static byte[] config(List<Digest> layers) {
        return ("{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
                        + layers.stream().map(digest -> "\"" + digest + "\"").collect(Collectors.joining(","))
                        + "]}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] base() {
        return tar().mode(0755)
                .directory("d/")
                .mode(0644)
                .file("d/old", "old")
                .file("d/gone", "x")
                .build();
    }

    private static TarBuilder tar() {
        return new TarBuilder();
    }

    private List<Layer> layers(String name) {
        return resolve(name).layers();
    }

    private Rootfs resolve(String name) {
        return store.resolve(new Image.Named(ImageReference.parse(name)), ProgressListener.none());
    }

    private Set<String> trees() throws IOException {
        try (Stream<Path> all = Files.list(temporary.resolve("store/layers"))) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> !name.equals("locks"))
                    .collect(Collectors.toSet());
        }
    }

    @Test
    void images_of_one_base_share_its_tree_and_each_sees_its_own_files() throws IOException {
        make("one", List.of(base(), tar().file("d/new", "1").build()));
        make(
                "two",
                List.of(base(), tar().file("d/new", "2").whiteout("d/.wh.gone").build()));
        List<Layer> one = layers("one");
        List<Layer> two = layers("two");

        assertThat(one).hasSize(2);
        assertThat(two.getLast()).isEqualTo(one.getLast());
        assertThat(two.getFirst()).isNotEqualTo(one.getFirst());
        assertThat(trees()).hasSize(3);
        try (ImageTree tree = store.tree(new Image.Named(ImageReference.parse("two")), ProgressListener.none())) {
            Path root = Path.of("/proc/self/fd/" + tree.root().number());
            assertThat(root.resolve("d/new")).hasContent("2");
            assertThat(root.resolve("d/old")).hasContent("old");
            assertThat(root.resolve("d/gone")).doesNotExist();
        }
    }

    @Test
    void a_directory_that_a_layer_only_adds_to_keeps_owner_mode_and_time_of_the_layer_below() throws IOException {
        byte[] below = tar().owner(7, 8).mode(02750).directory("d/").build();
        make("one", List.of(below, tar().owner(0, 0).file("d/new", "1").build()));

        Path upper = layers("one").getFirst().path().resolve("d");
        assertThat((int) Files.getAttribute(upper, "unix:mode")).isEqualTo(042750);
        assertThat((int) Files.getAttribute(upper, "unix:uid")).isEqualTo(7);
        assertThat(Files.getLastModifiedTime(upper)).isEqualTo(FileTime.from(Instant.ofEpochSecond(LONG_AGO)));
    }

    @Test
    void accounts_are_those_that_a_program_of_the_image_would_find() throws IOException {
        byte[] below = tar().directory("etc/")
                .file("etc/passwd", "me:x:7:8::/home/me:/bin/sh\n")
                .build();
        byte[] remade = tar().file(".wh.etc", "")
                .directory("etc/")
                .file("etc/other", "")
                .build();
        byte[] linked = tar().file("usr/etc/passwd", "me:x:9:9::/:/bin/sh\n")
                .file(".wh.etc", "")
                .symbolicLink("etc", "usr/etc")
                .build();
        make("one", List.of(below, tar().file("x", "").build()));
        make("two", List.of(below, remade));
        make("three", List.of(below, linked));
        assertThat(resolve("one").account("me").uid()).isEqualTo(7);
        assertThat(catchThrowableOfType(
                                ImageException.class, () -> resolve("two").account("me"))
                        .reason())
                .isEqualTo(Code.UNKNOWN_USER);
        assertThat(resolve("three").account("me").uid()).isEqualTo(9);
    }

    @Test
    void a_layer_of_the_kernel_s_own_marks_gives_none() throws IOException {
        byte[] tricks = tar().pax("SCHILY.xattr.trusted.overlay.opaque", "y")
                .directory("d/")
                .pax("SCHILY.xattr.trusted.overlay.redirect", "/etc")
                .directory("e/")
                .build();
        make("one", List.of(base(), tricks));
        try (ImageTree tree = store.tree(new Image.Named(ImageReference.parse("one")), ProgressListener.none())) {
            assertThat(Path.of("/proc/self/fd/" + tree.root().number(), "d/old"))
                    .hasContent("old");
        }
        try (Fd made =
                FileSystem.open(layers("one").getFirst().path().resolve("e").toString(), FileSystem.O_RDONLY)) {
            assertThat(ExtendedAttributes.get(made, "trusted.overlay.redirect")).isEmpty();
        }
    }

    @Test
    void trees_go_with_their_last_image_but_not_while_somebody_has_them_open() throws IOException {
        StoredImage one = make("one", List.of(base(), tar().file("new", "1").build()));
        StoredImage two = make("two", List.of(base(), tar().file("new", "2").build()));
        Rootfs used = resolve("one");
        layers("two");
        List<Fd> open = used.openLayers();
        try {
            store.remove(Set.of(two));
            assertThat(trees()).hasSize(2); // the base is the other's too
            store.remove(Set.of(one));
            store.removeUnused();
            assertThat(trees()).hasSize(2);
            assertThat(used.layers().getFirst().path().resolve("new")).hasContent("1");
        } finally {
            open.forEach(Fd::close);
        }
        store.removeUnused();
        assertThat(trees()).isEmpty();
        assertThat(catchThrowableOfType(ImageException.class, used::openLayers).reason())
                .isEqualTo(Code.LAYER_CHANGED);
    }

    @Test
    void what_a_killed_removal_or_unpacking_leaves_goes_at_the_next_start() throws IOException {
        make("one", List.of(base(), tar().file("new", "1").build()));
        String upper = layers("one").getFirst().path().getFileName().toString();
        Path directory = temporary.resolve("store/layers");
        for (String left : List.of(".partial", ".work", ".removed")) {
            Files.createDirectories(directory.resolve(upper + left + "/deep/er"));
        }
        ImageStore.open(temporary.resolve("store")).close();
        assertThat(trees()).hasSize(2).allMatch(name -> name.length() == 64);
    }

    @Test
    void several_who_want_one_layer_unpack_it_once() throws Exception {
        make("one", List.of(base(), tar().file("new", "1").build()));
        var begun = new AtomicInteger();
        Callable<List<Layer>> wish = () -> {
            try (ImageStore own = ImageStore.open(temporary.resolve("store"))) {
                return own.resolve(
                                new Image.Named(ImageReference.parse("one")),
                                (_, done, total) -> begun.addAndGet(done == 0 && total > 0 ? 1 : 0))
                        .layers();
            }
        };
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            var found = new ArrayList<List<Layer>>();
            for (Future<List<Layer>> future :
                    threads.invokeAll(List.of(wish, wish, wish, wish, wish, wish, wish, wish))) {
                found.add(future.get());
            }
            assertThat(found).containsOnly(found.getFirst());
        }
        assertThat(begun).hasValue(2);
    }

    @Test
    void the_lowest_of_very_many_layers_are_one_tree() throws IOException {
        var layers = new ArrayList<byte[]>();
        for (int i = 0; i < 70; i++) {
            layers.add(
                    tar().file("f" + i, "x").file("last", Integer.toString(i)).build());
        }
        make("one", layers);
        List<Layer> trees = layers("one");
        assertThat(trees).hasSize(70 - LayerTrees.lowest(70) + 1).hasSizeLessThanOrEqualTo(LayerTrees.MOST_TREES);
        try (ImageTree tree = store.tree(new Image.Named(ImageReference.parse("one")), ProgressListener.none());
                Stream<Path> all =
                        Files.list(Path.of("/proc/self/fd/" + tree.root().number() + "/."))) {
            assertThat(all).hasSize(71);
            assertThat(Path.of("/proc/self/fd/" + tree.root().number(), "last")).hasContent("69");
        }
        for (int count = 1; count <= ManifestDocument.MOST_LAYERS; count++) {
            assertThat(count - LayerTrees.lowest(count) + 1).isBetween(1, LayerTrees.MOST_TREES);
        }
    }

    @Test
    void the_tree_of_many_layers_is_compared_counted_and_removed_as_each_other() throws IOException {
        var layers = new ArrayList<byte[]>();
        for (int i = 0; i < LayerTrees.MOST_TREES + 1; i++) {
            layers.add((i == 0 ? tar().directory("d/").file("d/f", "") : tar())
                    .file("f" + i, "xy")
                    .build());
        }
        int lowest = LayerTrees.lowest(layers.size());
        int trees = layers.size() - lowest + 1;
        StoredImage image = make("one", layers);
        Layer merged = layers("one").getLast();
        assertThat(merged.path().toString()).contains("/rootfs/");
        assertThat(Files.getLastModifiedTime(merged.path().resolve("d")))
                .isEqualTo(FileTime.from(Instant.ofEpochSecond(LONG_AGO)));

        assertThat(store.unpackedSizes())
                .hasSize(trees)
                .containsEntry(merged.path().getFileName().toString(), 2L * lowest);
        assertThat(store.check(image)).isEqualTo(new ImageCheck(layers.size() + 2, trees, 0, List.of()));
        Files.writeString(merged.path().resolve("f0"), "yx");
        ImageCheck check = store.check(image);
        assertThat(check.faults())
                .singleElement()
                .satisfies(fault -> assertThat(fault.sentence())
                        .contains(merged.path().getFileName().toString()));
        assertThat(check.notCompared()).isEqualTo(layers.size());

        store.remove(Set.of(image));
        assertThat(store.unpackedSizes()).isEmpty();
    }

    @Test
    void trees_of_no_image_are_removed_whether_of_one_layer_or_of_many() throws IOException {
        var layers = new ArrayList<byte[]>();
        for (int i = 0; i < LayerTrees.MOST_TREES + 1; i++) {
            layers.add(tar().file("f" + i, "x").build());
        }
        make("one", layers);
        layers("one");
        Files.delete(temporary.resolve("store/content/index.json"));
        store.removeUnused();
        assertThat(store.unpackedSizes()).isEmpty();
    }

    @Test
    void what_the_layers_below_used_counts_for_those_above() throws IOException {
        byte[] half = tar().file("a", "\0".repeat(20 << 20)).build();
        byte[] other = tar().file("b", "\0".repeat(20 << 20)).build();
        List<NewLayer> both =
                List.of(new NewLayer(to -> to.write(half), true), new NewLayer(to -> to.write(other), true));
        store.make(Optional.empty(), both, LayerTreesTest::config, ImageReference.parse("bomb"));
        assertThat(catchThrowableOfType(ImageException.class, () -> layers("bomb"))
                        .reason())
                .isEqualTo(Code.TOO_LARGE);
        assertThat(catchThrowableOfType(ImageException.class, () -> layers("bomb"))
                        .reason())
                .isEqualTo(Code.TOO_LARGE); // the lower layer is there by now
    }

    @Test
    void directories_are_no_deeper_than_allowed_in_all_layers_together() throws IOException {
        String deep = "d/".repeat(100);
        byte[] above =
                tar().pax("path", deep + "e/".repeat(100) + "f").file("f", "x").build();
        make("one", List.of(tar().pax("path", deep).directory("d/").build(), above));
        assertThat(catchThrowableOfType(ImageException.class, () -> layers("one"))
                        .reason())
                .isEqualTo(Code.TOO_LARGE);
    }

    @Test
    void a_link_to_a_file_of_a_layer_below_names_the_same_content() throws IOException {
        make("one", List.of(base(), tar().hardLink("also", "d/old").build()));
        try (ImageTree tree = store.tree(new Image.Named(ImageReference.parse("one")), ProgressListener.none())) {
            Path root = Path.of("/proc/self/fd/" + tree.root().number());
            assertThat(root.resolve("also")).hasContent("old");
            assertThat(Files.getAttribute(root.resolve("also"), "unix:ino", LinkOption.NOFOLLOW_LINKS))
                    .isEqualTo(Files.getAttribute(root.resolve("d/old"), "unix:ino"));
        }
    }
}
