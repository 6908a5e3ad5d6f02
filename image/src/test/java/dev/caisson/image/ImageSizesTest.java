package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The bytes of images that share layers.
class ImageSizesTest {
    private static final byte[] ONE = new TarBuilder().file("one", "1").build();
    private static final byte[] TWO =
            new TarBuilder().file("two", "2".repeat(1000)).build();

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

    private StoredImage make(
            String name, Optional<StoredImage> base, List<Digest> below, byte[] tar, ImageNotes notes) {
        return store.make(
                base,
                List.of(new NewLayer(to -> to.write(tar), false)),
                added -> ("{\"os\":\"linux\",\"architecture\":\""
                                + Platform.running().architecture()
                                + "\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
                                + Stream.concat(below.stream(), added.stream())
                                        .map(digest -> "\"" + digest + "\"")
                                        .collect(Collectors.joining(","))
                                + "]}}")
                        .getBytes(StandardCharsets.UTF_8),
                ImageReference.parse(name),
                notes);
    }

    private StoredImage one() {
        return make("one", Optional.empty(), List.of(), ONE, ImageNotes.none());
    }

    private StoredImage two(StoredImage base) {
        return make("two", Optional.of(base), List.of(Digest.of(ONE)), TWO, ImageNotes.none());
    }

    private Path blobs() {
        return temporary.resolve("store/content/blobs/sha256");
    }

    private long stored() throws IOException {
        try (Stream<Path> all = Files.list(blobs())) {
            return all.mapToLong(file -> file.toFile().length()).sum();
        }
    }

    private long documents(StoredImage image) {
        return image.manifestSize() + store.config(image).length;
    }

    @Test
    void what_images_share_counts_once_and_is_of_none_alone() throws IOException {
        StoredImage one = one();
        StoredImage two = two(one);
        Files.write(blobs().resolve("left.partial"), new byte[7]);
        ImageSizes sizes = store.sizes();
        long ofOne = documents(one) + ONE.length;
        assertThat(sizes.of(List.of(one))).isEqualTo(ofOne);
        assertThat(sizes.of(List.of(two))).isEqualTo(documents(two) + ONE.length + TWO.length);
        assertThat(sizes.of(List.of(one, two))).isEqualTo(ofOne + documents(two) + TWO.length);
        assertThat(sizes.of(List.of())).isZero();
        assertThat(sizes.all()).isEqualTo(stored()).isEqualTo(ofOne + documents(two) + TWO.length + 7);
        assertThat(sizes.alone(one, List.of(one, two))).isEqualTo(documents(one));
        assertThat(sizes.alone(two, List.of(one, two))).isEqualTo(documents(two) + TWO.length);
        assertThat(sizes.alone(two, List.of())).isEqualTo(sizes.of(List.of(two)));
    }

    @Test
    void an_image_under_two_names_is_no_other_image() {
        StoredImage one = one();
        StoredImage named = store.tag(one, ImageReference.parse("named"));
        ImageSizes sizes = store.sizes();
        assertThat(sizes.alone(one, List.of(one, named))).isEqualTo(sizes.of(List.of(named, one)));
        assertThat(sizes.of(List.of(one))).isEqualTo(documents(one) + ONE.length);
    }

    @Test
    void statements_are_of_their_image_also_when_it_is_there_without_them() throws IOException {
        StoredImage plain = one();
        StoredImage stated = make(
                "stated",
                Optional.empty(),
                List.of(),
                ONE,
                new ImageNotes(Map.of(), Map.of(), Optional.of(new ImageNotes.Statement("p", _ -> new byte[1000]))));
        assertThat(stated.manifest()).isEqualTo(plain.manifest());
        ImageSizes sizes = store.sizes();
        assertThat(sizes.all()).isEqualTo(stored());
        assertThat(sizes.of(List.of(plain))).isEqualTo(stored());
        assertThat(sizes.of(List.of(stated))).isEqualTo(stored());
        assertThat(sizes.all()).isGreaterThan(documents(plain) + ONE.length + 1000);
    }

    @Test
    void an_image_whose_documents_are_damaged_has_what_can_be_told_of_it() throws IOException {
        StoredImage one = one();
        StoredImage two = two(one);
        long config = store.config(two).length;
        Files.write(blobs().resolve(store.describe(two).id().hex()), new byte[(int) config]);
        ImageSizes sizes = store.sizes();
        assertThat(sizes.of(List.of(one))).isEqualTo(documents(one) + ONE.length);
        assertThat(sizes.of(List.of(two))).isEqualTo(two.manifestSize() + config + ONE.length + TWO.length);

        Files.write(blobs().resolve(two.manifest().hex()), new byte[(int) two.manifestSize()]);
        sizes = store.sizes();
        assertThat(sizes.of(List.of(two))).isEqualTo(two.manifestSize());
        assertThat(sizes.alone(one, List.of(one, two))).isEqualTo(documents(one) + ONE.length);
        assertThat(sizes.all()).isEqualTo(stored());
    }

    @Test
    void an_index_that_is_damaged_leaves_the_image_its_own() throws IOException {
        StoredImage stated = make(
                "stated",
                Optional.empty(),
                List.of(),
                ONE,
                new ImageNotes(Map.of(), Map.of(), Optional.of(new ImageNotes.Statement("p", _ -> new byte[1000]))));
        ImageIndex index = stated.index().orElseThrow();
        Files.write(blobs().resolve(index.digest().hex()), new byte[(int) index.size()]);
        assertThat(store.sizes().of(List.of(stated))).isEqualTo(documents(stated) + ONE.length);
    }

    @Tag("root")
    @Test
    void unpacked_layers_count_for_each_image_that_has_them() {
        StoredImage one = one();
        StoredImage two = two(one);
        long packed = store.sizes().all();
        assertThat(store.resolve(new Image.Named(ImageReference.parse("two")), ProgressListener.none())
                        .layers())
                .isNotEmpty();
        ImageSizes sizes = store.sizes();
        assertThat(sizes.all()).isEqualTo(packed + 1001);
        assertThat(sizes.of(List.of(one))).isEqualTo(documents(one) + ONE.length + 1);
        assertThat(sizes.of(List.of(two))).isEqualTo(documents(two) + ONE.length + TWO.length + 1001);
        assertThat(sizes.alone(two, List.of(one))).isEqualTo(documents(two) + TWO.length + 1000);
    }
}
