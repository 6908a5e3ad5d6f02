package dev.caisson.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Logins in the form of Docker's config.json.
class CredentialsTest {
    @TempDir
    private Path directory;

    private Credentials of(String json) throws IOException {
        Path file = directory.resolve("config.json");
        Files.writeString(file, json);
        return Credentials.of(file);
    }

    private static String auth(String both) {
        return Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void a_password_may_have_colons() throws IOException {
        Credentials all = of("{\"auths\":{\"h.io:5000\":{\"auth\":\"" + auth("me:a:b") + "\"}}}");
        assertThat(all.login("h.io:5000")).hasValue(new Login("me", "a:b", false));
        assertThat(all.login("h.io")).isEmpty();
        assertThat(all.login("h.io:5000").orElseThrow().basic()).isEqualTo("Basic " + auth("me:a:b"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"h.io", "https://h.io", "https://h.io/v2/", "https://h.io/v1/"})
    void a_registry_is_found_under_its_usual_keys(String key) throws IOException {
        Credentials all = of("{\"auths\":{\"" + key + "\":{\"auth\":\"" + auth("me:x") + "\"}}}");
        assertThat(all.login("h.io")).isPresent();
        assertThat(all.login("i.io")).isEmpty();
    }

    @Test
    void docker_hub_has_a_key_of_its_own() throws IOException {
        Credentials all = of("{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"" + auth("me:x") + "\"}}}");
        assertThat(all.login("docker.io")).isPresent();
    }

    @Test
    void an_identity_token_is_taken_before_a_password() throws IOException {
        Credentials all = of("{\"auths\":{\"h.io\":{\"auth\":\"" + auth("me:x") + "\",\"identitytoken\":\"tok\"}}}");
        assertThat(all.login("h.io")).hasValue(new Login("", "tok", true));
    }

    @Test
    void no_file_and_an_empty_one_have_no_login() throws IOException {
        assertThat(Credentials.of(directory.resolve("none")).login("h.io")).isEmpty();
        assertThat(of("").login("h.io")).isEmpty();
        for (String entry : new String[] {"{}", "{\"auth\":\"\"}", "{\"auth\":7}", "7", "{\"identitytoken\":\"\"}"}) {
            assertThat(of("{\"auths\":{\"h.io\":" + entry + "}}").login("h.io")).isEmpty();
        }
        assertThat(Credentials.none().login("h.io")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"auths\":{\"h.io\":{\"auth\":\"hush!\"}}}",
                "{\"auths\":{\"h.io\":{\"auth\":\"aHVzaA==\"}}}",
                "{\"auths\":{\"h.io\":{\"auth\":\"Omh1c2g=\"}}}",
                "[\"hush\"]",
                "{\"hush",
                "{\"credsStore\":\"../hush\"}",
                "{\"credHelpers\":{\"h.io\":\"no-such-helper\"}}"
            })
    void what_cannot_be_used_is_told_without_its_content(String json) throws IOException {
        Credentials all = of(json);
        var refused = catchThrowableOfType(RegistryException.class, () -> all.login("h.io"));
        assertThat(refused).isNotNull();
        assertThat(refused.code()).isEqualTo("CREDENTIALS_UNREADABLE");
        assertThat(refused.sentence().replace("../hush", ""))
                .doesNotContain("hush")
                .doesNotContain("aHVzaA");
    }

    @Test
    void a_login_shows_no_secret() {
        assertThat(new Login("me", "hush", false).toString()).contains("me").doesNotContain("hush");
        assertThat(new Login("", "hush", true).toString()).doesNotContain("hush");
    }
}
