package dev.caisson.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.registry.RegistryException.Code;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegistrySettingsTest {
    @TempDir
    Path directory;

    private RegistrySettings read(String text) throws IOException {
        return RegistrySettings.read(Files.writeString(directory.resolve("registries.json"), text));
    }

    @Test
    void mirrors_have_their_order_and_plain_registries_are_named() throws IOException {
        RegistrySettings settings = read("""
                {"mirrors": {"docker.io": ["b.example.org", "a.example.org:5000"], "[::1]:5000": []},
                 "plain-http": ["a.example.org:5000"]}""");

        assertThat(settings.mirrorsOf("docker.io")).containsExactly("b.example.org", "a.example.org:5000");
        assertThat(settings.mirrorsOf("ghcr.io")).isEmpty();
        assertThat(settings.isPlain("a.example.org:5000")).isTrue();
        assertThat(settings.isPlain("a.example.org")).isFalse();
    }

    @Test
    void a_file_that_is_not_there_says_nothing() {
        RegistrySettings settings = RegistrySettings.read(directory.resolve("none"));

        assertThat(settings.mirrors()).isEmpty();
        assertThat(settings.plainHttp()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "{",
                "{\"mirror\":{}}",
                "{\"mirrors\":[]}",
                "{\"mirrors\":{\"docker.io\":\"a.example.org\"}}",
                "{\"mirrors\":{\"docker.io\":[\"https://a.example.org\"]}}",
                "{\"mirrors\":{\"docker.io\":[\"a.example.org/path\"]}}",
                "{\"mirrors\":{\"docker.io\":[\"user@a.example.org\"]}}",
                "{\"mirrors\":{\"docker.io\":[null]}}",
                "{\"mirrors\":{\"\":[]}}",
                "{\"plain-http\":{}}",
                "{\"plain-http\":[5]}",
            })
    void what_cannot_be_understood_is_refused_with_its_file(String text) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOfSatisfying(
                        RegistryException.class, e -> assertThat(e.reason()).isEqualTo(Code.REGISTRY_SETTINGS))
                .hasMessageContaining(directory.resolve("registries.json").toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-rw----", "rw-r---w-"})
    void a_file_that_others_may_write_to_is_refused(String permissions) throws IOException {
        Path file = Files.writeString(directory.resolve("registries.json"), "{}");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));

        assertThatThrownBy(() -> RegistrySettings.read(file)).hasMessageContaining("others than its owner");
    }

    @Test
    @Tag("root")
    void a_file_of_another_user_is_refused_and_so_is_what_is_no_file() throws IOException {
        Path file = Files.writeString(directory.resolve("registries.json"), "{}");
        Files.setAttribute(file, "unix:uid", 12_345);
        assertThatThrownBy(() -> RegistrySettings.read(file)).hasMessageContaining("belongs to the user 12345");
        assertThatThrownBy(() -> RegistrySettings.read(directory)).hasMessageContaining("it is not a file");
        assertThat(RegistrySettings.read(directory.resolve("none")).plainHttp()).isEmpty();
    }
}
