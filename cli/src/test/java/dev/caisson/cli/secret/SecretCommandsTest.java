package dev.caisson.cli.secret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.GivenCaller;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `caisson secret` in one process, with a data directory of the test's.
@Tag("root")
class SecretCommandsTest {
    private static final String VALUE = "canary-of-the-test";

    @TempDir
    private Path directory;

    private final List<String> printed = new ArrayList<>();

    @BeforeEach
    void make() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(secret("init", "--key-file", directory.resolve("key").toString(), "--same-disk")
                        .status())
                .isZero();
    }

    @Test
    void a_value_goes_in_by_standard_input_or_a_file_and_none_comes_out() throws IOException {
        assertThat(given(VALUE, "create", "--label", "tier=gold", "db", "-")
                        .out()
                        .strip())
                .matches("[0-9a-f]{24}");
        Path file = Files.writeString(directory.resolve("value"), VALUE);
        assertThat(secret("create", "--expires", "1h", "key", file.toString()).status())
                .isZero();
        assertThat(secret("create", "--generate=20", "made").status()).isZero();
        assertThat(secret("rotate", "--generate", "db").out()).isEqualTo("db@2\n");
        assertThat(secret("rollback", "db", "1").out()).isEqualTo("db@1\n");
        assertThat(secret("ls", "--format", "{{.Name}} {{.Version}} {{.Expires}} {{.Labels}}")
                        .out())
                .isEqualTo("db 1 never tier=gold\nkey 1 in About an hour \nmade 1 never \n"
                        .replace("About an hour ", "59 minutes")
                        .replace(" \n", "\n"));
        assertThat(secret("ls", "--filter", "label=tier", "--filter", "name=d", "--format", "{{.Name}}")
                        .out())
                .isEqualTo("db\n");
        assertThat(secret("inspect", "db").out()).contains("\"Current\": 1", "\"tier\": \"gold\"");
        assertThat(secret("versions", "db", "--format", "{{.Version}}{{.Current}}")
                        .out())
                .isEqualTo("2\n1*\n");
        assertThat(secret("log", "--format", "{{.Action}} {{.Secret}}", "db").out())
                .isEqualTo("create db@1\nrotate db@2\nrollback db@1\n");
        assertThat(secret("rm", "made", "none").status()).isEqualTo(1);
        assertThat(String.join("", printed)).doesNotContain(VALUE);
    }

    @Test
    void a_value_is_brought_from_a_program() throws IOException {
        Path file = Files.writeString(directory.resolve("value"), VALUE);
        String source = "command:/bin/cat " + file;
        assertThat(secret("create", "--expires", "1h", "--from", source, "db").status())
                .isZero();
        Files.writeString(file, VALUE + "-2");
        assertThat(secret("rotate", "db", "--from", source).out()).isEqualTo("db@2\n");
        try (SecretStore store = SecretStore.open(Stores.directory(directory), Optional::empty);
                SecretValue value = store.read(new SecretName("db"), Optional.empty(), "read", "test")) {
            assertThat(new String(value.copy(), StandardCharsets.UTF_8)).isEqualTo(VALUE + "-2");
            assertThat(store.find(new SecretName("db")).versions())
                    .allMatch(version -> version.expires().isPresent());
        }
        Files.delete(file);
        assertThat(secret("rotate", "db", "--from", source).err()).contains("SECRET_SOURCE", "status 1");
        assertThat(secret("ls", "--format", "{{.Version}}").out()).isEqualTo("2\n");
        assertThat(secret("create", "x", "--from", VALUE).err()).contains("SECRET_INVALID", "never an argument");
        assertThat(secret("create", "x", "-", "--from", source).err()).contains("USAGE", "no file");
        assertThat(secret("create", "x", "--from", "command: cat").err()).contains("SECRET_INVALID", "absolute");
        assertThat(String.join("", printed)).doesNotContain(VALUE);
    }

    @Test
    void a_secret_that_is_bound_to_a_source_names_it_until_it_gets_a_value_of_its_own() throws IOException {
        Path file = Files.writeString(directory.resolve("value"), VALUE);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
        String source = "file:" + file;
        assertThat(secret("create", "--from", source, "--bind", "--or-last", "db")
                        .status())
                .isZero();
        assertThat(secret("inspect", "-f", "{{json .Source}}", "db").out())
                .isEqualTo("{\"From\":\"" + source + "\",\"OrLast\":true}\n");
        Files.delete(file);
        Files.writeString(file, VALUE + "-2");
        assertThat(secret("rotate", "db").err()).contains("SECRET_SOURCE", "0400");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
        assertThat(secret("rotate", "db").out()).isEqualTo("db@2\n");
        assertThat(secret("rollback", "db", "1").err()).contains("SECRET_INVALID", "bound to a source");
        Answer own = secret("rotate", "--generate", "db");
        assertThat(own.out()).isEqualTo("db@3\n");
        assertThat(own.err()).contains("bound to no source any more");
        assertThat(secret("inspect", "db").out()).doesNotContain("Source");
        assertThat(secret("create", "x", "--generate", "--bind").err()).contains("USAGE", "--from");
        assertThat(secret("create", "x", "--from", source, "--or-last").err()).contains("USAGE", "--bind");
        assertThat(String.join("", printed)).doesNotContain(VALUE);
    }

    @Test
    void a_secret_that_no_container_has_is_revoked_once() {
        assertThat(secret("create", "--generate", "db").status()).isZero();
        assertThat(secret("revoke", "db", "none").out()).isEqualTo("db\n");
        assertThat(secret("ls", "-q").out()).isEmpty();
        assertThat(secret("revoke", "db").err()).contains("SECRET_UNKNOWN");
    }

    @Test
    void a_value_that_is_an_argument_is_refused_and_not_repeated() {
        Answer refused = secret("create", "db", VALUE);
        assertThat(refused.status()).isEqualTo(125);
        assertThat(refused.err()).contains("USAGE", "standard input").doesNotContain(VALUE);
        assertThat(secret("create", "db").err()).contains("no terminal", "--generate");
        assertThat(given("", "create", "db", "-").err()).contains("SECRET_INVALID", "empty");
        assertThat(secret("create", "a/b", "--generate").err()).contains("SECRET_INVALID", "63");
        assertThat(secret("ls", "-q").out()).isEmpty();
    }

    @Test
    void a_passphrase_is_read_from_a_file_that_a_variable_names() throws IOException {
        Path phrase = Files.writeString(directory.resolve("phrase"), "correct horse\n");
        Path data = Files.createDirectory(
                directory.resolve("data"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        var variables = Map.of("CAISSON_DATA", data.toString());
        var unlocked = Map.of("CAISSON_DATA", data.toString(), "CAISSON_SECRET_PASSPHRASE_FILE", phrase.toString());
        assertThat(run(unlocked, "", "init", "--passphrase").status()).isZero();
        assertThat(run(unlocked, "", "ls", "-q").status()).isZero();
        assertThat(run(variables, "", "ls").err()).contains("SECRET_LOCKED", "CAISSON_SECRET_PASSPHRASE_FILE");
    }

    @Test
    void a_secret_is_for_some_containers() {
        assertThat(secret("create", "--generate", "--for-image", "app:1", "--for-label", "tier=gold", "db")
                        .status())
                .isZero();
        assertThat(secret("inspect", "db").out()).contains("\"For\"", "app:1", "\"tier\": \"gold\"");
        assertThat(secret("access", "db", "--for-name", "web-*").status()).isZero();
        assertThat(secret("inspect", "db").out()).contains("web-*").doesNotContain("app:1");
        assertThat(secret("access", "db").err()).contains("USAGE", "nothing was said");
        assertThat(secret("access", "db", "--anybody", "--for-name", "x").err()).contains("contradict");
        assertThat(secret("access", "none", "--anybody").err()).contains("SECRET_UNKNOWN");
        assertThat(secret("access", "db", "--for-image", "a b").err()).contains("SECRET_INVALID");
        assertThat(secret("access", "db", "--for-label", "x").err()).contains("USAGE");
        assertThat(secret("access", "db", "--anybody").status()).isZero();
        assertThat(secret("inspect", "db").out()).doesNotContain("\"For\"");
    }

    @Test
    void a_store_is_unlocked_for_a_time_and_gets_another_key() throws IOException {
        assertThat(given(VALUE, "create", "db", "-").status()).isZero();
        Path key = directory.resolve("key");
        assertThat(secret("unlock", "--for", "1h").status()).isZero();
        Files.move(key, directory.resolve("elsewhere"));
        assertThat(secret("ls", "-q").status()).isZero();
        assertThat(secret("lock")).isEqualTo(new Answer(0, "", ""));
        assertThat(secret("lock").err()).contains("was not unlocked");
        assertThat(secret("ls").err()).contains("SECRET_LOCKED");
        Files.move(directory.resolve("elsewhere"), key);
        Path next = directory.resolve("next");
        assertThat(secret("rekey", "--key-file", next.toString(), "--same-disk").status())
                .isZero();
        Files.delete(key);
        assertThat(secret("log", "--format", "{{.Action}}").out()).endsWith("unlock\nlock\nrekey\n");
        assertThat(secret("unlock", "--for", "0s").err()).contains("--for takes one second");
        assertThat(secret("rekey", "--recovery", "age1x").err()).contains("SECRET_INVALID");
        assertThat(secret("rekey", "--recovery", "age1x", "--no-recovery").err())
                .contains("contradict");
        assertThat(secret("rekey", "--passphrase", "--key-file", "k").err()).contains("give one");
        assertThat(String.join("", printed)).doesNotContain(VALUE);
    }

    private Answer secret(String... words) {
        return given("", words);
    }

    private Answer given(String input, String... words) {
        return run(Map.of("CAISSON_DATA", directory.toString()), input, words);
    }

    private Answer run(Map<String, String> variables, String input, String... words) {
        var all = new ArrayList<>(List.of("secret"));
        all.addAll(List.of(words));
        var out = new StringWriter();
        var err = new StringWriter();
        int status = new GivenCaller(variables, input.getBytes(StandardCharsets.UTF_8))
                .run(() -> Main.execute(
                        new PrintWriter(out), new PrintWriter(err), Terminal.NONE, all.toArray(String[]::new)));
        printed.add(out + "" + err);
        return new Answer(status, out.toString(), err.toString());
    }
}
