package dev.caisson.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.text.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Logins that are written into Docker's config.json.
class LoginFileTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path directory;

    private Path parent() {
        return directory.resolve("docker");
    }

    private Path file() {
        return parent().resolve("config.json");
    }

    private List<String> names(Path parent) throws IOException {
        try (Stream<Path> files = Files.list(parent)) {
            return files.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void a_login_is_found_where_it_was_kept_and_only_by_its_owner() throws IOException {
        var logins = new LoginFile(file());
        assertThat(logins.put("h.io:5000", "me", "hu\"sh\\\u00e9:x")).isEmpty();
        assertThat(logins.put("docker.io", "hub", "x")).isEmpty();
        Login found = Credentials.of(file()).login("h.io:5000").orElseThrow();
        assertThat(found.user() + " " + found.secret()).isEqualTo("me hu\"sh\\\u00e9:x");
        assertThat(Credentials.of(file()).login("docker.io").orElseThrow().user())
                .isEqualTo("hub");
        assertThat(Files.readString(file()))
                .contains("\"https://index.docker.io/v1/\"")
                .doesNotContain("sh\\\\");
        assertThat(Files.getPosixFilePermissions(file())).isEqualTo(PosixFilePermissions.fromString("rw-------"));
        assertThat(Files.getPosixFilePermissions(parent())).isEqualTo(PosixFilePermissions.fromString("rwx------"));
        assertThat(names(parent())).containsExactly("config.json");
    }

    @Test
    void what_else_is_in_the_file_stays_and_a_link_to_it_too() throws IOException {
        Path real = directory.resolve("real.json");
        String other =
                "{\"HttpHeaders\":{\"A\":\"b\"},\"n\":[1,2.5,true,null],\"auths\":{\"x.io\":{\"auth\":\"bWU6eA==\"}}}";
        Files.writeString(real, other);
        Path link = Files.createSymbolicLink(directory.resolve("config.json"), real);
        new LoginFile(link).put("h.io", "me", "x");
        assertThat(Files.isSymbolicLink(link)).isTrue();
        Map<String, @Nullable Object> after = Json.parseObject(Files.readString(real), Json.Limits.DEFAULT);
        assertThat(after.get("n"))
                .isEqualTo(Json.parseObject(other, Json.Limits.DEFAULT).get("n"));
        assertThat(after.get("HttpHeaders")).isEqualTo(Map.of("A", "b"));
        assertThat(Credentials.of(link).login("x.io")).isPresent();

        assertThat(new LoginFile(link).remove("h.io")).isTrue();
        assertThat(new LoginFile(link).remove("h.io")).isFalse();
        assertThat(Json.parse(Files.readString(real))).isEqualTo(Json.parse(other));
    }

    @Test
    void an_older_entry_of_the_same_registry_goes() throws IOException {
        Path file = Files.writeString(
                directory.resolve("config.json"), "{\"auths\":{\"https://h.io/v2/\":{\"auth\":\"bWU6b2xk\"}}}");
        new LoginFile(file).put("h.io", "me", "new");
        assertThat(Files.readString(file)).doesNotContain("bWU6b2xk");
        assertThat(new LoginFile(file).remove("h.io")).isTrue();
        assertThat(Credentials.of(file).login("h.io")).isEmpty();
    }

    @Test
    void a_file_that_cannot_be_read_is_left_as_it_is() throws IOException {
        Path file = Files.writeString(directory.resolve("config.json"), "{ broken");
        var refused =
                catchThrowableOfType(RegistryException.class, () -> new LoginFile(file).put("h.io", "me", "secret"));
        assertThat(refused.code()).isEqualTo("CREDENTIALS_UNREADABLE");
        assertThat(refused.sentence()).doesNotContain("secret");
        assertThat(Files.readString(file)).isEqualTo("{ broken");
    }

    @Test
    void a_password_is_not_written_into_the_file_if_the_helper_that_it_names_cannot_have_it() throws IOException {
        Path file = Files.writeString(directory.resolve("config.json"), "{\"credsStore\":\"no-such-helper\"}");
        var refused =
                catchThrowableOfType(RegistryException.class, () -> new LoginFile(file).put("h.io", "me", "secret"));
        assertThat(refused.code()).isEqualTo("CREDENTIALS_UNREADABLE");
        assertThat(Files.readString(file)).isEqualTo("{\"credsStore\":\"no-such-helper\"}");
    }
}
