package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import dev.caisson.image.ImageException.Code;
import dev.caisson.image.ScriptedRegistry.Request;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Reads caches in a registry and in a layout, and refuses what is wrong there.
@Timeout(60)
class LayerCacheTest {
    private static final String CONFIG_TYPE = "application/vnd.caisson.build.v1+json";
    private static final String LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";
    private static final String ACCEPTED = "application/vnd.oci.image.manifest.v1+json, "
            + "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, "
            + "application/vnd.docker.distribution.manifest.list.v2+json";

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    private final Map<String, byte[]> blobs = new HashMap<>();
    private final Map<String, byte[]> manifests = new HashMap<>();
    private final Map<String, String> types = new HashMap<>();

    @SuppressWarnings("NullAway.Init") // set before each test
    private Path layout;

    @BeforeEach
    void make() throws IOException {
        layout = temporary.toRealPath().resolve("layout");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private String entry(String type, byte[] content) {
        blobs.put(Digest.of(content).toString(), content);
        return entry(type, Digest.of(content), content.length);
    }

    private static String entry(String type, Digest digest, long size) {
        return "{\"mediaType\":\"" + type + "\",\"digest\":\"" + digest + "\",\"size\":" + size + "}";
    }

    private static byte[] manifest(String config, String... layers) {
        return bytes("{\"schemaVersion\":2,\"mediaType\":\"" + SampleImage.MANIFEST_TYPE + "\",\"config\":" + config
                + ",\"layers\":[" + String.join(",", layers) + "]}");
    }

    /// The registry has it under a tag and its digest, the layout as its only one.
    private byte[] put(byte[] manifest) throws IOException {
        return put(manifest, SampleImage.MANIFEST_TYPE);
    }

    private byte[] put(byte[] document, String type) throws IOException {
        for (String name : List.of("1", Digest.of(document).toString())) {
            manifests.put(name, document);
            types.put(name, type);
        }
        Path directory = Files.createDirectories(layout.resolve("blobs/sha256"));
        blobs.put(Digest.of(document).toString(), document);
        for (var blob : blobs.entrySet()) {
            Files.write(directory.resolve(blob.getKey().replace("sha256:", "")), blob.getValue());
        }
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        Files.writeString(
                layout.resolve("index.json"),
                "{\"schemaVersion\":2,\"manifests\":[" + entry(type, Digest.of(document), document.length) + "]}");
        return document;
    }

    private byte[] index(byte[] document, String type) {
        return bytes("{\"schemaVersion\":2,\"mediaType\":\"" + SampleImage.INDEX_TYPE + "\",\"manifests\":["
                + entry(type, Digest.of(document), document.length) + "]}");
    }

    private void answer(Request request, java.io.OutputStream out) throws IOException {
        String name = request.path().replaceFirst(".*/", "");
        byte[] found = request.path().contains("/manifests/") ? manifests.get(name) : blobs.get(name);
        if (found == null) {
            ScriptedRegistry.plain(out, "404 Not Found", "");
        } else {
            ScriptedRegistry.ok(out, types.getOrDefault(name, "application/octet-stream"), found);
        }
    }

    private ScriptedRegistry registry() throws IOException {
        return new ScriptedRegistry(this::answer);
    }

    private static CachePlace place(ScriptedRegistry registry, String name) {
        return new CachePlace.InRegistry(ImageReference.parse(registry.name() + "/app" + name), RegistryLogins.none());
    }

    private CachePlace directory() {
        return new CachePlace.InDirectory(layout);
    }

    private static List<String> asked(ScriptedRegistry registry) {
        return registry.requests.stream()
                .map(request -> request.method() + " " + request.path())
                .toList();
    }

    private static void assertRefused(CachePlace place, Code code, String part) {
        var refused = catchThrowableOfType(ImageException.class, () -> {
            try (LayerCache cache = LayerCache.open(place)) {
                throw new AssertionError("it has " + cache.layers());
            }
        });
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).as(refused.sentence()).isEqualTo(code);
        assertThat(refused.sentence()).contains(part);
    }

    private static void assertIsThat(LayerCache cache, byte[] config, byte[]... layers) {
        assertThat(cache.configType()).isEqualTo(CONFIG_TYPE);
        assertThat(cache.config()).isEqualTo(config);
        assertThat(cache.layers())
                .containsExactlyElementsOf(Arrays.stream(layers).map(Digest::of).toList());
    }

    // ---- what is there

    @Test
    void a_cache_has_its_configuration_and_its_layers_in_order() throws Exception {
        byte[] config = bytes("{\"a\":1}");
        byte[] one = bytes("one");
        byte[] two = bytes("two, longer");
        put(manifest(entry(CONFIG_TYPE, config), entry(LAYER_TYPE, two), entry(LAYER_TYPE, one)));
        long clients = OpenFiles.clients();
        try (ScriptedRegistry registry = registry()) {
            try (LayerCache cache = LayerCache.open(place(registry, ":1"))) {
                assertIsThat(cache, config, two, one);
                assertThat(asked(registry))
                        .containsExactly("GET /v2/app/manifests/1", "GET /v2/app/blobs/" + Digest.of(config));
                assertThat(registry.requests.getFirst().headers()).containsEntry("accept", ACCEPTED);
                Arrays.fill(cache.config(), (byte) 0);
                assertThat(cache.config()).isEqualTo(config);
            }
            assertThat(OpenFiles.clientsEnd(clients)).isTrue();
        }
        try (LayerCache cache = LayerCache.open(directory())) {
            assertIsThat(cache, config, two, one);
            assertThat(OpenFiles.below(layout)).isOne();
        }
        assertThat(OpenFiles.below(layout)).isZero();
    }

    @Test
    void an_entry_that_is_no_layer_is_left_out() throws IOException {
        byte[] config = bytes("{}");
        byte[] layer = bytes("layer");
        put(manifest(entry(CONFIG_TYPE, config), entry("text/plain", bytes("a note")), entry(LAYER_TYPE, layer)));
        try (LayerCache cache = LayerCache.open(directory())) {
            assertIsThat(cache, config, layer);
        }
    }

    @Test
    void an_index_leads_to_the_manifest_of_this_machine() throws IOException {
        byte[] config = bytes("{}");
        byte[] layer = bytes("layer");
        byte[] manifest = put(manifest(entry(CONFIG_TYPE, config), entry(LAYER_TYPE, layer)));
        put(index(manifest, SampleImage.MANIFEST_TYPE), SampleImage.INDEX_TYPE);
        try (ScriptedRegistry registry = registry();
                LayerCache cache = LayerCache.open(place(registry, ":1"))) {
            assertIsThat(cache, config, layer);
            assertThat(asked(registry))
                    .startsWith("GET /v2/app/manifests/1", "GET /v2/app/manifests/" + Digest.of(manifest));
        }
        put(
                bytes(new String(index(manifest, SampleImage.MANIFEST_TYPE), StandardCharsets.UTF_8)
                        .replace("}]", ",\"platform\":{\"os\":\"linux\",\"architecture\":\"riscv128\"}}]")),
                SampleImage.INDEX_TYPE);
        try (ScriptedRegistry registry = registry()) {
            assertRefused(place(registry, ":1"), Code.PLATFORM_MISSING, registry.name() + "/app:1");
        }
    }

    @Test
    void four_indexes_are_followed_and_five_are_not() throws Exception {
        byte[] config = bytes("{}");
        byte[] layer = bytes("layer");
        byte[] document = put(manifest(entry(CONFIG_TYPE, config), entry(LAYER_TYPE, layer)));
        String type = SampleImage.MANIFEST_TYPE;
        for (int i = 0; i < 4; i++) {
            document = put(index(document, type), SampleImage.INDEX_TYPE);
            type = SampleImage.INDEX_TYPE;
        }
        try (ScriptedRegistry registry = registry()) {
            try (LayerCache cache = LayerCache.open(place(registry, ":1"))) {
                assertIsThat(cache, config, layer);
            }
            put(index(document, type), type);
            long clients = OpenFiles.clients();
            assertRefused(place(registry, ":1"), Code.BAD_MANIFEST, "indexes in indexes without end");
            assertThat(OpenFiles.clientsEnd(clients)).isTrue();
        }
    }

    @Test
    void an_index_is_no_cache_in_a_layout() throws IOException {
        byte[] manifest = put(manifest(entry(CONFIG_TYPE, bytes("{}"))));
        put(index(manifest, SampleImage.MANIFEST_TYPE), SampleImage.INDEX_TYPE);
        assertRefused(directory(), Code.BAD_MANIFEST, "is an index");
        assertThat(OpenFiles.below(layout)).isZero();
    }

    // ---- what is not what it is called

    @Test
    void a_manifest_that_is_named_by_its_digest_must_have_it() throws IOException {
        byte[] manifest = put(manifest(entry(CONFIG_TYPE, bytes("{}"))));
        String digest = Digest.of(manifest).toString();
        try (ScriptedRegistry registry = registry()) {
            LayerCache.open(place(registry, "@" + digest)).close();
            assertThat(asked(registry)).startsWith("GET /v2/app/manifests/" + digest);
            manifests.put(digest, manifest(entry(CONFIG_TYPE, bytes("[]"))));
            assertRefused(
                    place(registry, "@" + digest),
                    Code.DIGEST_MISMATCH,
                    "what is given for " + digest + " is not what its digest says");
        }
    }

    @Test
    void a_manifest_of_an_index_must_have_its_digest() throws IOException {
        byte[] manifest = put(manifest(entry(CONFIG_TYPE, bytes("{}"))));
        put(index(manifest, SampleImage.MANIFEST_TYPE), SampleImage.INDEX_TYPE);
        manifests.put(Digest.of(manifest).toString(), manifest(entry(CONFIG_TYPE, bytes("[]"))));
        try (ScriptedRegistry registry = registry()) {
            assertRefused(
                    place(registry, ":1"),
                    Code.DIGEST_MISMATCH,
                    Digest.of(manifest).toString());
        }
    }

    @Test
    void a_configuration_must_have_its_digest() throws IOException {
        byte[] config = bytes("{\"a\":1}");
        put(manifest(entry(CONFIG_TYPE, config)));
        blobs.put(Digest.of(config).toString(), bytes("{\"a\":2}"));
        Files.writeString(
                layout.resolve("blobs/sha256").resolve(Digest.of(config).hex()), "{\"a\":2}");
        try (ScriptedRegistry registry = registry()) {
            assertRefused(
                    place(registry, ":1"),
                    Code.DIGEST_MISMATCH,
                    Digest.of(config).toString());
        }
        assertRefused(directory(), Code.DIGEST_MISMATCH, Digest.of(config).toString());
        assertThat(OpenFiles.below(layout)).isZero();
    }

    @Test
    void no_more_of_a_configuration_is_read_than_its_size_says() throws IOException {
        byte[] config = bytes("{\"a\":1}");
        put(manifest(entry(CONFIG_TYPE, config)));
        blobs.put(Digest.of(config).toString(), bytes("{\"a\":1} and more"));
        try (ScriptedRegistry registry = registry();
                LayerCache cache = LayerCache.open(place(registry, ":1"))) {
            assertThat(cache.config()).isEqualTo(config);
        }
    }

    @Test
    void a_configuration_has_at_most_four_mebibytes() throws IOException {
        byte[] largest = new byte[4 << 20];
        put(manifest(entry(CONFIG_TYPE, largest)));
        try (LayerCache cache = LayerCache.open(directory())) {
            assertThat(cache.config()).isEqualTo(largest);
        }
        put(manifest(entry(CONFIG_TYPE, Digest.of(largest), (4 << 20) + 1)));
        assertRefused(directory(), Code.TOO_LARGE, "has 4194305 bytes");
    }

    @Test
    void a_cache_that_is_not_there_is_told() throws Exception {
        long clients = OpenFiles.clients();
        try (ScriptedRegistry registry = registry()) {
            var refused = catchThrowableOfType(CaissonException.class, () -> LayerCache.open(place(registry, ":1")));
            assertThat(refused.code()).isEqualTo("REGISTRY_NOT_FOUND");
        }
        assertThat(OpenFiles.clientsEnd(clients)).isTrue();
        assertRefused(directory(), Code.NOT_FOUND, layout.toString());
    }

    // ---- its layers

    private void withStore(StoreUse use) throws IOException {
        Path root = Files.createDirectories(temporary.toRealPath().resolve("store"));
        try (Fd parent = FileSystem.open(root.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
                ContentStore store = ContentStore.open(root, parent)) {
            use.run(store);
        }
    }

    @FunctionalInterface
    private interface StoreUse {
        void run(ContentStore store) throws IOException;
    }

    private Path stored(byte[] blob) {
        return temporary
                .resolve("store/content/blobs/sha256")
                .resolve(Digest.of(blob).hex());
    }

    @Test
    void a_layer_is_fetched_once() throws IOException {
        byte[] layer = bytes("layer");
        byte[] other = bytes("other");
        put(manifest(entry(CONFIG_TYPE, bytes("{}")), entry(LAYER_TYPE, layer), entry(LAYER_TYPE, other)));
        try (ScriptedRegistry registry = registry();
                LayerCache remote = LayerCache.open(place(registry, ":1"));
                LayerCache local = LayerCache.open(directory())) {
            withStore(store -> {
                int before = registry.requests.size();
                Descriptor fetched = remote.fetch(Digest.of(layer), store);
                assertThat(fetched.digest()).isEqualTo(Digest.of(layer));
                assertThat(fetched.size()).isEqualTo(layer.length);
                assertThat(fetched.mediaType()).isEqualTo(LAYER_TYPE);
                assertThat(stored(layer)).hasBinaryContent(layer);
                assertThat(remote.fetch(Digest.of(layer), store)).isEqualTo(fetched);
                assertThat(asked(registry).subList(before, registry.requests.size()))
                        .containsExactly("GET /v2/app/blobs/" + Digest.of(layer));
                assertThat(local.fetch(Digest.of(other), store).digest()).isEqualTo(Digest.of(other));
                assertThat(stored(other)).hasBinaryContent(other);
                assertThat(OpenFiles.below(layout)).isOne();
            });
        }
    }

    @Test
    void a_layer_that_the_manifest_does_not_name_is_not_fetched() throws IOException {
        put(manifest(entry(CONFIG_TYPE, bytes("{}"))));
        Digest config = Digest.of(bytes("{}"));
        try (LayerCache cache = LayerCache.open(directory())) {
            withStore(store -> {
                var refused = catchThrowableOfType(ImageException.class, () -> cache.fetch(config, store));
                assertThat(refused.reason()).isEqualTo(Code.NOT_FOUND);
                assertThat(refused.sentence()).isEqualTo("the manifest of the cache names no layer " + config);
            });
        }
    }

    @Test
    void a_layer_must_be_there_with_its_digest() throws IOException {
        byte[] layer = bytes("layer");
        put(manifest(entry(CONFIG_TYPE, bytes("{}")), entry(LAYER_TYPE, layer)));
        Path file = layout.resolve("blobs/sha256").resolve(Digest.of(layer).hex());
        var codes = new ArrayList<Code>();
        try (LayerCache cache = LayerCache.open(directory())) {
            withStore(store -> {
                Files.writeString(file, "lager");
                codes.add(catchThrowableOfType(ImageException.class, () -> cache.fetch(Digest.of(layer), store))
                        .reason());
                Files.delete(file);
                codes.add(catchThrowableOfType(ImageException.class, () -> cache.fetch(Digest.of(layer), store))
                        .reason());
                assertThat(stored(layer)).doesNotExist();
            });
        }
        assertThat(codes).containsExactly(Code.DIGEST_MISMATCH, Code.NOT_FOUND);
    }
}
