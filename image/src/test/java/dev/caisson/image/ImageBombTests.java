package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.ThreadClock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Small archives that want much of the host. What an image may use is bounded for the image, not for a layer.
@Timeout(60)
class ImageBombTests {
    private static final int MEGABYTE = 1 << 20;
    /// The slowest takes 2,100 in a fresh JVM on a machine with ten times more work than processors, the others a
    /// tenth.
    private static final int MOST_MILLIS = 8_000;

    @TempDir
    Path temporary;

    private ImageStore store;

    @BeforeEach
    void openStore() {
        store = ImageStore.open(temporary.resolve("store"));
    }

    private static byte[] packed(byte[] archive) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(archive);
        }
        return out.toByteArray();
    }

    private static TarBuilder tar() {
        return new TarBuilder().owner(processUser(), processUser());
    }

    private static int processUser() {
        try {
            return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /// An archive of `docker save` that lists the layers.
    private Path archive(List<byte[]> layers, List<Integer> listed) throws IOException {
        var diffs = new StringBuilder();
        var names = new StringBuilder();
        var archive = new TarBuilder();
        for (int i = 0; i < layers.size(); i++) {
            archive.member('0', i + ".tar", "", layers.get(i));
        }
        for (int layer : listed) {
            Digest diff = Digest.of(unpacked(layers.get(layer)));
            diffs.append(diffs.isEmpty() ? "" : ",").append('"').append(diff).append('"');
            names.append(names.isEmpty() ? "" : ",").append('"').append(layer).append(".tar\"");
        }
        String config =
                "{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" + diffs + "]}}";
        archive.file("config.json", config);
        archive.file("manifest.json", "[{\"Config\":\"config.json\",\"Layers\":[" + names + "]}]");
        return Files.write(temporary.resolve("image.tar"), archive.build());
    }

    private static byte[] unpacked(byte[] layer) throws IOException {
        try (var gzip = new java.util.zip.GZIPInputStream(new java.io.ByteArrayInputStream(layer))) {
            return gzip.readAllBytes();
        }
    }

    private void assertRefused(Path archive, Code code, String sentence) throws IOException {
        long before = ThreadClock.cpuNanos();
        var refused = catchThrowableOfType(
                ImageException.class, () -> store.resolve(Image.dockerArchive(archive), ProgressListener.none()));
        long millis = (ThreadClock.cpuNanos() - before) / 1_000_000;
        assertThat(millis).as("milliseconds of processor time").isLessThan(MOST_MILLIS);
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).as(refused.sentence()).isEqualTo(code);
        assertThat(refused).hasMessageContaining(sentence);
        try (Stream<Path> left = Files.list(temporary.resolve("store/layers"))) {
            assertThat(left.map(path -> path.getFileName().toString()).filter(name -> name.contains("partial")))
                    .isEmpty();
        }
    }

    @Test
    void a_bomb_that_is_listed_twenty_times_may_unpack_no_more_than_once() throws IOException {
        byte[] bomb = packed(tar().file("zeros", "\0".repeat(20 * MEGABYTE)).build());
        assertThat(bomb).hasSizeLessThan(64 << 10);

        assertRefused(archive(List.of(bomb), Collections.nCopies(20, 0)), Code.TOO_LARGE, "grows more than 200 times");
    }

    @Test
    void several_bombs_each_within_the_limit_of_one_are_refused_together() throws IOException {
        byte[] one = packed(tar().file("a", "\0".repeat(20 * MEGABYTE)).build());
        byte[] two = packed(tar().file("b", "\0".repeat(20 * MEGABYTE)).build());

        assertRefused(archive(List.of(one, two), List.of(0, 1)), Code.TOO_LARGE, "grows more than 200 times");
    }

    @Test
    void more_layers_than_podman_takes_are_refused_before_any_is_unpacked() throws IOException {
        byte[] empty = packed(tar().build());

        assertRefused(archive(List.of(empty), Collections.nCopies(501, 0)), Code.TOO_LARGE, "more than 500 layers");
    }

    @Test
    void an_empty_layer_may_be_listed_often_as_old_builders_do() throws IOException {
        byte[] empty = packed(tar().build());

        Rootfs root = store.resolve(
                Image.dockerArchive(archive(List.of(empty), Collections.nCopies(100, 0))), ProgressListener.none());

        assertThat(root.layers()).hasSizeLessThanOrEqualTo(LayerTrees.MOST_TREES);
    }

    @Test
    void many_files_in_a_small_archive_are_refused() throws IOException {
        TarBuilder files = tar();
        for (int i = 0; i < 9_000; i++) {
            files.file(Integer.toString(i), "");
        }
        byte[] layer = packed(files.build());
        assertThat(layer).hasSizeLessThan(200_000);

        assertRefused(archive(List.of(layer), List.of(0)), Code.TOO_LARGE, "too many for its size");
    }

    @Test
    void names_are_counted_before_they_use_up_the_heap() {
        var budget = new UnpackBudget(UnpackLimits.DEFAULT, Long.MAX_VALUE);
        String name = "n".repeat(4_000);
        var refused = catchThrowableOfType(ImageException.class, () -> {
            for (int i = 0; i < 75_000; i++) {
                budget.remember(name);
            }
        });
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).isEqualTo(Code.TOO_LARGE);
        assertThat(refused).hasMessageContaining("-Xmx");
    }

    @Test
    void a_directory_that_is_made_opaque_again_keeps_what_its_layer_brought() throws IOException {
        byte[] below = packed(tar().directory("d/").file("d/old", "").build());
        TarBuilder above = tar().file("d/first", "").file("d/.wh..wh..opq", "");
        byte[] layer =
                packed(above.file("d/second", "").file("d/.wh..wh..opq", "").build());

        Image image = Image.dockerArchive(archive(List.of(below, layer), List.of(0, 1)));

        try (ImageTree tree = store.tree(image, ProgressListener.none());
                Stream<Path> files =
                        Files.list(Path.of("/proc/self/fd/" + tree.root().number() + "/d"))) {
            assertThat(files.map(path -> path.getFileName().toString())).containsExactlyInAnyOrder("first", "second");
        }
    }

    @Test
    void deep_names_that_alternate_are_bounded_by_their_steps() throws IOException {
        TarBuilder files = tar();
        for (int i = 0; i < 3_000; i++) {
            files.pax("path", (i % 2 == 0 ? "a/" : "b/") + "x/".repeat(100) + i).file("f", "");
        }
        assertRefused(archive(List.of(packed(files.build())), List.of(0)), Code.TOO_LARGE, "too many directories");
    }
}
