package dev.caisson.image.registry;

import static dev.caisson.image.ScriptedRegistry.head;
import static dev.caisson.image.ScriptedRegistry.plain;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ScriptedRegistry;
import dev.caisson.image.ScriptedRegistry.Request;
import dev.caisson.image.registry.RegistryException.Code;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Tokens: what their service is asked, and which of its answers is one.
@Timeout(30)
class TokenServiceTest {
    private static final ScriptedRegistry.Script GIVES = (_, out) -> plain(out, "200 OK", "{\"token\":\"t\"}");
    private static final List<String> SCOPES = List.of("repository:a/b:pull,push", "repository:c:pull");
    private static final Optional<Login> USER = Optional.of(new Login("me", "hush", false));

    private static String ask(ScriptedRegistry service, String realm, Optional<Login> login, List<String> scopes)
            throws SSLException {
        var challenge = new Challenge("bearer", Map.of("realm", "http://" + service.name() + realm, "service", "s, 1"));
        return ask(service, challenge, login, scopes);
    }

    private static String ask(ScriptedRegistry service, Challenge challenge, Optional<Login> login, List<String> scopes)
            throws SSLException {
        try (Http http = Conversation.http()) {
            return new TokenService(http, URI.create("http://" + service.name()))
                    .authorization(challenge, login, scopes);
        }
    }

    private static RegistryException refused(ScriptedRegistry.Script script) throws IOException {
        try (var service = new ScriptedRegistry(script)) {
            var refused =
                    catchThrowableOfType(RegistryException.class, () -> ask(service, "/t", Optional.empty(), SCOPES));
            assertThat(refused).isNotNull();
            assertThat(refused.sentence()).contains(service.name());
            return refused;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/t, /t?service=s%2C+1&scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository%3Ac%3Apull",
        "/t?a=b%2F, /t?a=b%2F&service=s%2C+1&scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository%3Ac%3Apull",
        "'', /?service=s%2C+1&scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository%3Ac%3Apull",
    })
    void a_service_is_told_itself_and_all_scopes(String realm, String asked) throws IOException {
        try (var service = new ScriptedRegistry(GIVES)) {
            assertThat(ask(service, realm, Optional.empty(), SCOPES)).isEqualTo("Bearer t");
            Request request = service.requests.getFirst();
            assertThat(request.method() + " " + request.path()).isEqualTo("GET " + asked);
            assertThat(request.hasAuthorization()).isFalse();
        }
    }

    @Test
    void a_login_alone_has_no_scope_and_goes_by_a_header() throws IOException {
        try (var service = new ScriptedRegistry(GIVES)) {
            assertThat(ask(service, "/t", USER, List.of())).isEqualTo("Bearer t");
            Request request = service.requests.getFirst();
            assertThat(request.path()).isEqualTo("/t?service=s%2C+1");
            assertThat(request.headers())
                    .containsEntry("authorization", USER.orElseThrow().basic());
        }
    }

    @Test
    void an_identity_token_is_exchanged_by_a_form() throws IOException {
        var login = Optional.of(new Login("", "hu sh", true));
        try (var service = new ScriptedRegistry(GIVES)) {
            assertThat(ask(service, "/t", login, SCOPES)).isEqualTo("Bearer t");
            assertThat(ask(service, "/t", login, List.of())).isEqualTo("Bearer t");
            assertThat(service.requests).allSatisfy(request -> {
                assertThat(request.method() + " " + request.path()).isEqualTo("POST /t");
                assertThat(request.headers()).containsEntry("content-type", "application/x-www-form-urlencoded");
                assertThat(request.hasAuthorization()).isFalse();
            });
            String rest = "grant_type=refresh_token&client_id=caisson&refresh_token=hu+sh";
            assertThat(service.requests)
                    .extracting(request -> new String(request.content(), StandardCharsets.US_ASCII))
                    .containsExactly(
                            "service=s%2C+1&scope=repository%3Aa%2Fb%3Apull%2Cpush+repository%3Ac%3Apull&" + rest,
                            "service=s%2C+1&" + rest);
        }
    }

    @Test
    void a_service_without_a_name_is_not_told_one() throws IOException {
        try (var service = new ScriptedRegistry(GIVES)) {
            var challenge = new Challenge("bearer", Map.of("realm", "http://" + service.name() + "/t"));
            assertThat(ask(service, challenge, Optional.empty(), List.of("x"))).isEqualTo("Bearer t");
            assertThat(service.requests.getFirst().path())
                    .doesNotContain("service")
                    .endsWith("&scope=x");
        }
    }

    // ---- its answer

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{\"token\":\"a\",\"access_token\":\"b\"}; a",
                "{\"access_token\":\"b\"}; b",
                "{\"token\":null,\"access_token\":\"b\"}; b",
                "{\"token\":\"!~\"}; !~",
            })
    void a_token_has_either_of_its_names(String answer, String token) throws IOException {
        try (var service = new ScriptedRegistry((_, out) -> plain(out, "200 OK", answer))) {
            assertThat(ask(service, "/t", Optional.empty(), SCOPES)).isEqualTo("Bearer " + token);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403})
    void a_service_that_refuses_the_login_says_so(int status) throws IOException {
        RegistryException refused = refused((_, out) -> plain(out, status + " x", "{\"token\":\"t\"}"));
        assertThat(refused.reason()).isEqualTo(Code.REGISTRY_UNAUTHORIZED);
        assertThat(refused.sentence()).contains("refuses the login for");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[\"hush\"]",
                "hush",
                "{\"token\":7}",
                "{\"token\":\"\"}",
                "{\"token\":\"hush hush\"}",
                "{\"token\":{},\"access_token\":\"hush\"}"
            })
    void what_is_no_token_is_refused_and_not_shown(String answer) throws IOException {
        RegistryException refused = refused((_, out) -> plain(out, "200 OK", answer));
        assertThat(refused.reason()).isEqualTo(Code.REGISTRY_ANSWER);
        assertThat(refused.sentence()).contains("gave no token (status 200)").doesNotContain("hush");
    }

    @Test
    void a_token_of_an_error_is_none() throws IOException {
        RegistryException refused = refused((_, out) -> plain(out, "500 x", "{\"token\":\"t\"}"));
        assertThat(refused.reason()).isEqualTo(Code.REGISTRY_ANSWER);
        assertThat(refused.sentence()).contains("gave no token (status 500)");
    }

    @Test
    void an_answer_that_is_cut_is_no_answer() throws IOException {
        RegistryException refused = refused((_, out) -> head(out, "200 OK", "Content-Length: 10"));
        assertThat(refused.reason()).isEqualTo(Code.REGISTRY_UNREACHABLE);
        assertThat(refused.sentence()).contains("its answer was cut");
    }

    @Test
    void an_answer_whose_length_is_no_number_is_none() throws IOException {
        RegistryException refused = refused((_, out) -> head(out, "200 OK", "Content-Length: -Length: 555"));
        assertThat(refused.reason()).isEqualTo(Code.REGISTRY_ANSWER);
        assertThat(refused.sentence()).contains("cannot be read");
    }

    // ---- its address

    @ParameterizedTest
    @CsvSource({
        ":, what is no address",
        "'', an address without a host",
        "ftp://127.0.0.1/t, an address that is not of https",
        "http://192.0.2.1/t, an address that is not of https",
        "http://me:x@127.0.0.1/t, with a password",
    })
    void a_service_at_a_strange_address_is_not_asked(String realm, String part) throws IOException {
        try (var registry = new ScriptedRegistry(GIVES)) {
            var refused = catchThrowableOfType(
                    RegistryException.class,
                    () -> ask(registry, new Challenge("bearer", Map.of("realm", realm)), Optional.empty(), SCOPES));
            assertThat(refused.reason()).isEqualTo(Code.REGISTRY_ANSWER);
            assertThat(refused.sentence()).contains("sends for a token to").contains(part);
            assertThat(registry.requests).isEmpty();
        }
    }

    @Test
    void a_login_goes_to_no_service_of_another_owner() throws IOException {
        try (var registry = new ScriptedRegistry(GIVES)) {
            var elsewhere = new Challenge("bearer", Map.of("realm", "https://tokens.example.com/t"));
            var refused = catchThrowableOfType(RegistryException.class, () -> ask(registry, elsewhere, USER, SCOPES));
            assertThat(refused.reason()).isEqualTo(Code.REGISTRY_ANSWER);
            assertThat(refused.sentence()).contains("\"tokens.example.com\", which is of another owner");
        }
    }
}
