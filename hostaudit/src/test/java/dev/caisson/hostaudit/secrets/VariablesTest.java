package dev.caisson.hostaudit.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.hostaudit.engines.ContainerClaims;
import dev.caisson.hostaudit.engines.EngineConfiguration;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Tree;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Secrets stay out of facts wherever people put them.
class VariablesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "RUN DB_PASSWORD=hunter2xyz ./install",
                "|1 DB_PASSWORD=hunter2xyz /bin/sh -c make",
                "/bin/sh -c #(nop)  ENV DB_PASSWORD=hunter2xyz",
                "/bin/sh -c export API_TOKEN='hunter2xyz'; make",
                "RUN ./login --password hunter2xyz",
                "RUN ./login --password=hunter2xyz --quiet",
                "RUN curl -u anna:hunter2xyz https://example.org",
                "RUN curl --user \"anna:hunter2xyz\" https://example.org",
                "RUN curl https://anna:hunter2xyz@example.org/x",
                "RUN echo '{\"password\": \"hunter2xyz\"}' > config",
                "RUN printf -- '-----BEGIN PRIVATE KEY-----\nhunter2xyz\n-----END PRIVATE KEY-----'",
                "RUN curl -H 'Authorization: Bearer hunter2xyz12345'",
            })
    void no_text_keeps_its_secret_and_each_is_still_known_to_have_held_one(String text) {
        String left = Variables.text(text);

        assertThat(left).doesNotContain("hunter2xyz").contains(" characters>");
        assertThat(Variables.secretsOf(left)).isNotEmpty();
        assertThat(Variables.text(left)).as("nothing is left out twice").isEqualTo(left);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "RUN apt-get update && apt-get install -y curl",
                "ENV DB_PASSWORD_FILE=/run/secrets/db",
                "RUN useradd --password \"$PASSWORD\" anna",
                "COPY token /run/secrets/token",
                "RUN curl -u \"$USER:$PASSWORD\" https://example.org",
            })
    void what_holds_no_secret_stays_as_it_is(String text) {
        assertThat(Variables.text(text)).isEqualTo(text);
        assertThat(Variables.secretsOf(text)).isEmpty();
    }

    /// Whoever makes an image chooses its labels.
    @ParameterizedTest
    @Tag("slow")
    @Timeout(30)
    @ValueSource(
            strings = {"a", "a1", "-", "a=", "a-", "a ", "password=$", "-eyJ", "a='", "<a ", "-u ", "a=<a ", "eyJ."})
    void a_long_text_takes_no_longer_than_its_length_asks_for(String part) {
        String text = part.repeat((1 << 18) / part.length());

        assertThat(Variables.value("x", text)).isEqualTo(text);
        assertThat(Variables.secretsOf(text)).isEmpty();
        assertThat(Variables.value(text, "x")).isEqualTo("x");
    }

    @Test
    void a_name_starts_after_what_cannot_start_one_and_a_long_value_goes_whole() {
        for (String before : List.of("--", ".", "1", "-.9", "x=", "\"", "/", "a b.", "--x y=", "é")) {
            assertThat(Variables.text(before + "password=hunter2xyz z"))
                    .isEqualTo(before + "password=<a secret, 10 characters> z");
        }
        assertThat(Variables.text("password=" + "h".repeat(5000) + " z"))
                .isEqualTo("password=<a secret, 5000 characters> z");
    }

    @Test
    void a_web_token_is_found_wherever_in_a_run_of_its_characters_it_begins() {
        String token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJlIHg";
        for (String before : List.of("", "x ", "=", "jwt-", "a.b.", "-eyJ-")) {
            assertThat(Variables.text(before + token))
                    .as(before)
                    .doesNotContain("c2lnbmF0dXJlIHg")
                    .contains("<a JSON web token, ");
        }
    }

    @Test
    void a_label_whose_name_has_an_equals_sign_is_one_label() {
        assertThat(Variables.withoutSecrets(Map.of("a=b", "https://anna:hunter2xyz@example.org", "c=d", "e=f")))
                .containsEntry("a=b", "<a password in a URL, 35 characters>")
                .containsEntry("c=d", "e=f");
    }

    @Test
    void a_command_line_loses_what_follows_a_flag_that_is_called_like_a_secret() {
        assertThat(Variables.arguments(List.of(
                        "dockerd", "--log-opt", "splunk-token=hunter2xyz", "--registry-password", "hunter2xyz", "-D")))
                .containsExactly(
                        "dockerd",
                        "--log-opt",
                        "splunk-token=<a secret, 10 characters>",
                        "--registry-password",
                        "<a secret, 10 characters>",
                        "-D");
    }

    @Test
    void the_daemons_file_and_flags_lose_theirs() {
        Map<String, EngineFacts.Setting> effective = EngineConfiguration.effective(
                List.of("dockerd", "--log-opt=splunk-token=hunter2xyz"),
                name -> Optional.empty(),
                Tree.parse(
                        "{\"proxies\":{\"http-proxy\":\"http://anna:hunter2xyz@proxy:1\"},\"a=b\":\"--password hunter2xyz\"}"));

        assertThat(effective.toString()).doesNotContain("hunter2xyz");
        assertThat(effective)
                .containsEntry(
                        "log-opts", new EngineFacts.Setting(List.of("splunk-token=<a secret, 10 characters>"), "flag"));
    }

    @Test
    void an_engines_record_of_a_container_loses_them_all() {
        String json = """
                {"Config": {"Env": ["DB_PASSWORD=hunter2xyz"], "Labels": {"x=y": "ghp_0123456789012345678901234567890123hunter2xyz"},
                   "Healthcheck": {"Test": ["CMD", "check", "--password", "hunter2xyz"]}},
                 "HostConfig": {"LogConfig": {"Type": "splunk", "Config": {"splunk-token": "hunter2xyz"}}}}
                """;

        assertThat(ContainerClaims.of(Tree.parse(json), Tree.NONE).toString())
                .doesNotContain("hunter2xyz")
                .contains("splunk-token=<a secret, 10 characters>");
    }
}
