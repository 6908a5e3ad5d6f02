package dev.caisson.image.registry;

import static dev.caisson.image.ScriptedRegistry.plain;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ScriptedRegistry;
import dev.caisson.image.ScriptedRegistry.Request;
import dev.caisson.image.registry.Exchange.Call;
import dev.caisson.image.registry.RegistryException.Code;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is asked again, where, with which login, and what becomes of answers that are none.
@Timeout(30)
class ExchangeTest {
    private static final byte[] CONTENT = {1, 2, 3};
    private static final String BASIC = "WWW-Authenticate: Basic realm=\"r\"";

    private static RegistryException refused(ThrowingCallable call) {
        RegistryException refused = catchThrowableOfType(RegistryException.class, call);
        assertThat(refused).isNotNull();
        return refused;
    }

    private static void assertRefused(Code code, String part, ThrowingCallable call) {
        RegistryException refused = refused(call);
        assertThat(refused.reason()).as(refused.sentence()).isEqualTo(code);
        assertThat(refused.sentence()).contains(part);
    }

    /// Leads from /0 to /1 and so on, and answers there with 200.
    private static ScriptedRegistry.Script leading(int times) {
        return (request, out) -> {
            int at = Integer.parseInt(request.path().substring(1));
            if (at < times) {
                plain(out, "307 Temporary Redirect", "", "Location: /" + (at + 1));
            } else {
                plain(out, "200 OK", "");
            }
        };
    }

    @Test
    void five_redirects_are_followed_and_no_more() throws IOException {
        try (var five = new Conversation(leading(5));
                var six = new Conversation(leading(6))) {
            assertThat(five.status("GET", "/0", new byte[0])).isEqualTo(200);
            assertThat(five.requests()).hasSize(6);
            assertRefused(Code.REGISTRY_ANSWER, "redirects more than 5 times", () -> six.get("/0"));
            assertThat(six.requests()).hasSize(6);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {301, 302, 303, 307, 308})
    void whatever_is_read_follows_each_kind_of_redirect(int status) throws IOException {
        try (var one = new Conversation(
                (request, out) -> plain(out, redirects(request) ? status + " x" : "200 OK", "", "Location: /b"))) {
            assertThat(one.status("GET", "/a", new byte[0])).isEqualTo(200);
            assertThat(one.status("HEAD", "/a", new byte[0])).isEqualTo(200);
            assertThat(one.lines()).containsExactly("GET /a", "GET /b", "HEAD /a", "HEAD /b");
        }
    }

    private static boolean redirects(Request request) {
        return request.path().equals("/a");
    }

    @ParameterizedTest
    @CsvSource({"301, false", "302, false", "303, false", "307, true", "308, true"})
    void content_is_sent_again_only_where_the_same_request_is_asked_for(int status, boolean again) throws IOException {
        try (var one = new Conversation(
                (request, out) -> plain(out, redirects(request) ? status + " x" : "201 Created", "", "Location: /b"))) {
            if (again) {
                assertThat(one.status("PUT", "/a", CONTENT)).isEqualTo(201);
                assertThat(one.requests().getLast().content()).isEqualTo(CONTENT);
                assertThat(one.lines()).containsExactly("PUT /a", "PUT /b");
            } else {
                assertRefused(Code.REGISTRY_ANSWER, "with status " + status, () -> one.status("PUT", "/a", CONTENT));
                assertThat(one.lines()).containsExactly("PUT /a");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {300, 304, 305, 306})
    void other_answers_lead_nowhere(int status) throws IOException {
        try (var one = new Conversation((_, out) -> plain(out, status + " x", "", "Location: /b"))) {
            assertThat(one.status("GET", "/a", new byte[0])).isEqualTo(status);
            assertThat(one.requests()).hasSize(1);
        }
    }

    @Test
    void a_redirect_without_an_address_is_refused() throws IOException {
        try (var one = new Conversation((_, out) -> plain(out, "307 x", "", "Location: http://[/"))) {
            assertRefused(Code.REGISTRY_ANSWER, "what is no address", () -> one.get("/a"));
        }
    }

    /// The whole address stands in a request that the registry has led to.
    @Test
    void a_login_goes_to_the_registry_s_own_addresses_alone() throws IOException {
        var other = new AtomicReference<>("");
        try (var elsewhere = new Conversation((_, out) -> plain(out, "200 OK", ""));
                var one = new Conversation(Credentials.given("me", "hush"), (request, out) -> {
                    if (!request.hasAuthorization()) {
                        plain(out, "401 Unauthorized", "", BASIC);
                    } else if (request.path().equals("/away")) {
                        plain(out, "307 x", "", "Location: http://" + other.get() + "/there");
                    } else {
                        plain(out, request.path().equals("/a") ? "307 x" : "200 OK", "", "Location: /b");
                    }
                })) {
            other.set(elsewhere.registry.name());
            assertThat(one.status("GET", "/a", new byte[0])).isEqualTo(200);
            assertThat(one.requests()).last().matches(Request::hasAuthorization);
            assertThat(one.status("GET", "http://" + one.registry.name() + "/c", new byte[0]))
                    .isEqualTo(200);
            assertThat(one.lines()).containsExactly("GET /a", "GET /a", "GET /b", "GET /c");
            assertThat(one.status("GET", "/away", new byte[0])).isEqualTo(200);
            assertThat(one.status("GET", "http://" + other.get() + "/whole", new byte[0]))
                    .isEqualTo(200);
            assertThat(elsewhere.lines()).containsExactly("GET /there", "GET /whole");
            assertThat(elsewhere.requests()).noneMatch(Request::hasAuthorization);
        }
    }

    @Test
    void an_address_that_the_registry_leads_to_gets_no_login_even_if_it_wants_one() throws IOException {
        var other = new AtomicReference<>("");
        try (var elsewhere = new Conversation((_, out) -> plain(out, "401 Unauthorized", "", BASIC));
                var one = new Conversation(
                        Credentials.given("me", "hush"),
                        (_, out) -> plain(out, "307 x", "", "Location: http://" + other.get() + "/there"))) {
            other.set(elsewhere.registry.name());
            assertRefused(Code.REGISTRY_ANSWER, other.get() + "\", which wants a login", () -> one.get("/a"));
            assertThat(elsewhere.requests()).hasSize(1).noneMatch(Request::hasAuthorization);
        }
    }

    // ---- a busy registry

    @ParameterizedTest
    @CsvSource({
        "GET, 429, 4",
        "GET, 502, 4",
        "GET, 503, 4",
        "GET, 504, 4",
        "GET, 500, 1",
        "GET, 501, 1",
        "GET, 404, 1",
        "PUT, 503, 4",
        "PATCH, 429, 4",
        "PATCH, 503, 1",
        "PATCH, 502, 1",
    })
    void a_busy_registry_is_asked_four_times_but_a_part_may_be_there_already(String method, int status, int times)
            throws IOException {
        try (var one = new Conversation((_, out) -> plain(out, status + " x", ""))) {
            byte[] content = method.equals("GET") ? new byte[0] : CONTENT;
            assertThat(one.status(method, "/a", content)).isEqualTo(status);
            assertThat(one.requests()).hasSize(times);
            assertThat(one.pauses).isEqualTo(times == 1 ? List.of() : List.of(1, 2, 4));
        }
    }

    @Test
    void a_busy_registry_says_how_long_to_wait_up_to_a_minute() throws IOException {
        var waits = new ArrayDeque<>(List.of("0", "59", "60"));
        var more = new ArrayDeque<>(List.of("61", "9999", "10000"));
        var words = new ArrayDeque<>(List.of("soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"));
        try (var one = new Conversation((_, out) -> plain(out, "503 x", "", "Retry-After: " + waits.poll()));
                var long_ = new Conversation((_, out) -> plain(out, "503 x", "", "Retry-After: " + more.poll()));
                var strange = new Conversation((_, out) -> plain(out, "503 x", "", "Retry-After: " + words.poll()))) {
            assertThat(one.status("GET", "/a", new byte[0])).isEqualTo(503);
            assertThat(one.pauses).containsExactly(0, 59, 60);
            assertThat(long_.status("GET", "/a", new byte[0])).isEqualTo(503);
            assertThat(long_.pauses).containsExactly(60, 60, 4);
            assertThat(strange.status("GET", "/a", new byte[0])).isEqualTo(503);
            assertThat(strange.pauses).containsExactly(1, 2, 4);
        }
    }

    @Test
    void one_that_waits_can_be_interrupted() throws IOException {
        try (var registry = new ScriptedRegistry((_, out) -> plain(out, "503 x", ""));
                var exchange = new Exchange(registry.name(), Credentials.none(), Conversation.http(), _ -> {
                    throw new InterruptedException();
                })) {
            var call = new Call("GET", "/a", Map.of(), Optional.empty(), List.of());
            assertRefused(Code.REGISTRY_UNREACHABLE, "interrupted", () -> exchange.ask(call));
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void a_real_pause_waits() throws Exception {
        try (var registry = new ScriptedRegistry((_, _) -> {});
                var exchange =
                        new Exchange(registry.name(), Credentials.none(), new RegistrySettings(Map.of(), Set.of()))) {
            exchange.pause(0);
            var failure = new CompletableFuture<RegistryException>();
            Thread waiting = Thread.ofPlatform()
                    .start(() -> failure.complete(
                            catchThrowableOfType(RegistryException.class, () -> exchange.pause(3600))));
            while (waiting.getState() != Thread.State.TIMED_WAITING) {
                assertThat(waiting.isAlive()).isTrue();
                Thread.onSpinWait();
            }
            waiting.interrupt();
            assertThat(failure.get().sentence()).contains("interrupted");
        }
    }

    @Test
    void what_the_host_s_settings_call_plain_is_asked_by_http_and_not_by_https_first() throws Exception {
        var first = new CompletableFuture<Integer>();
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                try (Socket socket = server.accept()) {
                    first.complete(socket.getInputStream().read());
                    plain(socket.getOutputStream(), "200 OK", "");
                } catch (IOException e) {
                    first.completeExceptionally(e);
                }
            });
            String name = "127.0.0.1:" + server.getLocalPort();
            try (var exchange = new Exchange(name, Credentials.none(), Conversation.http(), _ -> {}, true)) {
                var call = new Call("GET", "/a", Map.of(), Optional.empty(), List.of());

                assertThat(exchange.ask(call).status()).isEqualTo(200);
                assertThat(first.get()).isEqualTo((int) 'G');
            }
        }
    }

    // ---- logins

    /// The name is of this machine, and not one that is known as such.
    @Test
    void a_registry_that_is_asked_by_plain_http_is_sent_no_login() throws IOException {
        var logins = new CopyOnWriteArrayList<Boolean>();
        try (var registry = new ScriptedRegistry((request, out) -> {
            logins.add(request.hasAuthorization());
            plain(out, "401 Unauthorized", "", BASIC);
        })) {
            String name = registry.name().replace("127.0.0.1", "[::ffff:127.0.0.1]");
            try (var exchange =
                    new Exchange(name, Credentials.given("me", "hush"), Conversation.http(), _ -> {}, true)) {
                var call = new Call("GET", "/a", Map.of(), Optional.empty(), List.of());

                assertRefused(Code.REGISTRY_UNAUTHORIZED, "speaks plain http", () -> exchange.ask(call));
            }
        }
        assertThat(logins).containsExactly(false);
    }

    @Test
    void a_login_is_made_once_for_the_same_scopes() throws IOException {
        try (var one = new Conversation(
                Credentials.given("me", "hush"),
                (request, out) -> plain(out, request.hasAuthorization() ? "200 OK" : "401 Unauthorized", "", BASIC))) {
            assertThat(one.status("GET", "/a", new byte[0])).isEqualTo(200);
            assertThat(one.status("GET", "/b", new byte[0])).isEqualTo(200);
            assertThat(one.lines()).containsExactly("GET /a", "GET /a", "GET /b");
            var other = new Call("GET", "/c", Map.of(), Optional.empty(), List.of("repository:other:pull"));
            one.exchange.done(one.exchange.ask(other));
            assertThat(one.lines().subList(3, 5)).containsExactly("GET /c", "GET /c");
        }
    }

    @Test
    void a_refused_login_is_given_back_as_the_answer_and_one_after_being_busy_is_made() throws IOException {
        var asked = new AtomicInteger();
        try (var refusing = new Conversation(
                        Credentials.given("me", "hush"), (_, out) -> plain(out, "401 Unauthorized", "", BASIC));
                var busy = new Conversation(Credentials.given("me", "hush"), (request, out) -> {
                    boolean first = asked.incrementAndGet() == 1;
                    String later = request.hasAuthorization() ? "200 OK" : "401 Unauthorized";
                    plain(out, first ? "503 x" : later, "", BASIC);
                })) {
            assertThat(refusing.status("GET", "/a", new byte[0])).isEqualTo(401);
            assertThat(refusing.requests()).hasSize(2);
            assertThat(busy.status("GET", "/a", new byte[0])).isEqualTo(200);
            assertThat(busy.requests()).hasSize(3);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "Basic realm=\"r\"; wants a login: log in with 'caisson login 127.0.0.1",
                "; wants a login: log in with 'caisson login 127.0.0.1",
                "Negotiate; wants a login of the kind \"negotiate\", which is not known",
            })
    void without_a_login_it_is_told_which_one_is_wanted(String challenge, String part) throws IOException {
        String header = "WWW-Authenticate: " + (challenge == null ? "" : challenge);
        try (var one = new Conversation((_, out) -> plain(out, "401 Unauthorized", "", header))) {
            assertRefused(Code.REGISTRY_UNAUTHORIZED, part, () -> one.get("/a"));
        }
    }

    @Test
    void a_login_is_not_shown_to_a_kind_that_is_not_known(@TempDir Path directory) throws IOException {
        try (var one = new Conversation(
                Credentials.given("me", "hush"),
                (_, out) -> plain(out, "401 Unauthorized", "", "WWW-Authenticate: Negotiate"))) {
            assertRefused(Code.REGISTRY_UNAUTHORIZED, "of the kind \"negotiate\"", () -> one.get("/a"));
            assertThat(one.requests()).noneMatch(Request::hasAuthorization);
        }
        Path file = directory.resolve("config.json");
        try (var one = new Conversation(Credentials.of(file), (_, out) -> plain(out, "401 Unauthorized", "", BASIC))) {
            Files.writeString(
                    file, "{\"auths\":{\"" + one.registry.name() + "\":{\"identitytoken\":\"only-for-a-service\"}}}");
            assertRefused(Code.REGISTRY_UNAUTHORIZED, "log in with", () -> one.get("/a"));
            assertThat(one.requests()).noneMatch(Request::hasAuthorization);
        }
    }

    // ---- what is not safe

    @Test
    void what_speaks_no_tls_where_it_must_is_not_trusted() throws IOException {
        try (var plainOnly = new ScriptedRegistry((_, out) -> plain(out, "200 OK", ""));
                var one = new Conversation((request, out) -> {
                    String there = "https://" + plainOnly.name() + "/x";
                    if (request.path().equals("/redirect")) {
                        plain(out, "307 x", "", "Location: " + there);
                    } else {
                        String bearer = "WWW-Authenticate: Bearer realm=\"" + there + "\"";
                        plain(out, "401 Unauthorized", "", bearer);
                    }
                })) {
            String part = "no safe connection to " + plainOnly.name();
            assertRefused(Code.REGISTRY_UNTRUSTED, part, () -> one.get("/redirect"));
            assertRefused(Code.REGISTRY_UNTRUSTED, part, () -> one.get("https://" + plainOnly.name() + "/x"));
            assertRefused(Code.REGISTRY_UNTRUSTED, "no safe connection to " + one.registry.name(), () -> one.get("/"));
            assertThat(plainOnly.requests).isEmpty();
        }
    }

    @Test
    void what_is_not_this_machine_is_never_asked_in_plain_http() throws IOException {
        try (var one = new ScriptedRegistry((_, out) -> plain(out, "200 OK", ""))) {
            String name = one.name().replace("127.0.0.1", "[::ffff:127.0.0.1]");
            try (var exchange = new Exchange(name, Credentials.none(), Conversation.http(), _ -> {})) {
                var call = new Call("GET", "/a", Map.of(), Optional.empty(), List.of());
                assertRefused(Code.REGISTRY_UNTRUSTED, "certs.d/" + name, () -> exchange.ask(call));
                assertThat(one.requests).isEmpty();
            }
        }
    }

    // ---- answers that never end

    @Test
    void nobody_waits_for_the_end_of_an_answer_that_leads_on() throws IOException {
        var endless = new Conversation.Endless();
        try (var one = new Conversation(Credentials.given("me", "hush"), (request, out) -> {
            switch (request.path()) {
                case "/a" -> endless.answer(out, "307 x", "Location: /b");
                case "/away" -> endless.answer(out, "307 x", "Location: http://192.0.2.1/");
                case "/busy" -> endless.answer(out, "503 x");
                default -> {
                    if (request.hasAuthorization()) {
                        plain(out, "200 OK", "");
                    } else {
                        endless.answer(out, "401 x", BASIC);
                    }
                }
            }
        })) {
            assertThat(one.status("GET", "/a", new byte[0])).isEqualTo(200);
            endless.awaitCut(3); // to /b, not without a login, to /b again
            assertRefused(Code.REGISTRY_ANSWER, "not of https", () -> one.get("/away"));
            endless.awaitCut(4);
            assertThat(one.status("GET", "/busy", new byte[0])).isEqualTo(503);
            endless.awaitCut(8);
        }
    }

    // ---- errors

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "401; REGISTRY_UNAUTHORIZED; does not give it (status 401, DENIED): it does not exist, or needs another login",
                "403; REGISTRY_UNAUTHORIZED; does not give it (status 403, DENIED): it does not exist, or needs another login",
                "404; REGISTRY_NOT_FOUND; has no it (status 404, DENIED): look at",
                "429; REGISTRY_BUSY; takes no more requests for now (status 429, DENIED)",
                "500; REGISTRY_ANSWER; answers with status 500, DENIED when asked to give it: tell whoever runs it",
            })
    void an_error_says_what_was_wanted_and_what_the_registry_calls_it(int status, Code code, String part)
            throws IOException {
        String list = "{\"errors\":[{\"code\":\"DENIED\"},{\"code\":\"OTHER\"}]}";
        try (var one =
                new Conversation(Credentials.given("me", "hush"), (_, out) -> plain(out, status + " x", list, BASIC))) {
            RegistryException failure = one.exchange.failure(one.get("/a"), "give", "it");
            assertThat(failure.reason()).isEqualTo(code);
            assertThat(failure.sentence()).contains(part);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "no json",
                "[]",
                "{\"errors\":[]}",
                "{\"errors\":{}}",
                "{\"errors\":[\"DENIED\"]}",
                "{\"errors\":[{\"code\":7}]}",
                "{\"errors\":[{\"code\":\"denied\"}]}",
                "{\"errors\":[{\"code\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
            })
    void an_error_page_that_is_no_list_of_codes_adds_nothing(String page) throws IOException {
        try (var one = new Conversation((_, out) -> plain(out, "404 x", page))) {
            assertThat(one.exchange.failure(one.get("/a"), "give", "it").sentence())
                    .contains("(status 404)");
        }
    }

    @Test
    void no_more_of_an_error_page_is_read_than_a_list_of_codes_needs() throws IOException {
        byte[] page =
                ("{\"errors\":[{\"code\":\"DENIED\"}]}" + " ".repeat(1 << 16)).getBytes(StandardCharsets.US_ASCII);
        try (var one = new Conversation((_, out) -> {
            ScriptedRegistry.head(out, "404 x", "Content-Length: " + (page.length + 100));
            out.write(page);
            out.write("}".repeat(100).getBytes(StandardCharsets.US_ASCII));
        })) {
            assertThat(one.exchange.failure(one.get("/a"), "give", "it").sentence())
                    .contains("(status 404, DENIED)");
        }
    }
}
