package dev.caisson.image;

import static dev.caisson.image.ScriptedRegistry.head;
import static dev.caisson.image.ScriptedRegistry.ok;
import static dev.caisson.image.ScriptedRegistry.plain;
import static dev.caisson.image.ScriptedRegistry.serving;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Registries that cheat, break off or lead elsewhere.
@Timeout(60)
class HostileRegistryTest {
    @TempDir
    Path temporary;

    private PullBed bed;
    private SampleImage image;

    @BeforeEach
    void an_image() throws IOException {
        bed = PullBed.in(temporary);
        image = bed.image();
    }

    private StoredImage pull(ScriptedRegistry registry, String name) {
        return bed.pull(registry, name, RegistryLogins.none());
    }

    /// Returns the code with which a pull is refused, after which the store has no image.
    private String refused(ScriptedRegistry.Script script) throws IOException {
        return bed.refused(script).code();
    }

    private RegistryLogins login(String registry) throws IOException {
        String both = Base64.getEncoder().encodeToString("me:hush".getBytes(StandardCharsets.UTF_8));
        Path file = temporary.resolve("config.json");
        Files.writeString(file, "{\"auths\":{\"" + registry + "\":{\"auth\":\"" + both + "\"}}}");
        return RegistryLogins.of(file);
    }

    @Test
    void an_honest_registry_is_believed() throws IOException {
        try (var registry = new ScriptedRegistry(serving(image))) {
            assertThat(pull(registry, "app:1").manifest()).isEqualTo(image.digest());
        }
    }

    @Test
    void layers_are_reported_by_their_numbers_and_nothing_else_is() throws IOException {
        var reported = new CopyOnWriteArrayList<String>();
        try (var registry = new ScriptedRegistry(serving(image));
                ImageStore store = bed.store()) {
            store.pull(ImageReference.parse(registry.name() + "/app:1"), RegistryLogins.none(), new PullListener() {
                @Override
                public void started(int layers, long bytes) {
                    long all = image.blobs.values().stream()
                            .mapToLong(blob -> blob.length)
                            .sum();
                    reported.add(layers + " " + (bytes == all));
                }

                @Override
                public void layer(int number, Digest digest, long done, long size, boolean isPresent) {
                    if (done == size) {
                        reported.add(number + " " + digest.equals(image.upper) + " " + isPresent);
                    }
                }
            });
        }
        assertThat(reported.getFirst()).isEqualTo("2 true");
        assertThat(reported.subList(1, reported.size()))
                .containsOnly("0 false false", "1 true false")
                .hasSizeGreaterThan(1);
    }

    @Test
    void a_manifest_is_compared_with_the_digest_it_was_asked_for_by() throws IOException {
        Digest other = new SampleImage("z").digest();
        try (var registry = new ScriptedRegistry(serving(image))) {
            var refused = catchThrowableOfType(ImageException.class, () -> pull(registry, "app@" + other));
            assertThat(refused.reason()).isEqualTo(ImageException.Code.DIGEST_MISMATCH);
        }
    }

    @Test
    void a_blob_is_compared_with_its_digest_and_thrown_away() throws IOException {
        assertThat(refused((request, out) -> {
                    if (!request.path().endsWith(image.upper.toString())) {
                        serving(image).answer(request, out);
                        return;
                    }
                    byte[] changed = image.blob(image.upper).clone();
                    changed[changed.length / 2] ^= 1;
                    ok(out, "application/octet-stream", changed);
                }))
                .isEqualTo("DIGEST_MISMATCH");
        try (Stream<Path> blobs = Files.list(temporary.resolve("store/content/blobs/sha256"))) {
            assertThat(blobs.map(path -> path.getFileName().toString()))
                    .noneMatch(name -> name.startsWith(image.upper.hex()));
        }
    }

    @Test
    void a_longer_blob_is_read_no_further_than_its_size() throws IOException {
        var sent = new AtomicInteger();
        try (var registry = new ScriptedRegistry((request, out) -> {
            if (request.path().contains("/manifests/")) {
                serving(image).answer(request, out);
                return;
            }
            head(out, "200 OK", "Content-Type: application/octet-stream");
            String digest = request.path().substring(request.path().indexOf("sha256:") + 7);
            out.write(image.blob(new Digest(digest)));
            byte[] more = new byte[1 << 16];
            for (int i = 0; i < 1000; i++) {
                out.write(more);
                sent.addAndGet(more.length);
            }
        })) {
            assertThat(pull(registry, "app:1").manifest()).isEqualTo(image.digest());
        }
        assertThat(sent.get()).isLessThan(50 << 20);
    }

    @Test
    void a_blob_that_breaks_off_is_gone_on_with() throws IOException {
        var ranges = new CopyOnWriteArrayList<String>();
        try (var registry = new ScriptedRegistry((request, out) -> {
            if (!request.path().endsWith(image.upper.toString())) {
                serving(image).answer(request, out);
                return;
            }
            byte[] blob = image.blob(image.upper);
            String range = request.headers().getOrDefault("range", "bytes=0-");
            ranges.add(range);
            int from = Integer.parseInt(range.replaceAll("\\D", ""));
            int end = Math.min(blob.length, from + 50);
            String told = "Content-Range: bytes " + from + "-" + (blob.length - 1) + "/" + blob.length;
            head(out, from == 0 ? "200 OK" : "206 Partial Content", told, "Content-Length: " + (blob.length - from));
            out.write(blob, from, end - from);
        })) {
            assertThat(pull(registry, "app:1").manifest()).isEqualTo(image.digest());
        }
        assertThat(ranges).hasSizeGreaterThan(2).startsWith("bytes=0-", "bytes=50-", "bytes=100-");
    }

    @Test
    void a_blob_that_never_gets_further_is_given_up() throws IOException {
        assertThat(refused((request, out) -> {
                    if (request.path().endsWith(image.upper.toString())) {
                        head(out, "200 OK", "Content-Length: " + image.blob(image.upper).length);
                        return;
                    }
                    serving(image).answer(request, out);
                }))
                .isEqualTo("REGISTRY_UNREACHABLE");
    }

    @Test
    void a_range_that_was_not_asked_for_is_refused() throws IOException {
        assertThat(refused((request, out) -> {
                    byte[] blob = image.blob(image.upper);
                    if (!request.path().endsWith(image.upper.toString())) {
                        serving(image).answer(request, out);
                    } else if (request.headers().containsKey("range")) {
                        head(out, "206 Partial Content", "Content-Range: bytes 0-9/10", "Content-Length: 10");
                        out.write(blob, 0, 10);
                    } else {
                        head(out, "200 OK", "Content-Length: " + blob.length);
                        out.write(blob, 0, 20);
                    }
                }))
                .isEqualTo("REGISTRY_ANSWER");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "file:///etc/shadow",
                "ftp://127.0.0.1/x",
                "http://user:secret@127.0.0.1:1/x",
                "http://192.0.2.1/x",
                "http:///x",
                ":",
                ""
            })
    void a_redirect_to_what_is_not_https_is_refused(String target) throws IOException {
        assertThat(refused((_, out) -> plain(out, "307 Temporary Redirect", "", "Location: " + target)))
                .isEqualTo("REGISTRY_ANSWER");
    }

    @Test
    void what_a_redirect_says_is_not_in_the_error() throws IOException {
        try (var registry = new ScriptedRegistry(
                (_, out) -> plain(out, "307 Temporary Redirect", "", "Location: http://192.0.2.1/x?signature=hush"))) {
            var refused = catchThrowableOfType(CaissonException.class, () -> pull(registry, "app:1"));
            assertThat(refused.sentence()).contains("https").doesNotContain("hush");
        }
    }

    @Test
    void redirects_without_end_are_refused() throws IOException {
        assertThat(refused((request, out) ->
                        plain(out, "307 Temporary Redirect", "", "Location: " + request.path() + "x")))
                .isEqualTo("REGISTRY_ANSWER");
    }

    @Test
    void a_login_is_never_sent_to_where_a_redirect_leads() throws IOException {
        try (var storage = new ScriptedRegistry(serving(image));
                var registry = new ScriptedRegistry((request, out) -> {
                    if (!request.hasAuthorization()) {
                        plain(out, "401 Unauthorized", "", "WWW-Authenticate: Basic realm=\"x\"");
                    } else if (request.path().contains("/blobs/")) {
                        plain(out, "307 Temporary Redirect", "", "Location: http://" + storageName() + request.path());
                    } else {
                        serving(image).answer(request, out);
                    }
                })) {
            storageName = storage.name();
            assertThat(bed.pull(registry, "app:1", login(registry.name())).manifest())
                    .isEqualTo(image.digest());
            assertThat(storage.requests).isNotEmpty().noneMatch(ScriptedRegistry.Request::hasAuthorization);
            assertThat(registry.requests).anyMatch(ScriptedRegistry.Request::hasAuthorization);
        }
    }

    private volatile String storageName = "";

    private String storageName() {
        return storageName;
    }

    @Test
    void a_login_is_not_sent_to_a_token_service_of_another_owner() throws IOException {
        try (var registry = new ScriptedRegistry((_, out) -> plain(
                out,
                "401 Unauthorized",
                "",
                "WWW-Authenticate: Bearer realm=\"https://tokens.example.com/t\",service=\"x\""))) {
            var refused = catchThrowableOfType(
                    CaissonException.class, () -> bed.pull(registry, "app:1", login(registry.name())));
            assertThat(refused.code()).isEqualTo("REGISTRY_ANSWER");
            assertThat(refused.sentence()).contains("tokens.example.com").doesNotContain("hush");
        }
    }

    @Test
    void a_registry_that_never_accepts_its_own_token_is_given_up() throws IOException {
        var asked = new AtomicInteger();
        assertThat(refused((request, out) -> {
                    asked.incrementAndGet();
                    if (request.path().startsWith("/token")) {
                        plain(out, "200 OK", "{\"token\":\"abc\"}");
                        return;
                    }
                    String realm = "http://" + request.headers().get("host") + "/token";
                    plain(out, "401 Unauthorized", "", "WWW-Authenticate: Bearer realm=\"" + realm + "\"");
                }))
                .isEqualTo("REGISTRY_UNAUTHORIZED");
        assertThat(asked.get()).isLessThan(6);
    }

    @Test
    void a_token_with_a_line_end_is_not_put_into_a_header() throws IOException {
        assertThat(refused((request, out) -> {
                    if (request.path().startsWith("/token")) {
                        plain(out, "200 OK", "{\"token\":\"abc\\r\\nX-Evil: 1\"}");
                        return;
                    }
                    String realm = "http://" + request.headers().get("host") + "/token";
                    plain(out, "401 Unauthorized", "", "WWW-Authenticate: Bearer realm=\"" + realm + "\"");
                }))
                .isEqualTo("REGISTRY_ANSWER");
    }

    @Test
    void a_manifest_of_a_hundred_megabytes_is_not_read() throws IOException {
        var sent = new AtomicInteger();
        assertThat(refused((_, out) -> {
                    head(out, "200 OK", "Content-Type: " + SampleImage.MANIFEST_TYPE);
                    endless(out, sent);
                }))
                .isEqualTo("REGISTRY_ANSWER");
        assertThat(sent.get()).isLessThan(64 << 20);
    }

    private static void endless(OutputStream out, AtomicInteger sent) throws IOException {
        byte[] block = new byte[1 << 16];
        for (int i = 0; i < 1600; i++) {
            out.write(block);
            sent.addAndGet(block.length);
        }
    }

    @Test
    void a_manifest_that_is_not_the_index_s_is_refused_before_anything_of_it_is_fetched() throws IOException {
        byte[] index = new SampleImage("z").index(Platform.running().architecture());
        var blobs = new AtomicInteger();
        assertThat(refused((request, out) -> {
                    if (request.path().endsWith("/manifests/1")) {
                        ok(out, SampleImage.INDEX_TYPE, index);
                        return;
                    }
                    if (request.path().contains("/blobs/")) {
                        blobs.incrementAndGet();
                    }
                    serving(image).answer(request, out);
                }))
                .isEqualTo("DIGEST_MISMATCH");
        assertThat(blobs).hasValue(0);
    }

    @Test
    void a_removal_leaves_what_a_pull_on_its_way_has() throws IOException {
        var other = new SampleImage("z");
        try (var first = new ScriptedRegistry(serving(image))) {
            pull(first, "app:1");
        }
        try (var second = new ScriptedRegistry((request, out) -> {
            if (request.path().endsWith(other.upper.toString())) {
                try (ImageStore store = bed.store()) {
                    store.remove(Set.copyOf(store.images())); // the lower layer is of both images
                }
            }
            serving(other).answer(request, out);
        })) {
            pull(second, "app:2");
        }
        try (ImageStore store = bed.store();
                Stream<Path> blobs = Files.list(temporary.resolve("store/content/blobs/sha256"))) {
            assertThat(store.images()).hasSize(1);
            assertThat(blobs.map(path -> path.getFileName().toString()))
                    .containsAll(other.blobs.keySet().stream().map(Digest::hex).toList());
        }
    }

    @Test
    void a_manifest_of_another_size_than_its_index_says_is_refused() throws IOException {
        String index = new String(image.index(Platform.running().architecture()), StandardCharsets.US_ASCII);
        byte[] wrong = index.replace("\"size\":" + image.manifest.length, "\"size\":" + (image.manifest.length + 1))
                .getBytes(StandardCharsets.US_ASCII);
        assertThat(refused((request, out) -> {
                    if (request.path().endsWith("/manifests/1")) {
                        ok(out, SampleImage.INDEX_TYPE, wrong);
                    } else {
                        serving(image).answer(request, out);
                    }
                }))
                .isEqualTo("DIGEST_MISMATCH");
    }

    @Test
    void an_index_that_names_itself_is_refused() throws IOException {
        byte[] index = image.index(Platform.running().architecture());
        assertThat(refused((_, out) -> ok(out, SampleImage.INDEX_TYPE, index))).isEqualTo("DIGEST_MISMATCH");
    }

    @Test
    void an_image_for_another_platform_is_refused_before_its_layers_are_fetched() throws IOException {
        var blobs = new AtomicInteger();
        assertThat(refused((request, out) -> {
                    if (request.path().contains("/blobs/")) {
                        blobs.incrementAndGet();
                    }
                    ok(out, SampleImage.INDEX_TYPE, image.index("mips"));
                }))
                .isEqualTo("PLATFORM_MISSING");
        assertThat(blobs).hasValue(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/html", "", "application/vnd.docker.distribution.manifest.v1+prettyjws"})
    void what_is_no_manifest_is_refused(String type) throws IOException {
        assertThat(refused((_, out) -> ok(out, type, image.manifest))).isEqualTo("UNSUPPORTED_FORMAT");
    }

    @Test
    void an_error_page_is_told_by_its_status_and_code_alone() throws IOException {
        try (var registry = new ScriptedRegistry((_, out) -> plain(
                out,
                "403 Forbidden",
                "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\\u001b[31mpassword hush\"}]}"))) {
            var refused = catchThrowableOfType(CaissonException.class, () -> pull(registry, "app:1"));
            assertThat(refused.code()).isEqualTo("REGISTRY_UNAUTHORIZED");
            assertThat(refused.sentence())
                    .contains("403", "DENIED")
                    .doesNotContain("hush")
                    .doesNotContain("\u001b");
        }
    }

    @Test
    void a_busy_registry_is_asked_again_after_the_time_that_it_names() throws IOException {
        var asked = new AtomicInteger();
        try (var registry = new ScriptedRegistry((request, out) -> {
            if (asked.incrementAndGet() == 1) {
                plain(out, "429 Too Many Requests", "", "Retry-After: 1");
                return;
            }
            serving(image).answer(request, out);
        })) {
            assertThat(pull(registry, "app:1").manifest()).isEqualTo(image.digest());
        }
    }
}
