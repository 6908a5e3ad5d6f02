package dev.caisson.image;

import static dev.caisson.image.ScriptedRegistry.head;
import static dev.caisson.image.ScriptedRegistry.ok;
import static dev.caisson.image.ScriptedRegistry.plain;
import static dev.caisson.image.ScriptedRegistry.serving;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Registries whose answers break the rules of HTTP or contradict each other.
@Timeout(60)
class LyingRegistryTest {
    private static final String ESCAPE = "\u001b]0;owned\u0007\u001b[31m";

    @TempDir
    Path temporary;

    private PullBed bed;
    private SampleImage image;

    @BeforeEach
    void an_image() throws IOException {
        bed = PullBed.in(temporary);
        image = bed.image();
    }

    private StoredImage pull(ScriptedRegistry registry) {
        return bed.pull(registry, "app:1", RegistryLogins.none());
    }

    /// Returns the error of a pull that leaves the store without an image, of one short line.
    private CaissonException refused(ScriptedRegistry.Script script) throws IOException {
        CaissonException refused = bed.refused(script);
        assertThat(refused.sentence())
                .doesNotContain("\u001b")
                .doesNotContain("\u0007")
                .doesNotContain("\n");
        assertThat(refused.sentence().length()).isLessThan(600);
        return refused;
    }

    private static void raw(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private ScriptedRegistry.Script upper(ScriptedRegistry.Script other) {
        return (request, out) -> {
            if (request.path().endsWith(image.upper.toString())) {
                other.answer(request, out);
            } else {
                serving(image).answer(request, out);
            }
        };
    }

    // ---- answers that are no HTTP

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 " + ESCAPE + "\r\n\r\n",
                ESCAPE + "\r\n\r\n",
                "HTTP/1.1 99999 X\r\n\r\n",
                "HTTP/1.1 -1 X\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: " + ESCAPE + "\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n12345",
                "HTTP/1.1 200 OK\r\n" + ESCAPE + ": x\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA B: x\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX: a\u0001b" + ESCAPE + "\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Type: " + ESCAPE + "\r\nContent-Length: 2\r\n\r\n{}",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + ESCAPE + "\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx",
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
                "HTTP/1.1 204 No Content\r\n\r\n",
                "HTTP/1.1 304 Not Modified\r\n\r\n",
                "HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n{}"
            })
    void an_answer_that_is_no_http_is_refused_in_a_plain_line(String answer) throws IOException {
        assertThat(refused((_, out) -> raw(out, answer)).code())
                .isIn("REGISTRY_ANSWER", "REGISTRY_UNREACHABLE", "UNSUPPORTED_FORMAT");
    }

    @ParameterizedTest
    @ValueSource(strings = {"X: ", "HTTP/1.1 103 Early Hints\r\n\r\n", "X: y\r\n", "WWW-Authenticate: Basic\r\n"})
    void a_head_without_end_is_given_up(String repeated) throws IOException {
        var sent = new AtomicLong();
        refused((_, out) -> {
            raw(out, repeated.startsWith("HTTP") ? "" : "HTTP/1.1 401 Unauthorized\r\n");
            byte[] block = (repeated.equals("X: ") ? repeated + "x".repeat(10_000) : repeated.repeat(400))
                    .getBytes(StandardCharsets.US_ASCII);
            for (int i = 0; i < 20_000; i++) {
                out.write(block);
                sent.addAndGet(block.length);
            }
        });
        assertThat(sent.get()).isLessThan(100L << 20);
    }

    // ---- challenges and tokens

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Bearer realm=\"\\\"\\\\\\\"\\\"http://127.0.0.1/\\\"\"",
                "Bearer realm=\"" + "\\\"",
                "Bearer realm=\"http://127.0.0.1:1/\u0001" + ESCAPE + "\"",
                "Bearer",
                "Bearer realm=",
                "Bearer realm=\"file:///etc/passwd\"",
                "Bearer realm=\"//127.0.0.1/x\"",
                "Bearer realm=\"http://a b/\"",
                "Negotiate",
                ",,,,,=,=,",
                "Basic realm=\"x\", Bearer realm=\"http://[::1\"",
                ""
            })
    void an_absurd_challenge_is_refused(String challenge) throws IOException {
        assertThat(refused((_, out) -> plain(out, "401 Unauthorized", "", "WWW-Authenticate: " + challenge))
                        .code())
                .isIn("REGISTRY_ANSWER", "REGISTRY_UNAUTHORIZED", "REGISTRY_UNREACHABLE");
    }

    @Test
    void many_challenges_cost_little() throws IOException {
        String[] many = new String[4000];
        Arrays.fill(many, "WWW-Authenticate: " + "a ,\"=b, ".repeat(5));
        refused((_, out) -> plain(out, "401 Unauthorized", "", many));
    }

    @ParameterizedTest
    @ValueSource(ints = {60_000, 70_000, 1 << 20, 1 << 24})
    void a_large_token_is_refused_or_not_taken(int length) throws IOException {
        byte[] token = ("{\"token\":\"" + "t".repeat(length) + "\"}").getBytes(StandardCharsets.US_ASCII);
        var asked = new AtomicInteger();
        refused((request, out) -> {
            asked.incrementAndGet();
            if (request.path().startsWith("/token")) {
                ok(out, "application/json", token);
                return;
            }
            String realm = "http://" + request.headers().get("host") + "/token";
            plain(out, "401 Unauthorized", "", "WWW-Authenticate: Bearer realm=\"" + realm + "\"");
        });
        assertThat(asked.get()).isLessThan(8);
    }

    // ---- redirects

    @ParameterizedTest
    @ValueSource(
            strings = {
                "javascript:alert(1)",
                "data:,x",
                "//",
                "http://",
                "https://",
                "http:/x",
                "https:x",
                "http://127.0.0.1:99999/",
                "http://127.0.0.1:-1/",
                "jar:file:/x!/y",
                "http://%31%32%37.0.0.1/",
                "https://2130706433:1/x"
            })
    void a_redirect_to_another_scheme_is_refused(String to) throws IOException {
        refused((_, out) -> plain(out, "307 Temporary Redirect", "", "Location: " + to));
    }

    @Test
    void a_circle_of_redirects_is_left() throws IOException {
        var asked = new AtomicInteger();
        assertThat(refused((request, out) -> {
                            asked.incrementAndGet();
                            String to = request.path().endsWith("a") ? "/b" : "/a";
                            plain(out, "308 Permanent Redirect", "", "Location: " + to);
                        })
                        .code())
                .isEqualTo("REGISTRY_ANSWER");
        assertThat(asked.get()).isLessThan(10);
    }

    // ---- blobs

    @Test
    void a_blob_in_another_encoding_is_not_its_content() throws IOException {
        byte[] packed = SampleImage.gzip(image.blob(image.upper));
        assertThat(refused(upper((_, out) -> {
                            head(out, "200 OK", "Content-Encoding: gzip", "Content-Length: " + packed.length);
                            out.write(packed);
                        }))
                        .code())
                .isEqualTo("DIGEST_MISMATCH");
    }

    @Test
    void an_encoding_that_is_only_named_changes_nothing() throws IOException {
        byte[] blob = image.blob(image.upper);
        try (var registry = new ScriptedRegistry(upper((_, out) -> {
            head(out, "200 OK", "Content-Encoding: gzip", "Content-Length: " + blob.length);
            out.write(blob);
        }))) {
            assertThat(pull(registry).manifest()).isEqualTo(image.digest());
        }
    }

    @Test
    void a_part_that_nobody_asked_for_is_no_blob() throws IOException {
        byte[] blob = image.blob(image.upper);
        assertThat(refused(upper((_, out) -> {
                            head(
                                    out,
                                    "206 Partial Content",
                                    "Content-Range: bytes 0-" + (blob.length - 1) + "/" + blob.length,
                                    "Content-Length: " + blob.length);
                            out.write(blob);
                        }))
                        .code())
                .isEqualTo("REGISTRY_ANSWER");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bytes 5-9/10",
                "bytes */10",
                "bytes 50-40/10",
                "items 50-99/100",
                "bytes 99999999999999999999-1/2",
                ""
            })
    void another_part_is_refused(String range) throws IOException {
        byte[] blob = image.blob(image.upper);
        assertThat(refused(upper((request, out) -> {
                            if (!request.headers().containsKey("range")) {
                                head(out, "200 OK", "Content-Length: " + blob.length);
                                out.write(blob, 0, 30);
                                return;
                            }
                            head(out, "206 Partial Content", "Content-Range: " + range, "Content-Length: 10");
                            out.write(blob, 30, 10);
                        }))
                        .code())
                .isIn("REGISTRY_ANSWER");
    }

    @Test
    void long_heads_and_many_trailers_of_chunks_are_passed_over() throws IOException {
        byte[] blob = image.blob(image.upper);
        try (var registry = new ScriptedRegistry(upper((_, out) -> {
            head(out, "200 OK", "Transfer-Encoding: chunked");
            raw(out, Integer.toHexString(blob.length) + ";a=\"" + "x".repeat(1000) + "\"\r\n");
            out.write(blob);
            raw(out, "\r\n0\r\n" + "T: x\r\n".repeat(100_000) + "\r\n");
        }))) {
            assertThat(pull(registry).manifest()).isEqualTo(image.digest());
        }
    }

    @Test
    void a_blob_that_comes_byte_by_byte_is_given_up() throws IOException {
        byte[] large = new byte[300_000];
        Arrays.fill(large, (byte) 7);
        Digest digest = Digest.of(large);
        byte[] manifest = new String(image.manifest, StandardCharsets.US_ASCII)
                .replace(image.upper + "\",\"size\":" + image.blob(image.upper).length, digest + "\",\"size\":300000")
                .getBytes(StandardCharsets.US_ASCII);
        var asked = new AtomicInteger();
        assertThat(refused((request, out) -> {
                            if (request.path().contains("/manifests/")) {
                                ok(out, SampleImage.MANIFEST_TYPE, manifest);
                            } else if (request.path().endsWith(digest.toString())) {
                                asked.incrementAndGet();
                                int from = Integer.parseInt(request.headers()
                                        .getOrDefault("range", "bytes=0-")
                                        .replaceAll("\\D", ""));
                                head(
                                        out,
                                        from == 0 ? "200 OK" : "206 Partial Content",
                                        "Content-Range: bytes " + from + "-299999/300000",
                                        "Content-Length: " + (300_000 - from));
                                out.write(large, from, 1);
                            } else {
                                serving(image).answer(request, out);
                            }
                        })
                        .code())
                .isEqualTo("REGISTRY_UNREACHABLE");
        assertThat(asked.get()).isLessThan(100);
    }

    // ---- documents that contradict each other

    private byte[] manifest(String from, String to) {
        String text = new String(image.manifest, StandardCharsets.US_ASCII);
        assertThat(text).contains(from);
        return text.replace(from, to).getBytes(StandardCharsets.US_ASCII);
    }

    private CaissonException withManifest(byte[] manifest) throws IOException {
        return refused((request, out) -> {
            if (request.path().contains("/manifests/")) {
                ok(out, SampleImage.MANIFEST_TYPE, manifest);
            } else {
                serving(image).answer(request, out);
            }
        });
    }

    @Test
    void a_layer_that_the_manifest_lists_twice_is_one_too_many_for_its_configuration() throws IOException {
        String text = new String(image.manifest, StandardCharsets.US_ASCII);
        String last = text.substring(text.lastIndexOf(",{") + 1, text.lastIndexOf(']'));
        assertThat(withManifest(manifest(last, last + "," + last)).code()).isEqualTo("BAD_MANIFEST");
    }

    @Test
    void a_manifest_of_fewer_layers_than_its_configuration_is_refused() throws IOException {
        String text = new String(image.manifest, StandardCharsets.US_ASCII);
        String last = text.substring(text.lastIndexOf(",{"), text.lastIndexOf(']'));
        assertThat(withManifest(manifest(last, "")).code()).isEqualTo("BAD_MANIFEST");
    }

    @Test
    void a_document_of_another_type_than_its_answer_is_refused() throws IOException {
        assertThat(refused((request, out) -> {
                            if (request.path().contains("/manifests/")) {
                                ok(out, SampleImage.INDEX_TYPE, image.manifest);
                            } else {
                                serving(image).answer(request, out);
                            }
                        })
                        .code())
                .isEqualTo("BAD_MANIFEST");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "9223372036854775807", "9223372036854775808", "1e3", "\"5\"", "274877906945"})
    void a_size_that_no_layer_has_is_refused(String size) throws IOException {
        withManifest(manifest("\"size\":" + image.blob(image.upper).length, "\"size\":" + size));
    }

    @Test
    void the_addresses_that_a_layer_names_are_asked_for_nothing() throws IOException {
        try (var other = new ScriptedRegistry(serving(image))) {
            String layer = "application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"" + image.upper;
            String foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip\",\"urls\":[\"http://"
                    + other.name() + "/x\"],\"digest\":\"" + image.upper;
            byte[] manifest = manifest(layer, foreign);
            try (var registry = new ScriptedRegistry((request, out) -> {
                if (request.path().contains("/manifests/")) {
                    ok(out, SampleImage.MANIFEST_TYPE, manifest);
                } else {
                    serving(image).answer(request, out);
                }
            })) {
                assertThat(pull(registry).manifest()).isEqualTo(Digest.of(manifest));
            }
            assertThat(other.requests).isEmpty();
        }
    }

    @Test
    void whoever_is_interrupted_is_told_so_while_nothing_is_answered() throws IOException {
        Thread caller = Thread.currentThread();
        assertThat(refused((_, _) -> {
                            caller.interrupt();
                            LockSupport.parkNanos(2_000_000_000L);
                        })
                        .code())
                .isEqualTo("INTERRUPTED");
    }
}
