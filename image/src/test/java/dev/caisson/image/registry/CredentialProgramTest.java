package dev.caisson.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.registry.RegistryException.Code;
import dev.caisson.text.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Credential helpers: scripts that note what they are asked, and answer as a test wants it.
@Timeout(60)
class CredentialProgramTest {
    private static final Duration LONG = Duration.ofSeconds(50);

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path directory;

    private final List<String> names = new ArrayList<>();

    /// Its arguments and what it reads are in the file `asked`.
    private CredentialProgram helper(String script) throws IOException {
        return helper(script, LONG);
    }

    private CredentialProgram helper(String script, Duration patience) throws IOException {
        Path program = directory.resolve("helper");
        Files.writeString(
                program,
                "#!/bin/sh\n{ echo \"$@\"; cat; echo; } >>" + directory.resolve("asked") + "\necho hush >&2\n" + script
                        + "\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        return new CredentialProgram(program.toString(), patience);
    }

    private CredentialProgram.Finder finder(String script) throws IOException {
        CredentialProgram helper = helper(script);
        return name -> {
            names.add(name);
            return helper;
        };
    }

    private String asked() throws IOException {
        return Files.readString(directory.resolve("asked"));
    }

    private static void assertRefused(String part, ThrowingCallable call) {
        var refused = catchThrowableOfType(RegistryException.class, call);
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).isEqualTo(Code.CREDENTIALS_UNREADABLE);
        assertThat(refused.sentence()).contains(part).contains("log in again").doesNotContain("hush");
    }

    @Test
    void a_helper_is_asked_on_its_input_and_answers_with_a_login() throws IOException {
        CredentialProgram helper = helper("echo '{\"ServerURL\":\"h.io\",\"Username\":\"me\",\"Secret\":\"it\"}'");
        assertThat(helper.ask("h.io")).hasValue(new Login("me", "it", false));
        assertThat(asked()).isEqualTo("get\nh.io\n");
    }

    @Test
    void what_a_helper_says_beside_its_answer_does_not_hold_it_up() throws IOException {
        assertThat(helper(
                                "head -c 300000 /dev/zero >&2; echo '{\"Username\":\"me\",\"Secret\":\"it\"}'",
                                Duration.ofSeconds(20))
                        .ask("h.io"))
                .isPresent();
    }

    @Test
    void a_token_has_no_user() throws IOException {
        assertThat(helper("echo '{\"Username\":\"<token>\",\"Secret\":\"it\"}'").ask("h.io"))
                .hasValue(new Login("", "it", true));
    }

    @Test
    void a_login_goes_to_a_helper_by_its_input_alone() throws IOException {
        helper("").store("h.io", "me", "secret \"1\"");
        String[] asked = asked().split("\n", 2);
        assertThat(asked[0]).isEqualTo("store");
        assertThat(Json.parseObject(asked[1], Json.Limits.DEFAULT))
                .isEqualTo(Map.of("ServerURL", "h.io", "Username", "me", "Secret", "secret \"1\""));
        Files.delete(directory.resolve("asked"));
        helper("").erase("h.io");
        assertThat(asked()).isEqualTo("erase\nh.io\n");
    }

    @Test
    void a_helper_that_has_no_login_is_no_failure() throws IOException {
        assertThat(helper("echo credentials not found in native keychain; exit 1")
                        .ask("h.io"))
                .isEmpty();
    }

    @Test
    void a_helper_that_fails_is_told_with_its_status() throws IOException {
        assertRefused("ended with status 3", () -> helper("echo hush; exit 3").ask("h.io"));
        assertRefused("ended with status 4", () -> helper("exit 4").store("h.io", "me", "hush"));
        assertRefused(
                "cannot be started",
                () -> new CredentialProgram(directory.resolve("none").toString(), LONG).ask("h.io"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "hush",
                "[]",
                "{\"Username\":\"hush\"}",
                "{\"Secret\":\"hush\"}",
                "{\"Username\":\"me\",\"Secret\":7}",
                "{\"Username\":7,\"Secret\":\"hush\"}"
            })
    void an_answer_that_is_no_login_is_refused_and_not_shown(String answer) throws IOException {
        CredentialProgram helper = helper("echo '" + answer + "'");
        assertRefused("gave no user and secret", () -> helper.ask("h.io"));
    }

    @Test
    void no_more_than_a_login_is_read() throws IOException {
        CredentialProgram endless = helper("exec cat /dev/zero 2>/dev/null");
        assertRefused("ended with status", () -> endless.ask("h.io"));
    }

    @Test
    void a_helper_that_does_not_answer_or_does_not_end_is_given_up() throws IOException {
        CredentialProgram silent = helper("exec sleep 600", Duration.ofMillis(300));
        assertRefused("gave no answer within 0 s", () -> silent.ask("h.io"));
        CredentialProgram lasting = helper("exec sleep 600 >&-", Duration.ofMillis(900));
        assertRefused("does not end", () -> lasting.ask("h.io"));
    }

    @Test
    void one_that_waits_for_a_helper_can_be_interrupted() throws IOException {
        CredentialProgram silent = helper("exec sleep 600");
        Thread.currentThread().interrupt();
        assertRefused("interrupted while", () -> silent.ask("h.io"));
        assertThat(Thread.interrupted()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "../x", "a/b", "-a", ".a", "a b"})
    void what_is_no_name_of_a_helper_is_not_run(String name) {
        assertRefused("is not the name of a credential helper", () -> CredentialProgram.named(name));
    }

    // ---- in Docker's configuration

    private Path config(String json) throws IOException {
        return Files.writeString(directory.resolve("config.json"), json);
    }

    @Test
    void a_registry_s_own_helper_is_asked_before_that_of_all() throws IOException {
        Path file = config("{\"credsStore\":\"all\",\"credHelpers\":{\"h.io\":\"own\"}}");
        CredentialProgram.Finder finder = finder("echo '{\"Username\":\"me\",\"Secret\":\"it\"}'");
        assertThat(Credentials.of(file, finder).login("h.io")).hasValue(new Login("me", "it", false));
        assertThat(Credentials.of(file, finder).login("i.io")).isPresent();
        assertThat(names).containsExactly("own", "all");
        assertThat(asked()).isEqualTo("get\nh.io\nget\ni.io\n");
    }

    @Test
    void what_a_helper_lacks_may_be_in_the_file_or_under_another_key() throws IOException {
        Path file = config("{\"credsStore\":\"all\",\"auths\":{\"https://h.io\":{\"auth\":\"bWU6aXQ=\"}}}");
        var credentials = Credentials.of(file, finder("echo credentials not found; exit 1"));
        assertThat(credentials.login("h.io")).hasValue(new Login("me", "it", false));
        assertThat(asked()).isEqualTo("get\nh.io\nget\nhttps://h.io\n");
        assertThat(credentials.login("i.io")).isEmpty();
    }

    @Test
    void an_empty_name_is_no_helper() throws IOException {
        Path file = config("{\"credsStore\":\"\"}");
        assertThat(Credentials.of(file, finder("")).login("h.io")).isEmpty();
        assertThat(names).isEmpty();
    }

    @Test
    void a_login_that_a_helper_keeps_is_named_in_the_file_without_its_secret() throws IOException {
        Path file = config("{\"credsStore\":\"all\",\"auths\":{\"h.io\":{\"auth\":\"bWU6b2xk\"}}}");
        assertThat(new LoginFile(file, finder("")).put("h.io", "me", "hush")).isEqualTo(Optional.of("all"));
        assertThat(asked()).startsWith("store\n").contains("hush");
        assertThat(Files.readString(file))
                .contains("\"h.io\"", "credsStore")
                .doesNotContain("hush")
                .doesNotContain("bWU6b2xk")
                .doesNotContain("\"auth\"");
    }

    @Test
    void a_login_is_forgotten_by_the_helper_that_has_it() throws IOException {
        Path file = config("{\"credHelpers\":{\"h.io\":\"own\"}}");
        assertThat(new LoginFile(file, finder("echo '{\"Username\":\"me\",\"Secret\":\"it\"}'")).remove("h.io"))
                .isTrue();
        assertThat(asked()).isEqualTo("get\nh.io\nerase\nh.io\n");
        Files.delete(directory.resolve("asked"));
        assertThat(new LoginFile(file, finder("echo credentials not found; exit 1")).remove("h.io"))
                .isFalse();
        assertThat(asked()).isEqualTo("get\nh.io\n");
    }

    @Test
    void nothing_is_written_where_nothing_is_to_be_forgotten() throws IOException {
        Path none = directory.resolve("none/config.json");
        assertThat(new LoginFile(none).remove("h.io")).isFalse();
        assertThat(none.getParent()).doesNotExist();
        Path file = config("{\"a\" : 1}");
        assertThat(new LoginFile(file).remove("h.io")).isFalse();
        assertThat(file).hasContent("{\"a\" : 1}");
    }
}
