package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import dev.caisson.image.ScriptedRegistry.Request;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Pushes to a registry in memory, which also breaks off, redirects and asks for logins as a test wants it to.
@Timeout(60)
class PushTest {
    private static final Set<String> SENDING = Set.of("PATCH", "PUT");

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

    private StoredImage made(String name, byte[] content) {
        return store.make(
                Optional.empty(),
                List.of(new NewLayer(
                        tar -> {
                            var archive = new TarWriter(tar);
                            archive.file(
                                    "f", content.length, new TarWriter.Attributes(0644, 0, 0, java.time.Instant.EPOCH));
                            archive.content(content, content.length);
                            archive.finish();
                        },
                        false)),
                layers -> ("{\"os\":\"linux\",\"architecture\":\""
                                + Platform.running().architecture()
                                + "\",\"config\":{},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\""
                                + layers.getFirst()
                                + "\"]}}")
                        .getBytes(StandardCharsets.UTF_8),
                ImageReference.parse(name));
    }

    private void push(StoredImage image) {
        store.push(image, RegistryLogins.none(), PullListener.none());
    }

    private static List<Request> sent(ScriptedRegistry registry) {
        return registry.requests.stream()
                .filter(request -> SENDING.contains(request.method()))
                .toList();
    }

    @Test
    void what_is_pushed_is_there_with_its_manifest_last_and_is_not_sent_again() throws IOException {
        var memory = new MemoryRegistry();
        try (var registry = new ScriptedRegistry(memory.script())) {
            StoredImage image = made(registry.name() + "/app:1", new byte[] {1, 2, 3});
            push(image);
            assertThat(Digest.of(memory.manifests.getOrDefault("/v2/app/manifests/1", new byte[0])))
                    .isEqualTo(image.manifest());
            assertThat(memory.blobs.keySet())
                    .containsExactlyInAnyOrder(
                            "/v2/app@" + store.layers(image).getFirst().blob(),
                            "/v2/app@" + store.describe(image).id());
            assertThat(sent(registry).getLast().path()).isEqualTo("/v2/app/manifests/1");
            assertThat(sent(registry).getLast().headers()).containsEntry("content-type", image.mediaType());

            registry.requests.clear();
            var present = new ArrayList<Boolean>();
            var started = new ArrayList<String>();
            store.push(image, RegistryLogins.none(), new PullListener() {
                @Override
                public void started(int layers, long bytes) {
                    started.add(layers + " of " + bytes);
                }

                @Override
                public void layer(int number, Digest digest, long done, long size, boolean isPresent) {
                    present.add(isPresent);
                }
            });
            assertThat(sent(registry)).hasSize(1);
            assertThat(present).containsExactly(true);
            long bytes = store.layers(image).getFirst().size() + store.config(image).length;
            assertThat(started).containsExactly("1 of " + bytes);
        }
    }

    @Test
    void a_layer_that_another_repository_has_is_mounted() throws IOException {
        var memory = new MemoryRegistry();
        try (var registry = new ScriptedRegistry(memory.script())) {
            StoredImage image = made(registry.name() + "/base:1", new byte[] {1, 2, 3});
            push(image);
            registry.requests.clear();
            push(store.tag(image, ImageReference.parse(registry.name() + "/team/app:1")));
            String layer = store.layers(image).getFirst().blob().toString();
            assertThat(memory.blobs).containsKey("/v2/team/app@" + layer);
            assertThat(sent(registry)).noneMatch(request -> request.path().contains(layer));
        }
    }

    @Test
    void a_mount_that_the_registry_does_not_do_is_ended_and_the_layer_sent() throws IOException {
        var memory = new MemoryRegistry();
        try (var registry = new ScriptedRegistry(memory.script())) {
            StoredImage image = made(registry.name() + "/base:1", new byte[] {1, 2, 3});
            push(store.tag(image, ImageReference.parse(registry.name() + "/app:1")));
            assertThat(memory.blobs)
                    .containsKey("/v2/app@" + store.layers(image).getFirst().blob());
            assertThat(registry.requests).anyMatch(request -> request.method().equals("DELETE"));
        }
    }

    /// The connection breaks in the middle of the second part.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_large_layer_goes_on_where_it_broke_or_begins_anew_if_the_registry_has_lost_it(boolean kept)
            throws IOException {
        var content = new byte[(64 << 20) + 5];
        new Random(1).nextBytes(content);
        var memory = new MemoryRegistry();
        var parts = new AtomicInteger();
        try (var registry = new ScriptedRegistry((request, out) -> {
            if (request.method().equals("PATCH") && parts.incrementAndGet() == 2) {
                if (kept) {
                    String id = request.path().replaceFirst(".*/uploads/", "").replaceFirst("\\?.*", "");
                    Objects.requireNonNull(memory.uploads.get(id)).write(Arrays.copyOf(request.content(), 1000));
                } else {
                    memory.uploads.clear();
                }
                return; // hangs up
            }
            memory.answer(request, out);
        })) {
            StoredImage image = made(registry.name() + "/app:1", content);
            push(image);
            byte[] blob = memory.blobs.getOrDefault(
                    "/v2/app@" + store.layers(image).getFirst().blob(), new byte[0]);
            assertThat(blob.length).isGreaterThan(content.length);
            List<String> ranges = registry.requests.stream()
                    .filter(request -> request.method().equals("PATCH"))
                    .map(request -> request.headers().getOrDefault("content-range", ""))
                    .toList();
            long second = 32L << 20;
            assertThat(ranges.get(1)).startsWith(second + "-");
            assertThat(ranges.get(2)).startsWith((kept ? second + 1000 : 0) + "-");
        }
    }

    @Test
    void a_busy_registry_is_asked_again() throws IOException {
        var memory = new MemoryRegistry();
        var asked = new AtomicInteger();
        try (var registry = new ScriptedRegistry((request, out) -> {
            if (request.method().equals("PUT") && asked.incrementAndGet() % 2 == 1) {
                ScriptedRegistry.plain(out, "429 Too Many Requests", "", "Retry-After: 0");
                return;
            }
            memory.answer(request, out);
        })) {
            push(made(registry.name() + "/app:1", new byte[] {1}));
            assertThat(memory.manifests).hasSize(1);
        }
    }

    private RegistryLogins login(String registry) throws IOException {
        Path file = temporary.resolve("config.json");
        String auth = Base64.getEncoder().encodeToString("me:hush".getBytes(StandardCharsets.UTF_8));
        Files.writeString(file, "{\"auths\":{\"" + registry + "\":{\"auth\":\"" + auth + "\"}}}");
        return RegistryLogins.of(file);
    }

    /// The parts go to another address; the login, which the registry itself wants, must not.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_login_does_not_follow_an_upload_to_another_address(boolean byRedirect) throws IOException {
        var memory = new MemoryRegistry();
        try (var storage = new ScriptedRegistry(memory.script());
                var registry = new ScriptedRegistry((request, out) -> {
                    if (!request.hasAuthorization()) {
                        ScriptedRegistry.plain(out, "401 Unauthorized", "", "WWW-Authenticate: Basic realm=\"r\"");
                        return;
                    }
                    boolean sends = request.path().contains("/uploads/")
                            && request.method().equals(byRedirect ? "PUT" : "POST");
                    if (!sends) {
                        memory.answer(request, out);
                        return;
                    }
                    String there = "Location: http://" + storage.name() + request.path();
                    if (byRedirect) {
                        ScriptedRegistry.plain(out, "307 Temporary Redirect", "", there);
                    } else {
                        memory.uploads.put("x", new ByteArrayOutputStream());
                        ScriptedRegistry.plain(out, "202 Accepted", "", there + "x");
                    }
                })) {
            StoredImage image = made(registry.name() + "/app:1", new byte[] {1});
            store.push(image, login(registry.name()), PullListener.none());
            assertThat(storage.requests).isNotEmpty().noneMatch(Request::hasAuthorization);
            assertThat(memory.manifests).hasSize(1);
        }
    }

    @Test
    void a_token_is_asked_for_with_the_right_to_push() throws IOException {
        var memory = new MemoryRegistry();
        var name = new StringBuilder();
        try (var registry = new ScriptedRegistry((request, out) -> {
            if (request.path().startsWith("/token")) {
                ScriptedRegistry.plain(out, "200 OK", "{\"token\":\"t\"}");
            } else if (!"Bearer t".equals(request.headers().get("authorization"))) {
                String challenge = "Bearer realm=\"http://" + name + "/token\",service=\"s\"";
                ScriptedRegistry.plain(out, "401 Unauthorized", "", "WWW-Authenticate: " + challenge);
            } else {
                memory.answer(request, out);
            }
        })) {
            name.append(registry.name());
            push(made(registry.name() + "/app:1", new byte[] {1}));
            assertThat(registry.requests)
                    .filteredOn(request -> request.path().startsWith("/token"))
                    .isNotEmpty()
                    .allSatisfy(request -> assertThat(request.path()).contains("scope=repository%3Aapp%3Apull%2Cpush"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:///etc/passwd", "http://192.0.2.1/u", "ftp://127.0.0.1/u", "http://me:x@127.0.0.1/u"})
    void an_upload_is_not_led_to_where_no_registry_is(String address) throws IOException {
        var memory = new MemoryRegistry();
        try (var registry = new ScriptedRegistry((request, out) -> {
            if (request.method().equals("POST")) {
                ScriptedRegistry.plain(out, "202 Accepted", "", "Location: " + address);
            } else {
                memory.answer(request, out);
            }
        })) {
            StoredImage image = made(registry.name() + "/app:1", new byte[] {1});
            var refused = catchThrowableOfType(CaissonException.class, () -> push(image));
            assertThat(refused.code()).isEqualTo("REGISTRY_ANSWER");
        }
    }

    @Test
    void content_is_not_sent_again_for_a_redirect_that_would_make_it_a_get() throws IOException {
        var memory = new MemoryRegistry();
        try (var registry = new ScriptedRegistry((request, out) -> {
            if (request.method().equals("PUT")) {
                ScriptedRegistry.plain(out, "302 Found", "", "Location: /v2/other");
            } else {
                memory.answer(request, out);
            }
        })) {
            StoredImage image = made(registry.name() + "/app:1", new byte[] {1});
            assertThat(catchThrowableOfType(CaissonException.class, () -> push(image))
                            .code())
                    .isEqualTo("REGISTRY_ANSWER");
            assertThat(registry.requests).noneMatch(request -> request.path().equals("/v2/other"));
        }
    }

    @Test
    void a_registry_that_asks_for_a_login_again_and_again_is_given_up() throws IOException {
        try (var registry = new ScriptedRegistry((_, out) ->
                ScriptedRegistry.plain(out, "401 Unauthorized", "", "WWW-Authenticate: Basic realm=\"r\""))) {
            StoredImage image = made(registry.name() + "/app:1", new byte[] {1});
            var refused = catchThrowableOfType(
                    CaissonException.class, () -> store.push(image, login(registry.name()), PullListener.none()));
            assertThat(refused.code()).isEqualTo("REGISTRY_UNAUTHORIZED");
            assertThat(registry.requests).hasSizeLessThan(12);
        }
    }

    @Test
    void a_damaged_blob_is_refused_by_the_registry_and_no_manifest_is_stored() throws IOException {
        var memory = new MemoryRegistry();
        try (var registry = new ScriptedRegistry(memory.script())) {
            StoredImage image = made(registry.name() + "/app:1", new byte[] {1});
            Path layer = temporary
                    .resolve("store/content/blobs/sha256")
                    .resolve(store.layers(image).getFirst().blob().hex());
            byte[] content = Files.readAllBytes(layer);
            content[600] ^= 1;
            Files.write(layer, content);
            var refused = catchThrowableOfType(CaissonException.class, () -> push(image));
            assertThat(refused.sentence()).contains("DIGEST_INVALID");
            assertThat(memory.manifests).isEmpty();
        }
    }
}
