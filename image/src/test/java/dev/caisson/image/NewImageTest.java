package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Images that are made here, of new layers alone or above those of another one.
class NewImageTest {
    private static final byte[] ONE = new TarBuilder().file("one", "1").build();
    private static final byte[] TWO =
            new TarBuilder().file("two", "2".repeat(1000)).build();

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    @SuppressWarnings("NullAway.Init") // set before each test
    private ImageStore store;

    private final List<Digest> given = new ArrayList<>();

    @BeforeEach
    void open() {
        store = ImageStore.open(temporary.resolve("store"));
    }

    @AfterEach
    void close() {
        store.close();
    }

    private static NewLayer layer(byte[] tar, boolean compress) {
        return new NewLayer(
                to -> {
                    to.write(tar[0]);
                    to.write(tar, 1, tar.length - 1);
                },
                compress);
    }

    private static byte[] config(List<Digest> layers) {
        return ("{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
                        + layers.stream().map(digest -> "\"" + digest + "\"").collect(Collectors.joining(","))
                        + "]}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private StoredImage make(Optional<StoredImage> base, List<Digest> below, NewLayer... layers) {
        return store.make(
                base,
                List.of(layers),
                added -> {
                    given.clear();
                    given.addAll(added);
                    return config(Stream.concat(below.stream(), added.stream()).toList());
                },
                ImageReference.parse("made:" + (base.isPresent() ? 2 : 1)));
    }

    private Path blob(Digest digest) {
        return temporary.resolve("store/content/blobs/sha256").resolve(digest.hex());
    }

    private JsonObject manifest(StoredImage image) throws IOException {
        return JsonObject.parse("it", Files.readAllBytes(blob(image.manifest())));
    }

    private List<String> types(StoredImage image) throws IOException {
        return manifest(image).objects("layers").stream()
                .map(each -> each.required("mediaType").replace("application/vnd.oci.image.layer.v1.", ""))
                .toList();
    }

    @Test
    void an_image_has_its_layers_in_order_packed_or_not() throws IOException {
        StoredImage image = make(Optional.empty(), List.of(), layer(ONE, false), layer(TWO, true));
        assertThat(given).containsExactly(Digest.of(ONE), Digest.of(TWO));
        assertThat(store.layers(image)).extracting(ImageLayer::diffId).isEqualTo(given);
        assertThat(types(image)).containsExactly("tar", "tar+gzip");
        assertThat(store.layers(image).getFirst().blob()).isEqualTo(Digest.of(ONE));
        assertThat(store.layers(image).getLast().size()).isLessThan(TWO.length);
        assertThat(store.check(image).isSound()).isTrue();
        assertThat(image.name()).isEqualTo("made:1");
        assertThat(image.manifest()).isEqualTo(image.pulled());
        assertThat(image.mediaType()).isEqualTo("application/vnd.oci.image.manifest.v1+json");
        assertThat(manifest(image).required("mediaType")).isEqualTo(image.mediaType());
        assertThat(manifest(image).number("schemaVersion")).contains(2L);
        assertThat(make(Optional.empty(), List.of(), layer(ONE, false), layer(TWO, true))
                        .manifest())
                .isEqualTo(image.manifest());
    }

    @Test
    void an_image_above_another_one_has_its_layers_below() throws IOException {
        StoredImage base = make(Optional.empty(), List.of(), layer(ONE, true));
        StoredImage image = make(Optional.of(base), List.of(Digest.of(ONE)), layer(TWO, false));
        assertThat(given).containsExactly(Digest.of(TWO));
        assertThat(store.layers(image)).extracting(ImageLayer::diffId).containsExactly(Digest.of(ONE), Digest.of(TWO));
        assertThat(store.layers(image).getFirst()).isEqualTo(store.layers(base).getFirst());
        assertThat(types(image)).containsExactly("tar+gzip", "tar");
        assertThat(store.images()).containsExactly(base, image);
    }

    @Test
    void a_configuration_that_names_other_layers_is_refused() {
        StoredImage base = make(Optional.empty(), List.of(), layer(ONE, false));
        for (List<Digest> below : List.of(List.<Digest>of(), List.of(Digest.of(TWO)))) {
            var refused =
                    catchThrowableOfType(ImageException.class, () -> make(Optional.of(base), below, layer(TWO, false)));
            assertThat(refused.reason()).isEqualTo(Code.BAD_MANIFEST);
            assertThat(refused).hasMessageContaining("names other layers than the image has");
        }
        assertThat(store.images()).containsExactly(base);
    }

    @Test
    void layers_of_docker_s_types_get_the_oci_s() throws IOException {
        StoredImage base = make(Optional.empty(), List.of(), layer(ONE, false));
        String docker = Files.readString(blob(base.manifest()))
                .replace("application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar");
        byte[] bytes = docker.getBytes(StandardCharsets.UTF_8);
        Files.write(blob(Digest.of(bytes)), bytes);
        var changed = new StoredImage(
                base.repository(), base.tag(), Digest.of(bytes), base.pulled(), base.mediaType(), bytes.length, 1);
        assertThat(types(make(Optional.of(changed), List.of(Digest.of(ONE)), layer(TWO, false))))
                .containsExactly("tar", "tar");
    }

    @Test
    void a_layer_may_lie_in_a_file() throws IOException {
        Path file = Files.write(temporary.resolve("layer.tar"), TWO);
        StoredImage image = make(Optional.empty(), List.of(), NewLayer.of(file, true), NewLayer.of(file, false));
        assertThat(given).containsExactly(Digest.of(TWO), Digest.of(TWO));
        assertThat(types(image)).containsExactly("tar+gzip", "tar");
    }

    @Test
    void a_name_has_a_tag_and_no_digest() {
        for (String name : List.of("app@" + Digest.of(ONE), "app:1@" + Digest.of(ONE))) {
            var refused = catchThrowableOfType(
                    ImageException.class,
                    () -> store.make(
                            Optional.empty(),
                            List.of(layer(ONE, false)),
                            NewImageTest::config,
                            ImageReference.parse(name)));
            assertThat(refused.reason()).isEqualTo(Code.BAD_NAME);
        }
    }
}
