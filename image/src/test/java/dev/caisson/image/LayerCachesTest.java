package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import dev.caisson.image.ImageException.Code;
import dev.caisson.image.ScriptedRegistry.Request;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Layers on their way out of one store, through a registry or a layout, and into another one.
@Timeout(60)
class LayerCachesTest {
    private static final String TYPE = "application/vnd.caisson.build.v1+json";
    private static final String CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
    private static final byte[] ONE = new TarBuilder().file("one", "1").build();
    private static final byte[] TWO =
            new TarBuilder().file("two", "2".repeat(1000)).build();
    private static final byte[] RECORD = "{\"steps\":[]}".getBytes(StandardCharsets.UTF_8);

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path root;

    @SuppressWarnings("NullAway.Init") // set before each test
    private ImageStore store;

    @SuppressWarnings("NullAway.Init") // set before each test
    private ImageStore other;

    @BeforeEach
    void open() throws IOException {
        root = temporary.toRealPath();
        store = ImageStore.open(root.resolve("store"));
        other = ImageStore.open(root.resolve("other"));
    }

    @AfterEach
    void close() {
        store.close();
        other.close();
    }

    private static byte[] config(List<Digest> layers) {
        return ("{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
                        + layers.stream().map(digest -> "\"" + digest + "\"").collect(Collectors.joining(","))
                        + "]}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static StoredImage make(
            ImageStore in, String name, Optional<StoredImage> base, List<Digest> below, byte[] tar, boolean compress) {
        return in.make(
                base,
                List.of(new NewLayer(to -> to.write(tar), compress)),
                added -> config(Stream.concat(below.stream(), added.stream()).toList()),
                ImageReference.parse(name));
    }

    private StoredImage one() {
        return make(store, "one", Optional.empty(), List.of(), ONE, false);
    }

    private StoredImage two() {
        return make(store, "two", Optional.of(one()), List.of(Digest.of(ONE)), TWO, true);
    }

    private Digest lastBlob(StoredImage image) {
        return store.layers(image).getLast().blob();
    }

    private CachePlace.InDirectory directory() {
        return new CachePlace.InDirectory(root.resolve("cache"));
    }

    private static CachePlace in(ScriptedRegistry registry, String name) {
        return new CachePlace.InRegistry(ImageReference.parse(registry.name() + name), RegistryLogins.none());
    }

    private Path blobOf(String store, Digest digest) {
        return root.resolve(store).resolve("content/blobs/sha256").resolve(digest.hex());
    }

    private Path cached(Digest digest) {
        return root.resolve("cache/blobs/sha256").resolve(digest.hex());
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private byte[] manifest(List<StoredImage> images) throws IOException {
        var layers = new ArrayList<String>();
        for (StoredImage image : images) {
            ImageLayer layer = store.layers(image).getLast();
            String type =
                    Files.readString(blobOf("store", image.manifest())).contains("+gzip\",\"digest\":\"" + layer.blob())
                            ? "+gzip"
                            : "";
            layers.add("{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar" + type + "\",\"digest\":\""
                    + layer.blob() + "\",\"size\":" + layer.size() + "}");
        }
        return ("{\"schemaVersion\":2,\"mediaType\":\"" + SampleImage.MANIFEST_TYPE + "\",\"config\":{\"mediaType\":\""
                        + TYPE + "\",\"digest\":\"" + Digest.of(RECORD) + "\",\"size\":" + RECORD.length
                        + "},\"layers\":[" + String.join(",", layers) + "]}")
                .getBytes(StandardCharsets.UTF_8);
    }

    // ---- out

    @Test
    void a_layout_gets_the_last_layer_of_each_image_the_record_and_a_manifest() throws IOException {
        StoredImage one = one();
        StoredImage two = two();
        store.caches().write(directory(), TYPE, RECORD, List.of(two, one, two));

        byte[] manifest = manifest(List.of(two, one));
        assertThat(names(root.resolve("cache"))).containsExactly("blobs", "index.json", "oci-layout");
        assertThat(names(root.resolve("cache/blobs/sha256")))
                .containsExactlyInAnyOrder(
                        lastBlob(one).hex(),
                        lastBlob(two).hex(),
                        Digest.of(RECORD).hex(),
                        Digest.of(manifest).hex());
        assertThat(cached(lastBlob(one))).hasBinaryContent(ONE);
        assertThat(cached(lastBlob(two))).hasSameBinaryContentAs(blobOf("store", lastBlob(two)));
        assertThat(cached(Digest.of(RECORD))).hasBinaryContent(RECORD);
        assertThat(cached(Digest.of(manifest))).hasBinaryContent(manifest);
        assertThat(root.resolve("cache/oci-layout")).hasContent("{\"imageLayoutVersion\":\"1.0.0\"}");
        assertThat(root.resolve("cache/index.json"))
                .hasContent("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
                        + "\"manifests\":[{\"mediaType\":\"" + SampleImage.MANIFEST_TYPE + "\",\"digest\":\""
                        + Digest.of(manifest) + "\",\"size\":" + manifest.length
                        + ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"latest\"}}]}");
        assertThat(OpenFiles.below(root.resolve("store/content/pulls"))).isZero();
        assertThat(OpenFiles.below(root.resolve("store/content/blobs/sha256")))
                .as("the directory alone")
                .isOne();
    }

    @Test
    void what_a_layout_has_of_the_same_size_is_not_written_again() throws IOException {
        StoredImage one = one();
        store.caches().write(directory(), TYPE, RECORD, List.of(one));
        Path layer = cached(lastBlob(one));
        byte[] changed = ONE.clone();
        changed[0] ^= 1;
        Files.write(layer, changed);
        store.caches().write(directory(), TYPE, RECORD, List.of(one));
        assertThat(layer).hasBinaryContent(changed);

        Files.write(layer, new byte[] {1});
        Files.write(layer.resolveSibling(lastBlob(one).hex() + ".partial"), new byte[] {2});
        store.caches().write(directory(), TYPE, RECORD, List.of(one));
        assertThat(layer).hasBinaryContent(ONE);
        assertThat(names(root.resolve("cache/blobs/sha256"))).noneMatch(name -> name.endsWith(".partial"));
    }

    @Test
    void a_registry_is_sent_what_it_lacks_and_the_manifest_last() throws IOException, InterruptedException {
        StoredImage one = one();
        StoredImage two = two();
        var memory = new MemoryRegistry();
        try (var registry = new ScriptedRegistry(memory.script())) {
            long clients = OpenFiles.clients();
            store.caches().write(in(registry, "/app:cache"), TYPE, RECORD, List.of(one));
            assertThat(memory.blobs).containsOnlyKeys("/v2/app@" + lastBlob(one), "/v2/app@" + Digest.of(RECORD));
            assertThat(memory.blobs.get("/v2/app@" + lastBlob(one))).isEqualTo(ONE);
            assertThat(memory.blobs.get("/v2/app@" + Digest.of(RECORD))).isEqualTo(RECORD);
            assertThat(memory.manifests).containsOnlyKeys("/v2/app/manifests/cache");
            assertThat(memory.manifests.get("/v2/app/manifests/cache")).isEqualTo(manifest(List.of(one)));
            Request last = registry.requests.getLast();
            assertThat(last.path()).isEqualTo("/v2/app/manifests/cache");
            assertThat(last.headers()).containsEntry("content-type", SampleImage.MANIFEST_TYPE);
            assertThat(OpenFiles.clientsEnd(clients)).isTrue();

            registry.requests.clear();
            store.caches().write(in(registry, "/app"), TYPE, RECORD, List.of(one, two));
            assertThat(registry.requests.stream()
                            .filter(request -> request.method().equals("PUT"))
                            .map(request -> request.path().replaceFirst(".*(digest=|/manifests/)", "")))
                    .containsExactly(lastBlob(two).toString(), "latest");
            assertThat(OpenFiles.below(root.resolve("store/content/blobs/sha256")))
                    .isOne();
        }
    }

    @Test
    void a_registry_that_is_named_by_a_digest_gets_the_latest() throws IOException {
        var memory = new MemoryRegistry();
        try (var registry = new ScriptedRegistry(memory.script())) {
            store.caches().write(in(registry, "/app@" + Digest.of(ONE)), TYPE, RECORD, List.of(one()));
            assertThat(memory.manifests).containsOnlyKeys("/v2/app/manifests/latest");
        }
    }

    @Test
    void a_cache_has_at_most_as_many_layers_as_a_manifest() throws IOException {
        var images = new ArrayList<StoredImage>();
        for (int i = 0; i <= 500; i++) {
            byte[] layer = {(byte) i, (byte) (i >> 8)};
            Files.write(blobOf("store", Digest.of(layer)), layer);
            byte[] manifest = ("{\"schemaVersion\":2,\"config\":{\"digest\":\"" + Digest.of(RECORD)
                            + "\",\"size\":1},\"layers\":[{\"digest\":\"" + Digest.of(layer) + "\",\"size\":2}]}")
                    .getBytes(StandardCharsets.UTF_8);
            Files.write(blobOf("store", Digest.of(manifest)), manifest);
            images.add(new StoredImage(
                    "docker.io/library/app",
                    Optional.empty(),
                    Digest.of(manifest),
                    Digest.of(manifest),
                    SampleImage.MANIFEST_TYPE,
                    manifest.length,
                    1));
        }
        store.caches().write(directory(), TYPE, RECORD, images.subList(0, 500));
        assertThat(names(root.resolve("cache/blobs/sha256"))).hasSize(502);
        var refused = catchThrowableOfType(
                ImageException.class, () -> store.caches().write(directory(), TYPE, RECORD, images));
        assertThat(refused.reason()).isEqualTo(Code.TOO_LARGE);
        assertThat(refused.sentence())
                .isEqualTo("the cache would have 501 layers; a manifest has at most 500, so write that of the target"
                        + " alone");
    }

    @Test
    void a_place_that_cannot_be_written_or_read_is_told() throws IOException {
        StoredImage one = one();
        Files.writeString(root.resolve("cache"), "a file");
        var refused = catchThrowableOfType(
                ImageException.class, () -> store.caches().write(directory(), TYPE, RECORD, List.of(one)));
        assertThat(refused.sentence()).contains(root.resolve("cache").toString());
        var unread = catchThrowableOfType(
                ImageException.class, () -> store.caches().open(directory()).close());
        assertThat(unread.reason()).isEqualTo(Code.NOT_A_DIRECTORY);
    }

    @Test
    @SuppressWarnings("NullAway") // that is the subject
    void a_place_must_be_given() {
        for (var call : List.<org.assertj.core.api.ThrowableAssert.ThrowingCallable>of(
                () -> store.caches().open(null).close(),
                () -> assertThat(new CachePlace.InDirectory(null)).isNull(),
                () -> assertThat(new CachePlace.InRegistry(null, RegistryLogins.none()))
                        .isNull(),
                () -> assertThat(new CachePlace.InRegistry(ImageReference.parse("app"), null))
                        .isNull())) {
            assertThat(catchThrowableOfType(CaissonException.class, call).code())
                    .isEqualTo("ARGUMENT_MISSING");
        }
        assertThat(new CachePlace.InRegistry(ImageReference.parse("app"), RegistryLogins.none()))
                .hasToString("app:latest");
        assertThat(new CachePlace.InDirectory(Path.of("/cache"))).hasToString("/cache");
    }

    // ---- in

    private StoredImage take(LayerCache from, Optional<StoredImage> base, Digest blob, List<Digest> diffIds) {
        return other.caches().take(base, from, blob, config(diffIds), ImageReference.parse("taken:1"), _ -> {});
    }

    @Test
    void a_layer_that_is_taken_is_an_image_that_the_store_lists() throws IOException {
        StoredImage one = one();
        StoredImage two = two();
        store.caches().write(directory(), TYPE, RECORD, List.of(one, two));
        try (LayerCache cache = other.caches().open(directory())) {
            assertThat(cache.layers()).containsExactly(lastBlob(one), lastBlob(two));
            assertThat(cache.config()).isEqualTo(RECORD);
            StoredImage first = take(cache, Optional.empty(), lastBlob(one), List.of(Digest.of(ONE)));
            assertThat(other.images()).containsExactly(first);
            assertThat(first.name()).isEqualTo("taken:1");
            assertThat(other.layers(first)).isEqualTo(store.layers(one));

            var checked = new ArrayList<List<StoredImage>>();
            StoredImage second = other.caches()
                    .take(
                            Optional.of(first),
                            cache,
                            lastBlob(two),
                            config(List.of(Digest.of(ONE), Digest.of(TWO))),
                            ImageReference.parse("taken:2"),
                            images -> {
                                checked.add(images);
                                assertThat(other.images()).containsExactly(first);
                            });
            assertThat(checked).containsExactly(List.of(second));
            assertThat(other.images()).containsExactly(first, second);
            assertThat(other.layers(second)).isEqualTo(store.layers(two));
            assertThat(other.check(second).isSound()).isTrue();
            assertThat(OpenFiles.below(root.resolve("other/content/pulls"))).isZero();
            assertThat(OpenFiles.below(root.resolve("other/content/blobs/sha256")))
                    .isOne();
        }
        assertThat(OpenFiles.below(root.resolve("cache"))).isZero();
    }

    @Test
    void a_layer_that_is_refused_leaves_nothing() throws IOException {
        store.caches().write(directory(), TYPE, RECORD, List.of(one()));
        try (LayerCache cache = other.caches().open(directory())) {
            Digest blob = cache.layers().getFirst();
            var judged = catchThrowableOfType(
                    IllegalStateException.class,
                    () -> other.caches()
                            .take(
                                    Optional.empty(),
                                    cache,
                                    blob,
                                    config(List.of(Digest.of(ONE))),
                                    ImageReference.parse("taken:1"),
                                    _ -> {
                                        throw new IllegalStateException("not here");
                                    }));
            assertThat(judged).hasMessage("not here");
            assertNothingIsLeft();

            var foreign = catchThrowableOfType(
                    ImageException.class, () -> take(cache, Optional.empty(), blob, List.of(Digest.of(TWO))));
            assertThat(foreign.reason()).isEqualTo(Code.DIGEST_MISMATCH);
            assertThat(foreign.sentence())
                    .contains(Digest.of(TWO).toString(), Digest.of(ONE).toString());
            assertNothingIsLeft();
        }
    }

    private void assertNothingIsLeft() throws IOException {
        assertThat(other.images()).isEmpty();
        assertThat(names(root.resolve("other/content/blobs/sha256"))).isEmpty();
        assertThat(OpenFiles.below(root.resolve("other/content/blobs/sha256"))).isOne();
    }

    @Test
    void a_layer_that_is_cut_off_is_told() throws IOException {
        byte[] content = new byte[20_000];
        new Random(1).nextBytes(content);
        StoredImage large = make(store, "large", Optional.empty(), List.of(), content, true);
        byte[] whole = Files.readAllBytes(blobOf("store", lastBlob(large)));
        byte[] cut = Arrays.copyOf(whole, whole.length - 100);
        Path blobs = Files.createDirectories(root.resolve("cache/blobs/sha256"));
        String layer = "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"" + Digest.of(cut)
                + "\",\"size\":" + cut.length + "}";
        byte[] manifest = ("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" + CONFIG_TYPE + "\",\"digest\":\""
                        + Digest.of(RECORD) + "\",\"size\":" + RECORD.length + "},\"layers\":[" + layer + "]}")
                .getBytes(StandardCharsets.UTF_8);
        for (byte[] blob : List.of(cut, RECORD, manifest)) {
            Files.write(blobs.resolve(Digest.of(blob).hex()), blob);
        }
        Files.writeString(root.resolve("cache/oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        Files.writeString(
                root.resolve("cache/index.json"),
                "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" + SampleImage.MANIFEST_TYPE + "\",\"digest\":\""
                        + Digest.of(manifest) + "\",\"size\":" + manifest.length + "}]}");
        try (LayerCache cache = other.caches().open(directory())) {
            var refused = catchThrowableOfType(
                    ImageException.class,
                    () -> take(cache, Optional.empty(), Digest.of(cut), List.of(Digest.of(content))));
            assertThat(refused.reason()).isEqualTo(Code.BAD_ARCHIVE);
            assertThat(refused.sentence()).startsWith("the layer " + Digest.of(content) + " cannot be read (");
            assertNothingIsLeft();
        }
    }
}
