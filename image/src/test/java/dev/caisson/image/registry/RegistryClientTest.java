package dev.caisson.image.registry;

import static dev.caisson.image.ScriptedRegistry.head;
import static dev.caisson.image.ScriptedRegistry.ok;
import static dev.caisson.image.ScriptedRegistry.plain;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ScriptedRegistry;
import dev.caisson.image.registry.RegistryClient.Blob;
import dev.caisson.image.registry.RegistryClient.Document;
import dev.caisson.image.registry.RegistryException.Code;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Manifests and blobs, as a registry gives them and as it must not.
@Timeout(30)
class RegistryClientTest {
    private static final String BASIC = "WWW-Authenticate: Basic realm=\"r\"";
    private static final int LARGEST = 4 << 20;

    private static void assertRefused(Code code, String part, ThrowingCallable call) {
        RegistryException refused = catchThrowableOfType(RegistryException.class, call);
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).as(refused.sentence()).isEqualTo(code);
        assertThat(refused.sentence()).contains(part);
    }

    // ---- a login

    @ParameterizedTest
    @ValueSource(strings = {"401 Unauthorized", "403 Forbidden"})
    void a_login_that_is_not_taken_is_refused(String status) throws IOException {
        try (var one = new Conversation(Credentials.given("me", "hush"), (_, out) -> plain(out, status, "", BASIC));
                var client = new RegistryClient(one.exchange)) {
            assertRefused(Code.REGISTRY_UNAUTHORIZED, "refuses this user and password", client::checkLogin);
        }
    }

    @Test
    void a_login_that_is_taken_is_good_and_another_answer_is_no_proof() throws IOException {
        try (var good = new Conversation(
                        Credentials.given("me", "hush"),
                        (request, out) ->
                                plain(out, request.hasAuthorization() ? "200 OK" : "401 Unauthorized", "", BASIC));
                var client = new RegistryClient(good.exchange);
                var broken = new Conversation((_, out) -> plain(out, "500 x", ""));
                var other = new RegistryClient(broken.exchange)) {
            client.checkLogin();
            assertThat(good.lines()).containsExactly("GET /v2/", "GET /v2/");
            assertRefused(Code.REGISTRY_ANSWER, "answers with status 500", other::checkLogin);
        }
    }

    // ---- manifests

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"a/b | a/b", "a/b; charset=utf-8 | a/b", "a/b ;x=y | a/b", ";x=y | ''", "'' | ''"})
    void a_manifest_has_its_type_without_parameters(String header, String type) throws IOException {
        byte[] content = {1, 2, 3};
        try (var one = new Conversation((_, out) -> ok(out, header, content));
                var client = new RegistryClient(one.exchange)) {
            Document document = client.manifest("app", "1", List.of("x/y", "z/w"));
            assertThat(document.mediaType()).isEqualTo(type);
            assertThat(document.content()).isEqualTo(content);
            document.content()[0] = 9;
            assertThat(document.content()).isEqualTo(content);
            assertThat(one.lines()).containsExactly("GET /v2/app/manifests/1");
            assertThat(one.requests().getFirst().headers())
                    .containsEntry("accept", "x/y, z/w")
                    .containsEntry("user-agent", "caisson");
        }
    }

    @Test
    void a_manifest_has_four_megabytes_at_most() throws IOException {
        try (var largest = new Conversation((_, out) -> ok(out, "a/b", new byte[LARGEST]));
                var client = new RegistryClient(largest.exchange);
                var larger = new Conversation((_, out) -> ok(out, "a/b", new byte[LARGEST + 1]));
                var other = new RegistryClient(larger.exchange)) {
            assertThat(client.manifest("app", "1", List.of()).content()).hasSize(LARGEST);
            assertRefused(
                    Code.REGISTRY_ANSWER,
                    "a manifest of more than 4194304 bytes for app",
                    () -> other.manifest("app", "1", List.of()));
        }
    }

    @Test
    void a_manifest_that_is_cut_or_not_there_is_refused() throws IOException {
        try (var cut = new Conversation((_, out) -> head(out, "200 OK", "Content-Length: 9"));
                var client = new RegistryClient(cut.exchange);
                var none = new Conversation((_, out) -> plain(out, "404 x", ""));
                var other = new RegistryClient(none.exchange)) {
            assertRefused(Code.REGISTRY_UNREACHABLE, cut.registry.name(), () -> client.manifest("app", "1", List.of()));
            assertRefused(Code.REGISTRY_NOT_FOUND, "has no app:1", () -> other.manifest("app", "1", List.of()));
            String digest = "sha256:" + "0".repeat(64);
            assertRefused(
                    Code.REGISTRY_NOT_FOUND, "has no app@" + digest, () -> other.manifest("app", digest, List.of()));
        }
    }

    // ---- blobs

    private static final byte[] BLOB = "0123456789".getBytes(StandardCharsets.US_ASCII);

    /// Answers a range as asked for, or as `contentRange` says.
    private static ScriptedRegistry.Script ranged(String contentRange) {
        return (request, out) -> {
            int from = Integer.parseInt(
                    request.headers().getOrDefault("range", "bytes=0-").replaceAll("\\D", ""));
            head(
                    out,
                    from == 0 ? "200 OK" : "206 Partial Content",
                    contentRange.isEmpty() ? "X: y" : "Content-Range: " + contentRange,
                    "Content-Length: " + (BLOB.length - from));
            out.write(BLOB, from, BLOB.length - from);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes 4-9/10", "bytes 4-9/*"})
    void a_blob_comes_from_the_byte_on_that_was_asked_for(String contentRange) throws IOException {
        try (var one = new Conversation(ranged(contentRange));
                var client = new RegistryClient(one.exchange)) {
            try (Blob whole = client.blob("app", "sha256:x", 0);
                    Blob rest = client.blob("app", "sha256:x", 4)) {
                assertThat(whole.from()).isZero();
                assertThat(whole.content().readAllBytes()).isEqualTo(BLOB);
                assertThat(rest.from()).isEqualTo(4);
                assertThat(new String(rest.content().readAllBytes(), StandardCharsets.US_ASCII))
                        .isEqualTo("456789");
            }
            assertThat(one.lines()).containsOnly("GET /v2/app/blobs/sha256:x");
            assertThat(one.requests().getFirst().headers()).doesNotContainKey("range");
            assertThat(one.requests().getLast().headers()).containsEntry("range", "bytes=4-");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "bytes 5-9/10", "bytes 0-9/10", "bytes 4-9", "bytes */10", "4-9/10"})
    void another_range_than_was_asked_for_is_refused(String contentRange) throws IOException {
        try (var one = new Conversation(ranged(contentRange));
                var client = new RegistryClient(one.exchange)) {
            assertRefused(
                    Code.REGISTRY_ANSWER,
                    "answers another range of sha256:x than it was asked for",
                    () -> client.blob("app", "sha256:x", 4));
        }
    }

    @Test
    void a_registry_without_ranges_begins_at_the_start() throws IOException {
        try (var one = new Conversation((_, out) -> ok(out, "a/b", BLOB));
                var client = new RegistryClient(one.exchange);
                Blob blob = client.blob("app", "sha256:x", 4)) {
            assertThat(blob.from()).isZero();
            assertThat(blob.content().readAllBytes()).isEqualTo(BLOB);
        }
    }

    @Test
    void a_range_that_is_not_there_is_asked_for_from_the_start() throws IOException {
        try (var one = new Conversation((request, out) -> {
                    if (request.headers().containsKey("range")) {
                        plain(out, "416 x", "");
                    } else {
                        ok(out, "a/b", BLOB);
                    }
                });
                var client = new RegistryClient(one.exchange);
                Blob blob = client.blob("app", "sha256:x", 40)) {
            assertThat(blob.from()).isZero();
            assertThat(one.requests()).hasSize(2);
        }
    }

    @ParameterizedTest
    @CsvSource({"416, REGISTRY_ANSWER", "206, REGISTRY_ANSWER", "404, REGISTRY_NOT_FOUND", "204, REGISTRY_ANSWER"})
    void an_answer_that_is_no_blob_is_refused(int status, Code code) throws IOException {
        try (var one = new Conversation((_, out) -> plain(out, status + " x", "", "Content-Range: bytes 0-9/10"));
                var client = new RegistryClient(one.exchange)) {
            assertRefused(code, "sha256:x of app", () -> client.blob("app", "sha256:x", 0));
            assertThat(one.requests()).hasSize(1);
        }
    }

    @Test
    void closing_a_blob_ends_its_connection() throws Exception {
        var ended = new CountDownLatch(1);
        try (var one = new Conversation((_, out) -> {
                    head(out, "200 OK", "Content-Length: 1000000000");
                    try {
                        while (true) {
                            out.write(BLOB);
                        }
                    } catch (IOException e) {
                        ended.countDown();
                    }
                });
                var client = new RegistryClient(one.exchange)) {
            Blob blob = client.blob("app", "sha256:x", 0);
            assertThat(blob.content().read()).isEqualTo('0');
            assertThat(blob.content().readNBytes(9)).isEqualTo("123456789".getBytes(StandardCharsets.US_ASCII));
            assertThat(ended.getCount()).isOne();
            blob.close();
            assertThat(ended.await(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void nobody_waits_for_the_end_of_an_answer_that_is_no_use() throws IOException {
        var endless = new Conversation.Endless();
        try (var one = new Conversation((request, out) -> {
                    if (request.path().equals("/v2/")) {
                        endless.answer(out, "200 OK");
                    } else if (request.path().contains("/manifests/")) {
                        endless.answer(out, request.path().endsWith("1") ? "200 OK" : "404 x");
                    } else if (request.headers().containsKey("range")) {
                        endless.answer(out, request.path().endsWith("x") ? "416 x" : "206 x");
                    } else {
                        endless.answer(out, request.path().endsWith("none") ? "404 x" : "200 OK");
                    }
                });
                var client = new RegistryClient(one.exchange)) {
            client.checkLogin();
            endless.awaitCut(1);
            assertRefused(Code.REGISTRY_ANSWER, "more than", () -> client.manifest("app", "1", List.of()));
            assertRefused(Code.REGISTRY_NOT_FOUND, "app:2", () -> client.manifest("app", "2", List.of()));
            endless.awaitCut(3);
            assertRefused(Code.REGISTRY_NOT_FOUND, "none", () -> client.blob("app", "sha256:none", 0));
            assertRefused(Code.REGISTRY_ANSWER, "another range", () -> client.blob("app", "sha256:y", 4));
            endless.awaitCut(5);
            try (Blob blob = client.blob("app", "sha256:x", 4)) {
                assertThat(blob.from()).isZero();
            }
            endless.awaitCut(7);
        }
    }

    @Test
    void a_client_that_was_closed_asks_nothing_more() throws IOException {
        try (var one = new Conversation((_, out) -> ok(out, "a/b", BLOB))) {
            var client = new RegistryClient(one.exchange);
            client.close();
            assertThat(catchThrowableOfType(RegistryException.class, () -> client.manifest("app", "1", List.of()))
                            .reason())
                    .isEqualTo(Code.REGISTRY_UNREACHABLE);
            assertThat(one.requests()).isEmpty();
        }
    }
}
