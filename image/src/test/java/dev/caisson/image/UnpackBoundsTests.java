package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.PackedImage.PackedLayer;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each bound of an image, at the last value that passes and at the first that does not.
class UnpackBoundsTests {
    @TempDir
    private Path temporary;

    private static UnpackBudget budget(long packed) {
        return new UnpackBudget(new UnpackLimits(1000, 50, 10_000, 20, 3, 4096, 10, 100), packed);
    }

    private static void assertTooLarge(String sentence, ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.TOO_LARGE))
                .hasMessageContaining(sentence);
    }

    private static void assertBytes(long packed, int most, String sentence) {
        UnpackBudget budget = budget(packed);
        budget.unpacked(most - 1);
        budget.unpacked(1);
        assertTooLarge(sentence, () -> budget.unpacked(1));
    }

    @Test
    void an_image_grows_tenfold_at_most_after_a_grace_and_never_beyond_the_bound() {
        assertBytes(0, 100, "grows more than 10 times when uncompressed, to over 100 bytes");
        assertBytes(10, 100, "grows more than 10 times");
        assertBytes(11, 110, "to over 110 bytes");
        assertBytes(99, 990, "grows more than 10 times");
        assertBytes(100, 1000, "has more than 1000 bytes");
        assertBytes(Long.MAX_VALUE / 10, 1000, "has more than 1000 bytes");
        assertBytes(Long.MAX_VALUE / 10 + 1, 1000, "has more than 1000 bytes");
        assertBytes(Long.MAX_VALUE, 1000, "has more than 1000 bytes");
    }

    private static void assertEntries(long packed, int most, String sentence) {
        UnpackBudget budget = budget(packed);
        for (int i = 0; i < most; i++) {
            budget.entry();
        }
        assertTooLarge(sentence, budget::entry);
    }

    @Test
    void an_image_has_a_file_for_24_packed_bytes_after_a_grace_and_never_beyond_the_bound() {
        assertEntries(0, 4000, "has more than 4000 files, too many for its size");
        assertEntries(24 * 4001, 4001, "too many for its size");
        assertEntries(24 * 10_000, 10_000, "has more than 10000 files;");
        assertEntries(Long.MAX_VALUE, 10_000, "has more than 10000 files;");
    }

    @Test
    void ten_directories_are_opened_for_a_file() {
        UnpackBudget budget = budget(0);

        budget.steps(39_999);
        budget.steps(1);
        assertTooLarge("too many directories", () -> budget.steps(1));
    }

    @Test
    void names_take_a_quarter_of_the_heap_at_most_each_with_its_objects() {
        long most = Math.clamp(Runtime.getRuntime().maxMemory() / 4, 16L << 20, 256L << 20);
        UnpackBudget budget = budget(0);
        String name = "n".repeat(4000);
        for (long i = 0; i < most / 8160; i++) {
            budget.remember(List.of(name));
        }
        for (long i = 0; i < most % 8160 / 160; i++) {
            budget.remember("");
        }

        assertTooLarge("more names than fit in " + (most >> 20) + " MiB", () -> budget.remember(List.of("", "")));
    }

    private static PackedLayer layer(String place, long size) {
        return new PackedLayer(Digest.of(new byte[0]), Optional.empty(), place, size, () -> {
            throw new IOException("it is not opened");
        });
    }

    /// The identifier of layers on each other is that of the OCI image specification, whoever computes it.
    @Test
    void what_was_counted_is_gone_on_with_and_nothing_else_is() {
        UnpackBudget before = budget(100);
        before.unpacked(600);
        before.spend(500);
        UnpackBudget after = budget(100);
        after.resume(before.used());
        after.unpacked(400);
        after.spend(500);
        assertTooLarge("has more than 1000 bytes", () -> after.unpacked(1));
        assertTooLarge("bytes of files", () -> after.spend(1));
        for (String other :
                new String[] {"", "1 2 3", "1 2 3 4 5", "1 2 3 x", "1 2 3 -4", " 1 2 3 4", "1 2 3 1234567890123456789"
                }) {
            assertThatThrownBy(() -> budget(0).resume(other.getBytes(StandardCharsets.US_ASCII)))
                    .isInstanceOfSatisfying(
                            ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.STORE_REFUSED));
        }
    }

    @Test
    void layers_on_each_other_have_one_digest() {
        Digest none = Digest.of(new byte[0]);
        List<PackedLayer> layers = List.of(layer("a", 1), layer("b", 1), layer("c", 1));
        var ids = layers.subList(0, 2).stream().map(_ -> none.toString()).toList();
        Digest two = Digest.of(String.join(" ", ids).getBytes(StandardCharsets.UTF_8));
        Digest three = Digest.of((two + " " + none).getBytes(StandardCharsets.UTF_8));

        assertThat(image(layers.subList(0, 1)).chainId()).isEqualTo(none);
        assertThat(image(layers.subList(0, 2)).chainId()).isEqualTo(two);
        assertThat(image(layers).chainId()).isEqualTo(three);
    }

    private static PackedImage image(List<PackedLayer> layers) {
        return new PackedImage(Digest.of(new byte[0]), ImageConfig.plain(List.of()), List.of(), layers);
    }

    @Test
    void a_layer_that_is_listed_twice_counts_once() {
        long large = 24L * 5000;
        UnpackBudget budget = UnpackBudget.of(image(List.of(layer("a", large), layer("b", 24), layer("a", large))));

        for (int i = 0; i < 5001; i++) {
            budget.entry();
        }
        assertTooLarge("has more than 5001 files", budget::entry);
    }

    private static TarBuilder tar() {
        return new TarBuilder();
    }

    private Unpacking unpacking(String name, UnpackLimits limits) throws IOException {
        return new Unpacking(Files.createDirectory(temporary.resolve(name)), limits, LayerUnpacker.Ownership.CALLER);
    }

    @Test
    void names_depth_links_and_owners_are_bounded_here() throws IOException {
        Unpacking standard = unpacking("standard", UnpackLimits.DEFAULT);
        String deepest = "d/".repeat(127) + "d";

        standard.layers(tar().pax("path", "x".repeat(255))
                .file("f", "x")
                .pax("path", "a/" + "./".repeat(2046) + "b")
                .file("f", "x")
                .pax("path", deepest)
                .directory("d")
                .pax("linkpath", "x".repeat(4095))
                .symbolicLink("l", "x")
                .owner(65_535, 65_535)
                .file("owned", "x")
                .build());

        assertThat(standard.tree()).containsKeys("x".repeat(255), "a/b", deepest, "l", "owned");
        standard.assertRefused(
                Code.TOO_LARGE,
                tar().pax("path", "a/" + "./".repeat(2046) + "bc")
                        .file("f", "x")
                        .build());
        unpacking("deep", UnpackLimits.DEFAULT)
                .assertRefused(
                        Code.TOO_LARGE,
                        tar().pax("path", deepest + "/e").directory("d").build());
        standard.assertRefused(
                Code.ID_OUT_OF_RANGE, tar().owner(0, 65_536).file("f", "x").build());
    }

    /// Once, and again where something on the way there was replaced: 3900 files would be 78,000 directories.
    @Test
    void a_directory_is_opened_once_for_all_its_files() throws IOException {
        TarBuilder layer = tar();
        String directory = "d/".repeat(20);
        for (int i = 0; i < 3900; i++) {
            layer.file(directory + i, "");
        }
        Path root = Files.createDirectory(temporary.resolve("root"));

        try (Fd opened = FileSystem.open(root.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
                var unpacker = new LayerUnpacker(
                        opened, new UnpackBudget(UnpackLimits.DEFAULT, 0), LayerUnpacker.Ownership.CALLER)) {
            unpacker.apply(new TarReader(new ByteArrayInputStream(layer.build())));
        }

        assertThat(root.resolve(directory)).isDirectoryContaining(path -> path.endsWith("3899"));
    }

    /// The name of the directory leads elsewhere from the second file on.
    @Test
    void a_directory_that_was_replaced_is_opened_again() throws IOException {
        Unpacking unpacking = unpacking("replaced", UnpackLimits.DEFAULT)
                .layers(tar().directory("a/")
                        .directory("b/")
                        .symbolicLink("l", "a")
                        .file("l/one", "")
                        .symbolicLink("l", "b")
                        .file("l/two", "")
                        .whiteout(".wh.a")
                        .file("l/three", "")
                        .build());

        assertThat(unpacking.tree().keySet()).containsExactlyInAnyOrder("a", "a/one", "b", "b/two", "b/three", "l");
    }

    @Test
    void content_is_bounded_file_by_file_and_in_all() throws IOException {
        var limits = new UnpackLimits(100, 60, 10, 4095, 128, 4096, 200, 1 << 20);

        unpacking("fits", limits)
                .layers(tar().file("a", "x".repeat(60))
                        .file("b", "x".repeat(40))
                        .build());
        unpacking("large", limits)
                .assertRefused(Code.TOO_LARGE, tar().file("a", "x".repeat(61)).build());
        unpacking("together", limits)
                .assertRefused(
                        Code.TOO_LARGE,
                        tar().file("a", "x".repeat(60))
                                .file("b", "x".repeat(41))
                                .build());
    }

    @Test
    void a_link_to_a_file_counts_as_a_copy_only_if_another_layer_has_brought_the_file() throws IOException {
        var limits = new UnpackLimits(100, 60, 10, 4095, 128, 4096, 200, 1 << 20);
        byte[] file = tar().file("a", "x".repeat(60)).build();
        byte[] link = tar().hardLink("b", "a").build();

        unpacking("same", limits)
                .layers(tar().file("a", "x".repeat(60))
                        .hardLink("b", "a")
                        .hardLink("c", "b")
                        .build());
        unpacking("below", limits).assertRefused(Code.TOO_LARGE, file, link);
    }

    @Test
    void an_extended_header_is_as_long_as_its_bound() throws IOException {
        var limits = new UnpackLimits(1 << 20, 1 << 20, 10, 4095, 128, 1000, 200, 1 << 20);
        String key = "comment=";
        int rest = 1000 - "1000 ".length() - key.length() - 1;

        unpacking("fits", limits)
                .layers(tar().pax("comment", "x".repeat(rest)).file("a", "x").build());
        unpacking("long", limits)
                .assertRefused(
                        Code.TOO_LARGE,
                        tar().pax("comment", "x".repeat(rest + 1))
                                .file("a", "x")
                                .build());
    }
}
