package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Layers of a pull are fetched beside each other, and what one of them ends with is what the pull ends with.
@Timeout(60)
class ImagePullTest {
    private static final String CONFIG = "application/vnd.oci.image.config.v1+json";
    private static final String LAYER = "application/vnd.oci.image.layer.v1.tar";
    private static final long GIB = 1L << 30;

    @TempDir
    private Path temporary;

    private final Map<String, byte[]> documents = new HashMap<>();
    private final Map<String, byte[]> blobs = new HashMap<>();

    /// A digest of nothing that is there.
    private static Digest nothing(int number) {
        return Digest.of(new byte[] {9, 9, (byte) number});
    }

    private static String entry(String type, Digest digest, long size) {
        return "{\"mediaType\":\"" + type + "\",\"digest\":\"" + digest + "\",\"size\":" + size + "}";
    }

    private static byte[] manifest(String config, String... layers) {
        return ("{\"schemaVersion\":2,\"mediaType\":\"" + SampleImage.MANIFEST_TYPE + "\",\"config\":" + config
                        + ",\"layers\":[" + String.join(",", layers) + "]}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] index(byte[] document, String type) {
        return ("{\"schemaVersion\":2,\"mediaType\":\"" + SampleImage.INDEX_TYPE + "\",\"manifests\":["
                        + entry(type, Digest.of(document), document.length) + "]}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private void answer(ScriptedRegistry.Request request, OutputStream out) throws IOException {
        String name = request.path().replaceFirst(".*/", "");
        byte[] document = documents.get(name);
        byte[] blob = blobs.get(name);
        if (request.path().contains("/manifests/") && document != null) {
            boolean isIndex = new String(document, StandardCharsets.UTF_8).contains("\"manifests\"");
            ScriptedRegistry.ok(out, isIndex ? SampleImage.INDEX_TYPE : SampleImage.MANIFEST_TYPE, document);
        } else if (blob != null) {
            ScriptedRegistry.ok(out, "application/octet-stream", blob);
        } else {
            ScriptedRegistry.plain(out, "404 Not Found", "");
        }
    }

    private byte[] has(SampleImage image) {
        image.blobs.forEach((digest, blob) -> blobs.put(digest.toString(), blob));
        return image.manifest;
    }

    private StoredImage pull(ScriptedRegistry registry, PullListener listener) {
        try (ImageStore store = ImageStore.open(temporary.resolve("store"))) {
            return store.pull(ImageReference.parse(registry.name() + "/app:1"), RegistryLogins.none(), listener);
        }
    }

    /// Returns the code and the sentence with which the manifest is refused.
    private String refused(byte[] manifest) throws IOException {
        documents.put("1", manifest);
        try (var registry = new ScriptedRegistry(this::answer)) {
            var refused = catchThrowableOfType(CaissonException.class, () -> pull(registry, PullListener.none()));
            return refused.code() + " " + refused.sentence();
        }
    }

    @Test
    void layers_are_fetched_beside_each_other() throws IOException {
        var image = new SampleImage("y");
        var asked = new CountDownLatch(2);
        var together = new AtomicInteger();
        ScriptedRegistry.Script serving = ScriptedRegistry.serving(image);
        try (var registry = new ScriptedRegistry((request, out) -> {
                    boolean isLayer = request.path().contains("/blobs/")
                            && !request.path().contains(image.config.hex());
                    if (isLayer && bothAreAsked(asked)) {
                        together.incrementAndGet();
                    }
                    serving.answer(request, out);
                });
                ImageStore store = ImageStore.open(temporary.resolve("store"))) {
            store.pull(ImageReference.parse(registry.name() + "/app:1"), RegistryLogins.none(), PullListener.none());
        }
        assertThat(together).hasValue(2);
    }

    private static boolean bothAreAsked(CountDownLatch asked) {
        asked.countDown();
        try {
            return asked.await(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Test
    void a_pull_ends_with_what_a_fetch_ended_with() {
        var mistaken = new IllegalStateException("x");
        assertThatThrownBy(() -> ImagePull.failure(mistaken)).isSameAs(mistaken);
        var broken = new StackOverflowError("x");
        assertThatThrownBy(() -> ImagePull.failure(broken)).isSameAs(broken);
        var cut = new IOException("cut");
        assertThat(ImagePull.failure(cut)).isSameAs(cut);
        var other = new InterruptedException("other");
        assertThat(ImagePull.failure(other)).hasCause(other);
        assertThat(ImagePull.failure(null)).hasNoCause().hasMessage("a download failed");
    }

    // ---- what is fetched

    @Test
    void parts_are_counted_before_they_are_fetched_and_told_if_they_were_there() throws IOException {
        var image = new SampleImage("y");
        documents.put("1", has(image));
        long bytes =
                image.blobs.values().stream().mapToLong(blob -> blob.length).sum();
        var heard = Collections.synchronizedList(new ArrayList<String>());
        var listener = new PullListener() {
            @Override
            public void started(int layers, long size) {
                heard.add(layers + " layers of " + size);
            }

            @Override
            public void layer(int number, Digest digest, long done, long size, boolean isPresent) {
                assertThat(size).isEqualTo(image.blob(digest).length);
                if (done == size) {
                    heard.add(number + " " + digest.equals(image.upper) + " " + isPresent);
                }
            }
        };
        try (var registry = new ScriptedRegistry(this::answer)) {
            StoredImage first = pull(registry, listener);
            assertThat(first.name()).isEqualTo(registry.name() + "/app:1");
            assertThat(first.manifest()).isEqualTo(image.digest()).isEqualTo(first.pulled());
            assertThat(first.mediaType()).isEqualTo(SampleImage.MANIFEST_TYPE);
            assertThat(first.manifestSize()).isEqualTo(image.manifest.length);
            assertThat(heard.getFirst()).isEqualTo("2 layers of " + bytes);
            assertThat(Set.copyOf(heard.subList(1, heard.size()))).isEqualTo(Set.of("0 false false", "1 true false"));
            assertThat(registry.requests.getFirst().headers())
                    .containsEntry(
                            "accept",
                            "application/vnd.oci.image.index.v1+json,"
                                    + " application/vnd.docker.distribution.manifest.list.v2+json,"
                                    + " application/vnd.oci.image.manifest.v1+json,"
                                    + " application/vnd.docker.distribution.manifest.v2+json");
            heard.clear();
            registry.requests.clear();
            StoredImage _ = pull(registry, listener);
            assertThat(heard).containsExactlyInAnyOrder("2 layers of " + bytes, "0 false true", "1 true true");
            assertThat(registry.requests).hasSize(1);
            assertThat(OpenFiles.below(temporary.toRealPath().resolve("store"))).isZero();
        }
    }

    @Test
    void four_indexes_are_followed_and_five_are_not() throws Exception {
        byte[] document = has(new SampleImage("y"));
        String type = SampleImage.MANIFEST_TYPE;
        for (int i = 0; i < 5; i++) {
            documents.put(Digest.of(document).toString(), document);
            byte[] above = index(document, type);
            if (i == 4) {
                documents.put("1", document);
                try (var registry = new ScriptedRegistry(this::answer)) {
                    StoredImage pulled = pull(registry, PullListener.none());
                    assertThat(pulled.manifest()).isEqualTo(new SampleImage("y").digest());
                    assertThat(pulled.pulled()).isEqualTo(Digest.of(document));
                    assertThat(pulled.index()).isEmpty();
                }
            }
            document = above;
            type = SampleImage.INDEX_TYPE;
        }
        long clients = OpenFiles.clients();
        assertThat(refused(document)).startsWith("BAD_MANIFEST the image has indexes in indexes without end");
        assertThat(OpenFiles.clientsEnd(clients)).isTrue();
    }

    // ---- what is refused before anything of it is fetched

    @Test
    void a_configuration_has_at_most_four_mebibytes() throws IOException {
        assertThat(refused(manifest(entry(CONFIG, nothing(0), (4 << 20) + 1))))
                .startsWith("TOO_LARGE ")
                .contains("/app:1 has a configuration of more than 4 MiB");
        assertThat(refused(manifest(entry(CONFIG, nothing(0), 4 << 20)))).startsWith("REGISTRY_NOT_FOUND ");
    }

    @Test
    void an_image_has_at_most_256_gibibytes() throws IOException {
        String config = entry(CONFIG, nothing(0), 2);
        for (long[] sizes : new long[][] {{256 * GIB + 1}, {Long.MAX_VALUE}, {1, 256 * GIB - 2}}) {
            String[] layers = Arrays.stream(sizes)
                    .mapToObj(size -> entry(LAYER, nothing(1), size))
                    .toArray(String[]::new);
            assertThat(refused(manifest(config, layers)))
                    .as(Arrays.toString(sizes))
                    .startsWith("TOO_LARGE ")
                    .contains("/app:1 has more than 256 GiB");
        }
        assertThat(refused(
                        manifest(config, entry(LAYER, nothing(1), 100 * GIB), entry(LAYER, nothing(2), 156 * GIB - 2))))
                .startsWith("REGISTRY_NOT_FOUND ");
    }

    @Test
    void what_is_no_image_of_a_container_is_refused() throws IOException {
        String config = entry(CONFIG, nothing(0), 2);
        assertThat(refused(manifest(config, entry(LAYER, nothing(1), 1), entry("text/html", nothing(2), 1))))
                .startsWith("UNSUPPORTED_FORMAT the image has a layer of type \"text/html\"");
        assertThat(refused(manifest(entry("text/plain", nothing(0), 2), entry(LAYER, nothing(1), 1))))
                .startsWith("UNSUPPORTED_FORMAT ")
                .contains("/app:1 is \"text/plain\", not the image of a container");
    }

    // ---- what a failure ends

    /// Layers of which the registry has none, the first; and the lock on the second, which another pull fetches.
    @Test
    void a_layer_that_fails_ends_the_wait_for_another_one() throws Exception {
        var image = new SampleImage("y");
        documents.put("1", has(image));
        Digest lower = image.blobs.keySet().stream()
                .filter(digest -> !digest.equals(image.upper) && !digest.equals(image.config))
                .findFirst()
                .orElseThrow();
        blobs.remove(lower.toString());
        ImageStore.open(temporary.resolve("store")).close();
        Path partial = temporary.resolve("store/content/blobs/sha256").resolve(image.upper.hex() + ".partial");
        Files.write(partial, new byte[0]);
        try (Fd held = FileSystem.open(partial.toString(), FileSystem.O_RDWR);
                var registry = new ScriptedRegistry(this::answer)) {
            FileLocks.lock(held);
            var refused = catchThrowableOfType(CaissonException.class, () -> pull(registry, PullListener.none()));
            assertThat(refused.code()).isEqualTo("REGISTRY_NOT_FOUND");
        }
    }

    /// Ten seconds, for a server whose client has hung up long before.
    private static void waitLong() {
        try {
            Thread.sleep(10_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void a_layer_that_fails_ends_the_download_of_another_one() throws IOException {
        long begun = System.nanoTime();
        var image = new SampleImage("y");
        documents.put("1", has(image));
        try (var registry = new ScriptedRegistry((request, out) -> {
            if (request.path().endsWith(image.upper.toString())) {
                ScriptedRegistry.head(out, "200 OK", "Content-Length: " + image.blob(image.upper).length);
                out.flush();
                waitLong(); // sends nothing more
            } else if (request.path().contains("/blobs/") && !request.path().endsWith(image.config.toString())) {
                ScriptedRegistry.plain(out, "404 Not Found", "");
            } else {
                answer(request, out);
            }
        })) {
            var refused = catchThrowableOfType(CaissonException.class, () -> pull(registry, PullListener.none()));
            assertThat(refused.code()).isEqualTo("REGISTRY_NOT_FOUND");
        }
        assertThat(System.nanoTime() - begun).isLessThan(9_000_000_000L);
    }

    @Test
    void a_pull_that_is_interrupted_ends() throws IOException {
        var image = new SampleImage("y");
        documents.put("1", has(image));
        Thread caller = Thread.currentThread();
        try (var registry = new ScriptedRegistry((request, out) -> {
            if (request.path().endsWith(image.upper.toString())) {
                caller.interrupt();
                waitLong();
            }
            answer(request, out);
        })) {
            var refused = catchThrowableOfType(ImageException.class, () -> pull(registry, PullListener.none()));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(refused.reason()).isEqualTo(ImageException.Code.INTERRUPTED);
            assertThat(refused.sentence()).contains(registry.name() + "/app:1").contains("interrupted");
        }
    }
}
