package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Archives of images: written from one store, read into another, and those that are refused, which leave nothing.
@Timeout(60)
class ImageArchiveTest {
    private static final byte[] LAYER = new TarBuilder().file("new", "x").build();
    private static final String CONFIG = config(Digest.of(LAYER));

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

    private static String config(Digest diffId) {
        return "{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                + "\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + diffId + "\"]}}";
    }

    private StoredImage sample(ImageStore to) throws IOException {
        try (var registry = new ScriptedRegistry(ScriptedRegistry.serving(new SampleImage("y")))) {
            StoredImage pulled = to.pull(
                    ImageReference.parse(registry.name() + "/app:1"), RegistryLogins.none(), PullListener.none());
            return to.tag(pulled, ImageReference.parse("app:1"));
        }
    }

    private static byte[] saved(ImageStore from, ArchiveForm form, StoredImage... images) throws IOException {
        var out = new ByteArrayOutputStream();
        from.save(List.of(images), form, out);
        return out.toByteArray();
    }

    private List<StoredImage> load(byte[] archive) {
        return store.load(new ByteArrayInputStream(archive), "the archive", Platform.running(), _ -> {});
    }

    private List<String> blobs() throws IOException {
        try (Stream<Path> files = Files.list(temporary.resolve("store/content/blobs/sha256"))) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_saved_image_is_the_same_image_where_it_is_loaded(ArchiveForm form) throws IOException {
        try (ImageStore other = ImageStore.open(temporary.resolve("other"))) {
            StoredImage image = sample(other);
            StoredImage second = other.tag(image, ImageReference.parse("127.0.0.1:5000/more/app:2"));
            byte[] archive = saved(other, form, image, second);
            assertThat(saved(other, form, image, second)).isEqualTo(archive);

            List<StoredImage> loaded = load(archive);
            assertThat(loaded).extracting(StoredImage::name).containsExactly("app:1", "127.0.0.1:5000/more/app:2");
            assertThat(loaded).extracting(StoredImage::manifest).containsOnly(image.manifest());
            assertThat(store.config(loaded.getFirst())).isEqualTo(other.config(image));
            assertThat(saved(store, form, loaded.toArray(StoredImage[]::new))).isEqualTo(archive);
            assertThat(blobs()).hasSize(4);
        }
    }

    @Test
    void an_archive_may_be_compressed_as_a_whole() throws IOException {
        StoredImage image = sample(store);
        var packed = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(packed)) {
            gzip.write(saved(store, ArchiveForm.DOCKER, image.withoutTag()));
        }
        store.remove(java.util.Set.copyOf(store.images()));
        assertThat(blobs()).isEmpty();
        assertThat(load(packed.toByteArray())).singleElement().satisfies(loaded -> {
            assertThat(loaded.tag()).isEmpty();
            assertThat(loaded.manifest()).isEqualTo(image.manifest());
        });
    }

    private static String image(String config, String layer, String tags) {
        return "[{\"Config\":\"" + config + "\",\"Layers\":[\"" + layer + "\"],\"RepoTags\":[" + tags + "]}]";
    }

    private static TarBuilder docker(String manifest) {
        return new TarBuilder()
                .member('0', "d/layer.tar", "", LAYER)
                .file("c.json", CONFIG)
                .file("manifest.json", manifest);
    }

    @Test
    void the_older_form_of_docker_with_links_is_read_and_runs() throws IOException {
        byte[] archive = docker(image("c.json", "e/layer.tar", "\"old:1\",\"old:2\""))
                .symbolicLink("e/layer.tar", "../d/layer.tar")
                .build();
        assertThat(load(archive)).extracting(StoredImage::name).containsExactly("old:1", "old:2");
        StoredImage old = store.find(ImageReference.parse("old:1")).orElseThrow();
        assertThat(store.describe(old).id()).isEqualTo(Digest.of(CONFIG.getBytes(StandardCharsets.UTF_8)));
        assertThat(store.layers(old)).extracting(ImageLayer::blob).containsExactly(Digest.of(LAYER));
    }

    @Test
    void a_loaded_layer_has_the_type_that_its_first_bytes_show() throws IOException {
        byte[] gzip = SampleImage.gzip(LAYER);
        byte[] manifest = image("c.json", "z", "\"z:1\"").getBytes(StandardCharsets.US_ASCII);
        load(new TarBuilder()
                .member('0', "z", "", gzip)
                .file("c.json", CONFIG)
                .member('0', "manifest.json", "", manifest)
                .build());
        load(docker(image("c.json", "d/layer.tar", "\"plain:1\"")).build());
        assertThat(layerType("z:1")).isEqualTo("application/vnd.oci.image.layer.v1.tar+gzip");
        byte[] zstd = new byte[LAYER.length + 9]; // a frame of one raw block, as large as it says
        var frame = java.nio.ByteBuffer.wrap(zstd).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        frame.putInt(0xfd2fb528).put((byte) 0).put((byte) (3 << 3));
        frame.put((byte) (LAYER.length << 3 | 1))
                .put((byte) (LAYER.length >> 5))
                .put((byte) (LAYER.length >> 13));
        frame.put(LAYER);
        load(new TarBuilder()
                .member('0', "z", "", zstd)
                .file("c.json", CONFIG)
                .file("manifest.json", image("c.json", "z", "\"zstd:1\""))
                .build());
        assertThat(layerType("plain:1")).isEqualTo("application/vnd.oci.image.layer.v1.tar");
        assertThat(layerType("zstd:1")).isEqualTo("application/vnd.oci.image.layer.v1.tar+zstd");
        StoredImage packed = store.find(ImageReference.parse("zstd:1")).orElseThrow();
        assertThat(store.check(packed).isSound()).isTrue();
    }

    @Test
    void a_layer_that_begins_only_half_as_a_packed_one_is_compared() {
        for (int[] begin : new int[][] {{0x1f, 0}, {0, 0x8b}, {0x28, 0}, {0, 0xb5}, {0x28}, {0x1f}, {}}) {
            byte[] layer = new byte[begin.length < 2 ? begin.length : 600];
            for (int i = 0; i < begin.length; i++) {
                layer[i] = (byte) begin[i];
            }
            byte[] archive = new TarBuilder()
                    .member('0', "z", "", layer)
                    .file("c.json", CONFIG)
                    .file("manifest.json", image("c.json", "z", "\"z:1\""))
                    .build();
            var refused = catchThrowableOfType(ImageException.class, () -> load(archive));
            assertThat(refused.reason()).as(Arrays.toString(begin)).isEqualTo(Code.DIGEST_MISMATCH);
        }
    }

    @Test
    void a_configuration_of_an_archive_may_have_three_mebibytes_and_not_five() {
        for (int size : new int[] {3 << 20, 5 << 20}) {
            byte[] archive = new TarBuilder()
                    .member('0', "z", "", LAYER)
                    .file("c.json", CONFIG + " ".repeat(size))
                    .file("manifest.json", image("c.json", "z", "\"z:1\""))
                    .build();
            if (size == 3 << 20) {
                assertThat(load(archive)).hasSize(1);
            } else {
                assertThat(catchThrowableOfType(ImageException.class, () -> load(archive))
                                .reason())
                        .isEqualTo(Code.TOO_LARGE);
            }
        }
    }

    private String layerType(String name) throws IOException {
        StoredImage image = store.find(ImageReference.parse(name)).orElseThrow();
        String manifest = Files.readString(temporary
                .resolve("store/content/blobs/sha256")
                .resolve(image.manifest().hex()));
        var layers = JsonObject.parse("it", manifest.getBytes(StandardCharsets.UTF_8))
                .objects("layers");
        return layers.getFirst().required("mediaType");
    }

    /// As docker save has written it since version 25, beside a layout that some tools take out.
    @Test
    void a_layer_may_be_named_as_a_blob_of_its_digest() throws IOException {
        String name = "blobs/sha256/" + Digest.of(LAYER).hex();
        byte[] archive = new TarBuilder()
                .member('0', name, "", LAYER)
                .file("c.json", CONFIG)
                .file("manifest.json", image("c.json", name, "\"a:1\""))
                .build();
        assertThat(load(archive)).extracting(StoredImage::name).containsExactly("a:1");
    }

    @Test
    void an_image_without_a_name_has_null_in_the_place_of_its_names() throws IOException {
        String archive =
                new String(saved(store, ArchiveForm.DOCKER, sample(store).withoutTag()), StandardCharsets.ISO_8859_1);
        assertThat(archive).contains("\"RepoTags\":null");
        store.remove(java.util.Set.copyOf(store.images()));
        assertThat(load(archive.getBytes(StandardCharsets.ISO_8859_1)))
                .singleElement()
                .satisfies(loaded -> assertThat(loaded.tag()).isEmpty());
    }

    /// A layout's `index.json` with another name in it.
    @ParameterizedTest
    @CsvSource({
        "app:1, docker.io/library/app, 1",
        "127.0.0.1:5000/app:2, 127.0.0.1:5000/app, 2",
        "team/app, docker.io/team/app, latest",
        "latest, localhost/loaded, ''",
    })
    void a_name_of_a_layout_has_a_repository(String name, String repository, String tag) throws IOException {
        var named = new TarBuilder();
        var reader = new TarReader(new ByteArrayInputStream(saved(store, ArchiveForm.OCI, sample(store))));
        for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
            if (next.get().kind() == TarEntry.Kind.FILE) {
                var content = new ByteArrayOutputStream();
                reader.content((bytes, length, _) -> content.write(bytes, 0, length));
                byte[] other = content.toString(StandardCharsets.ISO_8859_1)
                        .replace("\"docker.io/library/app:1\"", "\"" + name + "\"")
                        .getBytes(StandardCharsets.ISO_8859_1);
                named.member('0', next.get().name(), "", other);
            }
        }
        assertThat(load(named.build())).singleElement().satisfies(loaded -> {
            assertThat(loaded.repository()).isEqualTo(repository);
            assertThat(loaded.tag().orElse("")).isEqualTo(tag);
        });
    }

    /// A tag that another image had leaves that one without a name.
    @Test
    void a_loaded_name_moves() throws IOException {
        StoredImage before = sample(store);
        load(docker(image("c.json", "d/layer.tar", "\"app:1\"")).build());
        assertThat(store.find(ImageReference.parse("app:1")).orElseThrow().manifest())
                .isNotEqualTo(before.manifest());
        assertThat(store.images()).anyMatch(image -> image.equals(before.withoutTag()));
    }

    @SuppressWarnings("ImmutableEnumChecker") // nothing changes its archives
    enum Hostile {
        NO_ARCHIVE(Code.BAD_ARCHIVE, "x".repeat(2000).getBytes(StandardCharsets.US_ASCII)),
        CUT(Code.BAD_ARCHIVE, java.util.Arrays.copyOf(docker("[]").build(), 700)),
        NOTHING(Code.BAD_MANIFEST, new TarBuilder().file("a", "b").build()),
        EMPTY(Code.BAD_MANIFEST, docker("[]").build()),
        NO_JSON(Code.BAD_MANIFEST, docker("{").build()),
        NO_LAYER(
                Code.BAD_MANIFEST,
                docker(image("c.json", "x/layer.tar", "\"a:1\"")).build()),
        LINK_LOOP(
                Code.BAD_MANIFEST,
                docker(image("c.json", "x", "\"a:1\"")).symbolicLink("x", "x").build()),
        LINK_OUT(
                Code.BAD_MANIFEST,
                docker(image("c.json", "x", "\"a:1\""))
                        .symbolicLink("x", "/etc/passwd")
                        .build()),
        TWICE(
                Code.BAD_MANIFEST,
                docker(image("c.json", "d/layer.tar", "\"a:1\""))
                        .file("./c.json", CONFIG)
                        .build()),
        OTHER_LAYER(
                Code.DIGEST_MISMATCH,
                new TarBuilder()
                        .file("l", "other")
                        .file("c.json", CONFIG)
                        .file("manifest.json", image("c.json", "l", "\"a:1\""))
                        .build()),
        OTHER_NAME(
                Code.DIGEST_MISMATCH,
                new TarBuilder()
                        .member('0', "d/layer.tar", "", LAYER)
                        .file("0".repeat(64) + ".json", CONFIG)
                        .file("manifest.json", image("0".repeat(64) + ".json", "d/layer.tar", "\"a:1\""))
                        .build()),
        BAD_NAME(
                Code.BAD_NAME,
                docker(image("c.json", "d/layer.tar", "\"../../etc:1\"")).build()),
        OTHER_MACHINE(
                Code.PLATFORM_FOREIGN,
                new TarBuilder()
                        .member('0', "d/layer.tar", "", LAYER)
                        .file("c.json", CONFIG.replace(Platform.running().architecture(), "mips"))
                        .file("manifest.json", image("c.json", "d/layer.tar", "\"a:1\""))
                        .build()),
        RENAMED_LAYER(
                Code.DIGEST_MISMATCH,
                docker(image("c.json", "blobs/sha256/" + "0".repeat(64), "\"a:1\""))
                        .member('0', "blobs/sha256/" + "0".repeat(64), "", LAYER)
                        .build()),
        SPECIAL(
                Code.BAD_MANIFEST,
                docker("[]").member('3', "dev", "", new byte[0]).build());

        private final Code code;
        private final byte[] archive;

        Hostile(Code code, byte[] archive) {
            this.code = code;
            this.archive = archive;
        }
    }

    @ParameterizedTest
    @EnumSource
    void what_is_no_archive_of_images_is_refused_and_leaves_nothing(Hostile hostile) throws IOException {
        StoredImage before = sample(store);
        List<String> blobs = blobs();
        var refused = catchThrowableOfType(ImageException.class, () -> load(hostile.archive));
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).as(refused.sentence()).isEqualTo(hostile.code);
        assertThat(blobs()).containsExactlyInAnyOrderElementsOf(blobs);
        assertThat(store.images()).contains(before).hasSize(2);
    }

    /// Two readers of one archive would load two images.
    @Test
    void an_archive_whose_documents_name_different_images_is_refused() throws IOException {
        String layout = new String(saved(store, ArchiveForm.OCI, sample(store)), StandardCharsets.ISO_8859_1);
        var both = new TarBuilder();
        var reader = new TarReader(new ByteArrayInputStream(layout.getBytes(StandardCharsets.ISO_8859_1)));
        for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
            if (next.get().kind() == TarEntry.Kind.FILE) {
                var content = new ByteArrayOutputStream();
                reader.content((bytes, length, _) -> content.write(bytes, 0, length));
                both.member('0', next.get().name(), "", content.toByteArray());
            }
        }
        both.member('0', "d/layer.tar", "", LAYER).file("c.json", CONFIG);
        byte[] archive = both.file("manifest.json", image("c.json", "d/layer.tar", "\"app:1\""))
                .build();
        var refused = catchThrowableOfType(ImageException.class, () -> load(archive));
        assertThat(refused).hasMessageContaining("other images in manifest.json than in index.json");
    }

    @Test
    void a_layout_that_lacks_a_blob_is_refused_though_the_store_has_it() throws IOException {
        StoredImage image = sample(store);
        var lacking = new TarBuilder();
        var reader = new TarReader(new ByteArrayInputStream(saved(store, ArchiveForm.OCI, image)));
        String layer = store.layers(image).getFirst().blob().hex();
        for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
            if (next.get().kind() == TarEntry.Kind.FILE && !next.get().name().endsWith(layer)) {
                var content = new ByteArrayOutputStream();
                reader.content((bytes, length, _) -> content.write(bytes, 0, length));
                lacking.member('0', next.get().name(), "", content.toByteArray());
            }
        }
        var refused = catchThrowableOfType(ImageException.class, () -> load(lacking.build()));
        assertThat(refused).hasMessageContaining("has no blobs/sha256/" + layer);
    }

    /// With another content, or a size that its documents do not say.
    @Test
    void a_layout_whose_blob_is_not_what_its_name_says_is_refused() throws IOException {
        StoredImage image = sample(store);
        String layer = store.layers(image).getFirst().blob().hex();
        var changed = new TarBuilder();
        var reader = new TarReader(new ByteArrayInputStream(saved(store, ArchiveForm.OCI, image)));
        for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
            if (next.get().kind() == TarEntry.Kind.FILE) {
                var content = new ByteArrayOutputStream();
                reader.content((bytes, length, _) -> content.write(bytes, 0, length));
                byte[] bytes = content.toByteArray();
                bytes[bytes.length - 1] ^= (byte) (next.get().name().endsWith(layer) ? 1 : 0);
                changed.member('0', next.get().name(), "", bytes);
            }
        }
        var refused = catchThrowableOfType(ImageException.class, () -> load(changed.build()));
        assertThat(refused.reason()).isEqualTo(Code.DIGEST_MISMATCH);
        assertThat(refused).hasMessageContaining(layer).hasMessageContaining("is not what its name says");
    }

    @Test
    void a_small_archive_that_grows_without_end_is_refused_before_it_fills_the_disk() throws IOException {
        var packed = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(packed)) {
            gzip.write(new TarBuilder().header('0', "layer.tar", "", 400L << 20).withoutEnd());
            for (int i = 0; i < 40; i++) {
                gzip.write(new byte[1 << 20]);
            }
        }
        var refused = catchThrowableOfType(ImageException.class, () -> load(packed.toByteArray()));
        assertThat(refused.reason()).as(refused.sentence()).isEqualTo(Code.TOO_LARGE);
        assertThat(blobs()).isEmpty();
    }

    @Test
    void a_damaged_blob_is_not_saved() throws IOException {
        StoredImage image = sample(store);
        Path layer = temporary
                .resolve("store/content/blobs/sha256")
                .resolve(store.layers(image).getFirst().blob().hex());
        byte[] content = Files.readAllBytes(layer);
        content[content.length - 9] ^= 1;
        Files.write(layer, content);
        var refused = catchThrowableOfType(ImageException.class, () -> saved(store, ArchiveForm.OCI, image));
        assertThat(refused.reason()).isEqualTo(Code.DIGEST_MISMATCH);
    }

    // ---- root file systems

    private StoredImage imported(byte[] archive, String... name) {
        InputStream in = new ByteArrayInputStream(archive);
        return store.importRoot(
                in,
                "the archive",
                layer -> layer,
                digests -> config(digests.getFirst()).getBytes(StandardCharsets.UTF_8),
                Stream.of(name).map(ImageReference::parse).findFirst());
    }

    @Test
    void a_root_file_system_becomes_an_image_of_one_layer_also_compressed_and_without_a_name() throws IOException {
        StoredImage plain = imported(LAYER, "root:1");
        assertThat(store.layers(plain)).extracting(ImageLayer::diffId).containsExactly(Digest.of(LAYER));
        StoredImage packed = imported(SampleImage.gzip(LAYER));
        assertThat(packed.tag()).isEmpty();
        assertThat(packed.manifest()).isEqualTo(plain.manifest());
    }

    @Test
    void an_empty_archive_is_an_empty_root_file_system() throws IOException {
        assertThat(store.layers(imported(new byte[1024], "root:1")))
                .extracting(ImageLayer::diffId)
                .containsExactly(Digest.of(new byte[1024]));
        var refused = catchThrowableOfType(ImageException.class, () -> imported(new byte[0], "root:1"));
        assertThat(refused).hasMessageContaining("the archive is empty");
    }

    /// Its map is read byte by byte.
    @Test
    void a_sparse_file_is_imported_as_it_is() throws IOException {
        byte[] map = new byte[512];
        System.arraycopy("1\n0\n3\n".getBytes(StandardCharsets.US_ASCII), 0, map, 0, 6);
        byte[] content = java.util.Arrays.copyOf(map, 515);
        byte[] archive = new TarBuilder()
                .pax("GNU.sparse.major", "1")
                .pax("GNU.sparse.minor", "0")
                .pax("GNU.sparse.name", "sparse")
                .pax("GNU.sparse.realsize", "3")
                .member('0', "GNUSparseFile.0/sparse", "", content)
                .build();
        assertThat(store.layers(imported(archive, "root:1")))
                .extracting(ImageLayer::diffId)
                .containsExactly(Digest.of(archive));
        byte[] cut = java.util.Arrays.copyOf(archive, 512 + 1024 + 3);
        var refused = catchThrowableOfType(ImageException.class, () -> imported(cut, "cut:1"));
        assertThat(refused).hasMessageContaining("a sparse map that is cut off");
    }

    @Test
    void what_is_no_root_file_system_leaves_nothing() throws IOException {
        var archives = new ArrayList<byte[]>();
        archives.add(new byte[0]);
        archives.add("no archive".getBytes(StandardCharsets.US_ASCII));
        archives.add(java.util.Arrays.copyOf(LAYER, 600));
        for (byte[] archive : archives) {
            var refused = catchThrowableOfType(ImageException.class, () -> imported(archive, "root:1"));
            assertThat(refused.reason()).as(refused.sentence()).isEqualTo(Code.BAD_ARCHIVE);
        }
        assertThat(store.images()).isEmpty();
        assertThat(blobs()).isEmpty();
    }
}
