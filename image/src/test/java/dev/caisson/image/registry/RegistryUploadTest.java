package dev.caisson.image.registry;

import static dev.caisson.image.ScriptedRegistry.plain;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ScriptedRegistry;
import dev.caisson.image.ScriptedRegistry.Request;
import dev.caisson.image.registry.RegistryException.Code;
import dev.caisson.image.registry.RegistryUpload.PartSizes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Blobs and manifests on their way to a registry: in parts of ten bytes, again after a break, and given up in the end.
@Timeout(30)
class RegistryUploadTest {
    private static final PartSizes SIZES = new PartSizes(10, 40);
    private static final String UPLOADS = "/v2/app/blobs/uploads/";
    private static final byte[] BLOB =
            "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".getBytes(StandardCharsets.US_ASCII);

    private final ByteArrayOutputStream stored = new ByteArrayOutputStream();
    private final List<String> lines = new ArrayList<>();
    private final List<Long> progress = new ArrayList<>();
    private final AtomicInteger uploads = new AtomicInteger();

    private static RegistryUpload upload(Conversation with) {
        return new RegistryUpload(with.exchange, "app", SIZES);
    }

    private static void assertRefused(Code code, String part, ThrowingCallable call) {
        RegistryException refused = catchThrowableOfType(RegistryException.class, call);
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).as(refused.sentence()).isEqualTo(code);
        assertThat(refused.sentence()).contains(part);
    }

    /// An upload of a registry that keeps the rules. `lines` gets what it was asked.
    private void serve(Request request, OutputStream out) throws IOException {
        note(request);
        switch (request.method()) {
            case "POST" -> {
                stored.reset();
                plain(out, "202 Accepted", "", "Location: " + UPLOADS + uploads.incrementAndGet());
            }
            case "PATCH" -> {
                stored.write(request.content());
                String range = "Range: 0-" + (stored.size() - 1);
                plain(out, "202 Accepted", "", "Location: " + request.path() + "n", range);
            }
            case "PUT" -> {
                stored.write(request.content());
                plain(out, "201 Created", "");
            }
            default -> plain(out, "204 No Content", "", "Range: 0-" + (stored.size() - 1));
        }
    }

    private void note(Request request) {
        String range = request.headers().getOrDefault("content-range", "");
        lines.add(request.method() + " " + request.path().replace(UPLOADS, "") + (range.isEmpty() ? "" : " " + range));
    }

    private void send(Conversation with, int size) {
        upload(with)
                .blob(
                        "sha256:x",
                        size,
                        (from, count) -> new ByteArrayInputStream(BLOB, (int) from, (int) count),
                        progress::add);
    }

    private String stored() {
        return stored.toString(StandardCharsets.US_ASCII);
    }

    private static String first(int size) {
        return new String(BLOB, 0, size, StandardCharsets.US_ASCII);
    }

    // ---- what is there

    @Test
    void a_blob_is_looked_for_without_fetching_it() throws IOException {
        try (var has = new Conversation((_, out) -> plain(out, "200 OK", ""));
                var lacks = new Conversation((_, out) -> plain(out, "404 x", ""));
                var broken = new Conversation((_, out) -> plain(out, "500 x", ""))) {
            assertThat(upload(has).has("sha256:x")).isTrue();
            assertThat(has.lines()).containsExactly("HEAD /v2/app/blobs/sha256:x");
            assertThat(upload(lacks).has("sha256:x")).isFalse();
            assertRefused(
                    Code.REGISTRY_ANSWER,
                    "when asked to take sha256:x into app",
                    () -> upload(broken).has("sha256:x"));
        }
    }

    @Test
    void a_mount_is_done_or_not() throws IOException {
        try (var does = new Conversation((_, out) -> plain(out, "201 Created", ""));
                var begins = new Conversation((request, out) -> plain(
                        out,
                        request.method().equals("POST") ? "202 Accepted" : "204 No Content",
                        "",
                        "Location: " + UPLOADS + "7"));
                var refuses = new Conversation((_, out) -> plain(out, "405 x", ""));
                var wantsLogin = new Conversation((_, out) -> plain(out, "401 x", ""));
                var leadsAway = new Conversation((_, out) -> plain(out, "308 x", "", "Location: ftp://x/"))) {
            assertThat(upload(does).mount("sha256:x", "base")).isTrue();
            assertThat(does.lines()).containsExactly("POST " + UPLOADS + "?mount=sha256:x&from=base");
            assertThat(upload(begins).mount("sha256:x", "base")).isFalse();
            assertThat(begins.lines()).hasSize(2).last().isEqualTo("DELETE " + UPLOADS + "7");
            assertThat(upload(refuses).mount("sha256:x", "base")).isFalse();
            assertThat(refuses.requests()).hasSize(1);
            assertThat(upload(wantsLogin).mount("sha256:x", "base")).isFalse();
            assertRefused(
                    Code.REGISTRY_ANSWER, "redirects", () -> upload(leadsAway).mount("sha256:x", "base"));
        }
    }

    @Test
    void a_mount_asks_for_the_right_to_read_the_other_repository() throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.path().startsWith("/token")) {
                plain(out, "200 OK", "{\"token\":\"t\"}");
            } else if (request.hasAuthorization()) {
                plain(out, "201 Created", "");
            } else {
                String realm = "http://" + request.headers().get("host") + "/token";
                plain(out, "401 x", "", "WWW-Authenticate: Bearer realm=\"" + realm + "\"");
            }
        })) {
            assertThat(upload(one).mount("sha256:x", "base")).isTrue();
            assertThat(one.lines().get(1))
                    .endsWith("&scope=repository%3Aapp%3Apull%2Cpush&scope=repository%3Abase%3Apull");
        }
    }

    // ---- a blob

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 10})
    void a_small_blob_is_sent_whole(int size) throws IOException {
        try (var one = new Conversation(this::serve)) {
            send(one, size);
            assertThat(stored()).isEqualTo(first(size));
            assertThat(lines).containsExactly("POST ", "PUT 1?digest=sha256:x");
            assertThat(progress).isNotEmpty().last().isEqualTo((long) size);
            assertThat(one.requests().getLast().headers())
                    .containsEntry("content-type", "application/octet-stream")
                    .containsEntry("content-length", "" + size);
        }
    }

    @Test
    void a_large_blob_is_sent_in_parts_each_to_where_the_last_one_led() throws IOException {
        try (var one = new Conversation(this::serve)) {
            send(one, 25);
            assertThat(stored()).isEqualTo(first(25));
            assertThat(lines)
                    .containsExactly(
                            "POST ", "PATCH 1 0-9", "PATCH 1n 10-19", "PATCH 1nn 20-24", "PUT 1nnn?digest=sha256:x");
            assertThat(progress).isSorted().contains(10L, 20L).last().isEqualTo(25L);
            assertThat(one.requests().get(1).headers()).containsEntry("content-type", "application/octet-stream");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'', 10",
        "9, 10",
        "11, 11",
        "40, 40",
        "41, 40",
        "999999999999, 40",
        "9999999999999, 10",
        "many, 10",
        "-20, 10"
    })
    void parts_are_as_large_as_the_registry_wants_within_bounds(String least, int part) throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals("POST")) {
                note(request);
                plain(out, "202 Accepted", "", "Location: " + UPLOADS + "1", "OCI-Chunk-Min-Length: " + least);
            } else {
                serve(request, out);
            }
        })) {
            send(one, 50);
            assertThat(lines.get(1)).isEqualTo("PATCH 1 0-" + (part - 1));
            assertThat(stored()).isEqualTo(first(50));
        }
    }

    @Test
    void the_digest_joins_a_query_that_is_there() throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals("POST")) {
                plain(out, "202 Accepted", "", "Location: " + UPLOADS + "1?state=a%2Fb");
            } else {
                serve(request, out);
            }
        })) {
            send(one, 1);
            assertThat(lines).containsExactly("PUT 1?state=a%2Fb&digest=sha256:x");
        }
    }

    @ParameterizedTest
    @CsvSource({"'Range: 0-5', 6", "'Range: bytes=0-5', 6", "'X: y', 10", "'Range: bytes 0-5', 10"})
    void a_registry_may_take_less_than_a_part(String header, int taken) throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals("PATCH") && stored.size() == 0) {
                note(request);
                stored.write(request.content(), 0, taken);
                plain(out, "204 No Content", "", "Location: " + UPLOADS + "2", header);
            } else {
                serve(request, out);
            }
        })) {
            send(one, 20);
            assertThat(stored()).isEqualTo(first(20));
            assertThat(lines.get(2)).isEqualTo("PATCH 2 " + taken + "-" + Math.min(19, taken + 9));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0-10", "0-19", "0-999999999999999999"})
    void a_registry_that_has_more_than_it_was_given_is_refused(String range) throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals("PATCH")) {
                plain(out, "202 Accepted", "", "Location: " + UPLOADS + "2", "Range: " + range);
            } else {
                serve(request, out);
            }
        })) {
            assertRefused(Code.REGISTRY_ANSWER, "takes another part of a blob than it was given", () -> send(one, 20));
        }
    }

    @Test
    void a_registry_that_has_nothing_of_a_later_part_is_refused() throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals("PATCH") && stored.size() == 10) {
                plain(out, "202 Accepted", "", "Location: " + UPLOADS + "2", "Range: 0-9");
            } else {
                serve(request, out);
            }
        })) {
            assertRefused(Code.REGISTRY_ANSWER, "takes another part of a blob than it was given", () -> send(one, 30));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "POST, 404, REGISTRY_NOT_FOUND, uploads into app",
        "POST, 200, REGISTRY_ANSWER, uploads into app",
        "PATCH, 400, REGISTRY_ANSWER, a part of a blob into app",
        "PATCH, 200, REGISTRY_ANSWER, a part of a blob into app",
        "PATCH, 403, REGISTRY_UNAUTHORIZED, a part of a blob into app",
        "PUT, 400, REGISTRY_ANSWER, a part of a blob into app",
        "PUT, 202, REGISTRY_ANSWER, a part of a blob into app",
        "PUT, 499, REGISTRY_ANSWER, a part of a blob into app",
    })
    void an_answer_that_nothing_mends_ends_an_upload_at_once(String method, int status, Code code, String part)
            throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals(method)) {
                note(request);
                plain(out, status + " x", "", "Location: " + UPLOADS + "1");
            } else {
                serve(request, out);
            }
        })) {
            assertRefused(code, part, () -> send(one, 20));
            assertThat(lines).filteredOn(line -> line.startsWith(method)).hasSize(1);
            assertThat(one.pauses).isEmpty();
        }
    }

    @Test
    void an_upload_without_an_address_is_refused() throws IOException {
        try (var one = new Conversation((_, out) -> plain(out, "202 Accepted", ""))) {
            assertRefused(Code.REGISTRY_ANSWER, "begins no upload", () -> send(one, 20));
        }
    }

    @Test
    void each_byte_that_is_read_counts_once() throws IOException {
        var counted =
                new RegistryUpload.Counted(new ByteArrayInputStream(new byte[] {7, (byte) 0xff, 9}), 5, progress::add);
        byte[] bytes = new byte[4];
        assertThat(counted.read()).isEqualTo(7);
        assertThat(counted.read()).isEqualTo(0xff);
        assertThat(counted.read(bytes, 1, 0)).isZero();
        assertThat(counted.read(bytes, 1, 3)).isOne();
        assertThat(bytes).containsExactly(0, 9, 0, 0);
        assertThat(counted.read()).isEqualTo(-1);
        assertThat(counted.read(bytes, 0, 4)).isEqualTo(-1);
        assertThat(progress).containsExactly(6L, 7L, 8L);
    }

    // ---- an upload that breaks

    /// Answers as the rules want, but breaks as it says at PATCH number `at` of all, counted from 1.
    private ScriptedRegistry.Script breaking(int at, ScriptedRegistry.Script answer) {
        var patches = new AtomicInteger();
        return (request, out) -> {
            if (request.method().equals("PATCH") && patches.incrementAndGet() == at) {
                note(request);
                answer.answer(request, out);
            } else {
                serve(request, out);
            }
        };
    }

    @ParameterizedTest
    @ValueSource(ints = {404, 416, 500, 503})
    void a_part_that_was_not_taken_goes_on_from_where_the_registry_is(int status) throws IOException {
        try (var one = new Conversation(breaking(2, (request, out) -> {
            stored.write(request.content(), 0, 3);
            plain(out, status + " x", "");
        }))) {
            send(one, 25);
            assertThat(stored()).isEqualTo(first(25));
            assertThat(lines)
                    .containsExactly(
                            "POST ",
                            "PATCH 1 0-9",
                            "PATCH 1n 10-19",
                            "GET 1n",
                            "PATCH 1n 13-22",
                            "PATCH 1nn 23-24",
                            "PUT 1nnn?digest=sha256:x");
            assertThat(one.pauses).containsExactly(0);
        }
    }

    @Test
    void a_part_goes_on_where_the_registry_leads_to_after_a_break() throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals("GET")) {
                note(request);
                plain(out, "204 No Content", "", "Range: 0-11", "Location: " + UPLOADS + "z");
            } else {
                breakingOnce.answer(request, out);
            }
        })) {
            breakingOnce = breaking(2, (request, _) -> stored.write(request.content(), 0, 2));
            send(one, 20);
            assertThat(stored()).isEqualTo(first(20));
            assertThat(lines.subList(3, 5)).containsExactly("GET 1n", "PATCH z 12-19");
        }
    }

    private ScriptedRegistry.Script breakingOnce = (_, _) -> {};

    /// What the registry says that it has may not be what it was sent.
    @ParameterizedTest
    @CsvSource({
        "204 No Content, Range: 0-25",
        "204 No Content, X: y",
        "404 Not Found, Range: 0-11",
        "200 OK, Range: 0-11"
    })
    void an_upload_that_the_registry_does_not_know_begins_anew(String status, String header) throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals("GET")) {
                note(request);
                plain(out, status, "", header);
            } else {
                breakingOnce.answer(request, out);
            }
        })) {
            breakingOnce = breaking(2, (_, _) -> {});
            send(one, 25);
            assertThat(stored()).isEqualTo(first(25));
            assertThat(lines.subList(3, 6)).containsExactly("GET 1n", "POST ", "PATCH 2 0-9");
            assertThat(one.pauses).containsExactly(1);
        }
    }

    @Test
    void all_of_a_blob_may_be_there_after_a_break() throws IOException {
        try (var one = new Conversation(breaking(2, (request, _) -> stored.write(request.content())))) {
            send(one, 20);
            assertThat(stored()).isEqualTo(first(20));
            assertThat(lines.subList(3, 5)).containsExactly("GET 1n", "PUT 1n?digest=sha256:x");
        }
    }

    @Test
    void a_small_blob_that_breaks_off_begins_anew() throws IOException {
        var puts = new AtomicInteger();
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals("PUT") && puts.incrementAndGet() == 1) {
                note(request);
                stored.write(request.content());
            } else {
                serve(request, out);
            }
        })) {
            send(one, 10);
            assertThat(stored()).isEqualTo(first(10));
            assertThat(lines)
                    .containsExactly("POST ", "PUT 1?digest=sha256:x", "GET 1", "POST ", "PUT 2?digest=sha256:x");
        }
    }

    @Test
    void a_part_that_is_never_taken_is_given_up_after_longer_and_longer_pauses() throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals("PATCH")) {
                note(request);
                plain(out, "500 x", "{\"errors\":[{\"code\":\"FULL\"}]}");
            } else {
                serve(request, out);
            }
        })) {
            assertRefused(Code.REGISTRY_ANSWER, "FULL", () -> send(one, 20));
            assertThat(one.pauses).containsExactly(1, 2, 3);
            assertThat(lines).filteredOn(line -> line.startsWith("PATCH")).hasSize(4);
        }
    }

    /// Each begin anew takes the first part again.
    @Test
    void an_upload_that_is_lost_at_the_same_part_each_time_is_given_up() throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals("PATCH") && stored.size() == 10) {
                note(request);
                stored.reset();
                return; // hangs up
            }
            serve(request, out);
        })) {
            assertRefused(Code.REGISTRY_UNREACHABLE, one.registry.name(), () -> send(one, 20));
            assertThat(one.pauses).containsExactly(1, 2, 3);
            assertThat(lines).filteredOn(line -> line.startsWith("POST")).hasSize(5);
        }
    }

    @Test
    void a_registry_that_takes_a_byte_of_each_part_is_given_up() throws IOException {
        try (var one = new Conversation((request, out) -> {
            if (request.method().equals("PATCH")) {
                note(request);
                stored.write(request.content(), 0, 1);
                plain(out, "202 Accepted", "", "Location: " + UPLOADS + "2", "Range: 0-" + (stored.size() - 1));
            } else {
                serve(request, out);
            }
        })) {
            assertRefused(Code.REGISTRY_ANSWER, "parts of a few bytes", () -> send(one, 62));
            assertThat(lines).hasSizeLessThan(50);
        }
    }

    @Test
    void breaks_with_progress_between_them_do_not_add_up() throws IOException {
        try (var one = new Conversation((request, out) -> {
            note(request);
            if (request.method().equals("PATCH")) {
                stored.write(request.content(), 0, 2); // and hangs up
                return;
            }
            lines.removeLast();
            serve(request, out);
        })) {
            send(one, 24);
            assertThat(stored()).isEqualTo(first(24));
            assertThat(lines).filteredOn(line -> line.startsWith("PATCH")).hasSize(12);
        }
    }

    @Test
    void one_that_is_interrupted_does_not_try_again() throws IOException {
        Thread caller = Thread.currentThread();
        try (var one = new Conversation(breaking(2, (_, _) -> caller.interrupt()))) {
            assertRefused(Code.REGISTRY_UNREACHABLE, one.registry.name(), () -> send(one, 20));
            assertThat(Thread.interrupted()).isTrue();
            assertThat(one.pauses).isEmpty();
            assertThat(lines).containsExactly("POST ", "PATCH 1 0-9", "PATCH 1n 10-19");
        }
    }

    // ---- answers that never end

    @Test
    void nobody_waits_for_the_end_of_an_answer_that_says_enough() throws IOException {
        var endless = new Conversation.Endless();
        String[] location = {"Location: " + UPLOADS + "1", "X: y"};
        try (var one = new Conversation((request, out) -> {
            switch (request.method()) {
                case "POST" -> endless.answer(out, request.path().contains("from=base") ? "201 x" : "202 x", location);
                case "PATCH" -> {
                    stored.write(request.content());
                    endless.answer(out, stored.size() == 20 ? "500 x" : "202 x", location);
                }
                case "GET" -> endless.answer(out, "200 x", location);
                case "HEAD" -> plain(out, "200 OK", "");
                default -> endless.answer(out, request.path().contains("bad") ? "400 x" : "201 x", location);
            }
        })) {
            assertThat(upload(one).has("sha256:x")).isTrue();
            assertThat(upload(one).mount("sha256:x", "base")).isTrue();
            endless.awaitCut(1);
            assertThat(upload(one).mount("sha256:x", "other")).isFalse();
            endless.awaitCut(3);
            send(one, 20);
            endless.awaitCut(one.requests().size() - 1);
            assertThat(one.lines()).contains("DELETE " + UPLOADS + "1", "GET " + UPLOADS + "1");
            upload(one).manifest("1", "a/b", BLOB);
            assertRefused(Code.REGISTRY_ANSWER, "app:bad", () -> upload(one).manifest("bad", "a/b", BLOB));
            endless.awaitCut(one.requests().size() - 1);
        }
    }

    // ---- a manifest

    @ParameterizedTest
    @ValueSource(strings = {"200 OK", "201 Created"})
    void a_manifest_is_stored_under_its_tag(String status) throws IOException {
        try (var one = new Conversation((_, out) -> plain(out, status, ""))) {
            upload(one).manifest("1", "a/b", BLOB);
            assertThat(one.lines()).containsExactly("PUT /v2/app/manifests/1");
            assertThat(one.requests().getFirst().content()).isEqualTo(BLOB);
            assertThat(one.requests().getFirst().headers()).containsEntry("content-type", "a/b");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"202 Accepted", "400 Bad Request"})
    void a_manifest_that_is_not_stored_is_told(String status) throws IOException {
        try (var one = new Conversation((_, out) -> plain(out, status, ""))) {
            assertRefused(
                    Code.REGISTRY_ANSWER,
                    "the manifest of app:1",
                    () -> upload(one).manifest("1", "a/b", BLOB));
        }
    }
}
