package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.ArgumentException;
import dev.caisson.image.ImageException.Code;
import java.nio.file.Path;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageTests {
    @Test
    void names_of_pulled_images_are_read() {
        assertThat(Image.parse("busybox")).isEqualTo(new Image.Named(ImageReference.parse("busybox")));
        assertThat(Image.parse("docker://debian:13")).hasToString("debian:13");
        assertThat(Image.parse("docker:27")).hasToString("docker:27");
        assertThat(Image.parse("127.0.0.1:5000/a/b")).hasToString("127.0.0.1:5000/a/b:latest");
    }

    @Test
    void the_four_forms_are_read() {
        assertThat(Image.parse("host")).isEqualTo(Image.host());
        assertThat(Image.parse("snapshot://one")).isEqualTo(new Image.Snapshot(new SnapshotName("one")));
        assertThat(Image.parse("dir:/srv/root")).isEqualTo(Image.directory(Path.of("/srv/root")));
        assertThat(Image.parse("dir:a:b")).isEqualTo(Image.directory(Path.of("a:b")));
        assertThat(Image.parse("oci:lay/out")).isEqualTo(Image.ociLayout(Path.of("lay/out")));
        assertThat(Image.parse("oci:lay/out:v1")).isEqualTo(Image.ociLayout(Path.of("lay/out"), "v1"));
        assertThat(Image.parse("docker-archive:b.tar")).isEqualTo(Image.dockerArchive(Path.of("b.tar")));
        assertThat(Image.parse("docker-archive:b.tar:busybox:latest"))
                .isEqualTo(Image.dockerArchive(Path.of("b.tar"), "busybox:latest"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"host", "dir:/srv/root", "oci:lay/out:v1", "oci:x", "docker-archive:b.tar:busybox:latest"})
    void what_is_printed_is_read_again(String name) {
        assertThat(Image.parse(name)).hasToString(name);
    }

    @ParameterizedTest
    @CsvSource({
        "Busybox, BAD_NAME",
        "docker-daemon:busybox, UNSUPPORTED_FORMAT",
        "'', BAD_NAME",
        "'two words', BAD_NAME",
        "dir:, BAD_NAME",
        "oci:, BAD_NAME",
        "oci::v1, BAD_NAME",
        "oci:x:, BAD_NAME",
        "docker-archive:, BAD_NAME",
        "docker-archive:x:, BAD_NAME",
    })
    void everything_else_is_refused_with_a_code(String name, Code code) {
        var refused = catchThrowableOfType(ImageException.class, () -> Image.parse(name));
        assertThat(refused.reason()).isEqualTo(code);
        assertThat(refused.sentence()).doesNotContain("\n");
    }

    @Test
    @SuppressWarnings("NullAway") // what a caller without NullAway may give
    void nothing_is_no_part_of_an_image() {
        Path path = Path.of("x");
        for (ThrowingCallable attempt : new ThrowingCallable[] {
            () -> new Image.Directory(null),
            () -> new Image.OciLayout(null, Optional.empty()),
            () -> new Image.OciLayout(path, null),
            () -> new Image.DockerArchive(null, Optional.empty()),
            () -> new Image.DockerArchive(path, null),
            () -> new Image.Named(null),
            () -> new Image.Snapshot(null),
            () -> ImageReference.parse(null),
            () -> new ImageReference(null, "a", Optional.of("1"), Optional.empty()),
            () -> new ImageReference("h.io", null, Optional.of("1"), Optional.empty()),
            () -> new ImageReference("h.io", "a", null, Optional.empty()),
            () -> new ImageReference("h.io", "a", Optional.of("1"), null),
            () -> RegistryLogins.of(null)
        }) {
            assertThatThrownBy(attempt).isInstanceOf(ArgumentException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "https://h.io", "h.io/x", "a b", "-h.io"})
    void a_registry_is_a_host_and_its_port(String name) {
        Path file = Path.of("/none/config.json");
        for (ThrowingCallable attempt : new ThrowingCallable[] {
            () -> RegistryLogins.of(file).login(name, "me", "hush"),
            () -> RegistryLogins.of(file).logout(name)
        }) {
            var refused = catchThrowableOfType(ImageException.class, attempt);
            assertThat(refused).isNotNull();
            assertThat(refused.reason()).isEqualTo(Code.BAD_NAME);
            assertThat(refused).hasMessageContaining("is not a registry: write HOST or HOST:PORT");
        }
        assertThat(RegistryLogins.of(file).logout("h.io:5000")).isFalse();
    }

    @Test
    void a_registry_s_name_has_a_bound() {
        Path file = Path.of("/none/config.json");
        String longest = "a".repeat(60) + ("." + "b".repeat(60)).repeat(3);
        assertThat(RegistryLogins.of(file).logout(longest)).isFalse();
        assertThat(catchThrowableOfType(
                                ImageException.class,
                                () -> RegistryLogins.of(file).logout(longest + ("." + "b".repeat(60)).repeat(9)))
                        .reason())
                .isEqualTo(Code.BAD_NAME);
    }

    @Test
    void a_control_character_in_a_name_never_reaches_the_terminal() {
        var refused = catchThrowableOfType(ImageException.class, () -> Image.parse("bad\u001b[2J\n"));
        assertThat(refused.sentence()).doesNotContain("\u001b").doesNotContain("\n");
    }

    @Test
    void names_of_other_tools_are_told_what_to_do() {
        for (String[] row : new String[][] {
            {"docker-daemon:x", "UNSUPPORTED_FORMAT", "docker save"},
            {"containers-storage:x", "UNSUPPORTED_FORMAT", "podman save"},
            {"oci-archive:x.tar", "UNSUPPORTED_FORMAT", "tar -xf"},
        }) {
            var refused = org.assertj.core.api.Assertions.catchThrowableOfType(
                    ImageException.class, () -> Image.parse(row[0]));
            org.assertj.core.api.Assertions.assertThat(refused.code()).isEqualTo(row[1]);
            org.assertj.core.api.Assertions.assertThat(refused).hasMessageContaining(row[2]);
        }
    }
}
