package dev.caisson.image.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Who belongs to whom, and what a registry asks for.
class RegistryTest {
    @ParameterizedTest
    @CsvSource({
        "registry-1.docker.io, auth.docker.io, true",
        "registry.example.com, example.com, true",
        "example.com, example.com, true",
        "127.0.0.1, 127.0.0.1, true",
        "127.0.0.1, 127.0.0.2, false",
        "10.1.2.3, 11.1.2.3, false",
        "10.1.2.3, a.2.3, false",
        "docker.io, docker.io.evil.com, false",
        "example.com, evil.com, false",
        "shop.co.uk, evil.co.uk, false",
        "a.com.au, b.com.au, false",
        "localhost, evil.localhost, false",
        "::1, evil.com, false",
        "::ffff:10.1.2.3, ::ffff:11.1.2.3, false",
    })
    void a_login_stays_with_its_owner(String one, String other, boolean isRelated) {
        assertThat(Registry.isRelated(one, other)).isEqualTo(isRelated);
        assertThat(Registry.isRelated(other, one)).isEqualTo(isRelated);
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:5000, true",
        "127.9.9.9, true",
        "localhost, true",
        "[::1]:5000, true",
        "128.0.0.1, false",
        "127.0.0.1.evil.com, false",
        "localhost.evil.com, false",
        "docker.io, false",
    })
    void plain_http_is_for_this_machine_alone(String name, boolean isLoopback) {
        assertThat(new Registry(name).isLoopback()).isEqualTo(isLoopback);
    }

    @ParameterizedTest
    @CsvSource({
        "false, https://h.io, https://192.0.2.7/x, true",
        "false, https://h.io, http://cdn.io/x, false",
        "false, https://h.io, http://127.0.0.1/x, false",
        "false, https://h.io, https://127.0.0.1/x, false",
        "false, https://h.io, https://localhost/x, false",
        "false, https://h.io, https://169.254.169.254/x, false",
        "false, https://h.io, https://[::1]/x, false",
        "false, https://h.io, file:///etc/shadow, false",
        "false, https://h.io, https://me:x@cdn.io/x, false",
        "false, http://h.io:5000, http://h.io:5000/x, true",
        "false, http://h.io:5000, http://h.io/x, false",
        "false, http://h.io:5000, http://cdn.io/x, false",
        "false, http://h.io, http://localhost/x, false",
        "false, https://h.io, http://h.io/x, false",
        "true, http://127.0.0.1:1, http://127.0.0.1:2/x, true",
        "true, http://127.0.0.1:1, http://LocalHost:2/x, true",
        "true, http://127.0.0.1:1, https://127.0.0.1:2/x, true",
        "true, http://127.0.0.1:1, http://192.0.2.1/x, false",
        "true, https://127.0.0.1:1, http://127.0.0.1:2/x, false",
    })
    void a_registry_leads_only_to_safe_addresses(boolean isHere, URI from, URI to, boolean isAsked) {
        assertThat(NextAddress.fault(isHere, from, to).isEmpty()).isEqualTo(isAsked);
    }

    @Test
    void plain_http_comes_after_https_and_without_a_login() {
        var here = new Registry("127.0.0.1:5000");
        assertThat(here.mayBePlain(here.base("https"), false)).isTrue();
        assertThat(here.mayBePlain(here.base("https"), true)).isFalse();
        assertThat(here.mayBePlain(here.base("http"), false)).isFalse();
        var elsewhere = new Registry("h.io");
        assertThat(elsewhere.mayBePlain(elsewhere.base("https"), false)).isFalse();
    }

    @Test
    void a_login_is_never_sent_in_clear_to_another_machine() {
        var elsewhere = new Registry("192.0.2.7:5000");
        assertThat(elsewhere.mayHaveLogin(elsewhere.base("http"))).isFalse();
        assertThat(elsewhere.mayHaveLogin(elsewhere.base("https"))).isTrue();
        var here = new Registry("127.0.0.1:5000");
        assertThat(here.mayHaveLogin(here.base("http"))).isTrue();
    }

    @Test
    void docker_hub_answers_under_another_name() {
        assertThat(new Registry("docker.io").base("https")).isEqualTo(URI.create("https://registry-1.docker.io"));
        assertThat(new Registry("h.io:1").base("http")).isEqualTo(URI.create("http://h.io:1"));
    }

    @Test
    void what_is_near_is_found_out_by_its_address() {
        assertThat(Registry.isNear("127.0.0.1")).isTrue();
        assertThat(Registry.isNear("localhost")).isTrue();
        assertThat(Registry.isNear("169.254.169.254")).isTrue();
        assertThat(Registry.isNear("0.0.0.0")).isTrue();
        assertThat(Registry.isNear("::1")).isTrue();
        assertThat(Registry.isNear("192.0.2.1")).isFalse();
    }

    @Test
    void challenges_are_read_in_every_usual_form() {
        assertThat(Challenge.parse(
                        List.of("Bearer realm=\"https://a/t\",service=\"s, t\",scope=\"x\"", "basic realm=\"y\"")))
                .containsExactly(
                        new Challenge("bearer", Map.of("realm", "https://a/t", "service", "s, t", "scope", "x")),
                        new Challenge("basic", Map.of("realm", "y")));
        assertThat(Challenge.parse(List.of("Basic realm=\"a\\\"b\" , Bearer realm = c")))
                .containsExactly(
                        new Challenge("basic", Map.of("realm", "a\"b")), new Challenge("bearer", Map.of("realm", "c")));
        assertThat(Challenge.parse(List.of("Negotiate, Basic REALM=a, realm=b")))
                .containsExactly(new Challenge("negotiate", Map.of()), new Challenge("basic", Map.of("realm", "a")));
    }

    @Test
    void a_challenge_may_end_anywhere() {
        for (String text : List.of("Basic", " Basic", "Basic ", "Basic,", "Basic , ")) {
            assertThat(Challenge.parse(List.of(text))).containsExactly(new Challenge("basic", Map.of()));
        }
        for (String text : List.of("Basic a", "Basic a ", "Basic a,")) {
            assertThat(Challenge.parse(List.of(text)))
                    .containsExactly(new Challenge("basic", Map.of()), new Challenge("a", Map.of()));
        }
        for (String text : List.of("Basic a=", "Basic a= ", "Basic a=\"", "Basic a=\"b", "Basic a=\"b\\")) {
            assertThat(Challenge.parse(List.of(text))).isEmpty();
        }
        assertThat(Challenge.parse(List.of("Basic a=\"\""))).containsExactly(new Challenge("basic", Map.of("a", "")));
        assertThat(Challenge.parse(List.of("Basic a=b"))).containsExactly(new Challenge("basic", Map.of("a", "b")));
        assertThat(Challenge.parse(List.of("Basic a\t=\tb\t,\tc=d")))
                .containsExactly(new Challenge("basic", Map.of("a", "b", "c", "d")));
    }

    @Test
    void a_header_of_challenges_has_8192_characters_at_most() {
        assertThat(Challenge.parse(List.of("Basic a=" + "x".repeat(8184)))).hasSize(1);
        assertThat(Challenge.parse(List.of("Basic a=" + "x".repeat(8185)))).isEmpty();
    }

    @Test
    void a_word_of_a_challenge_has_ascii_letters_digits_and_some_signs() {
        String word = "aZ09!#$%&'*+-.^_`|~";
        assertThat(Challenge.parse(List.of("Basic a=" + word)))
                .containsExactly(new Challenge("basic", Map.of("a", word)));
        assertThat(Challenge.parse(List.of("Basic a=b\u00e9c")))
                .containsExactly(new Challenge("basic", Map.of("a", "b")));
        assertThat(Challenge.parse(List.of("Basic a=\u0661"))).isEmpty();
    }

    @Test
    void broken_challenges_are_left_out() {
        assertThat(Challenge.parse(List.of("", "=", "\"", "Bearer realm=\"open", "Bearer " + "x".repeat(9000))))
                .isEmpty();
    }
}
