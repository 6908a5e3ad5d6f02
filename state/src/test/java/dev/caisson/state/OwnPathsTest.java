package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is kept from containers; and an embedder's class loader may say little of where it has the engine's classes
/// from.
class OwnPathsTest {
    private static final class Loader extends ClassLoader {
        private final CodeSource source;

        Loader(CodeSource source) {
            this.source = source;
        }

        Class<?> define(String name) throws IOException {
            try (InputStream found = OwnPathsTest.class.getResourceAsStream("OwnPathsTest.class")) {
                byte[] bytes = Objects.requireNonNull(found).readAllBytes();
                return defineClass(name, bytes, 0, bytes.length, new ProtectionDomain(source, null));
            }
        }
    }

    @Test
    void a_class_from_nowhere_has_no_directory_that_must_be_kept_from_containers() throws IOException {
        Class<?> program = new Loader(new CodeSource(null, (Certificate[]) null)).define(OwnPathsTest.class.getName());

        assertThatCode(() -> OwnPaths.trusted(Path.of("/run/state"), Path.of("/var/lib/data"), program))
                .doesNotThrowAnyException();
    }

    @Test
    @Tag("root")
    void a_data_directory_that_is_missing_is_made_for_root_alone_to_write_to(@TempDir Path directory)
            throws IOException {
        Path data = directory.resolve("var/data");

        OwnPaths.makeData(data);
        OwnPaths.makeData(data);

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data)))
                .isEqualTo("rwxr-xr-x");
        Files.createFile(directory.resolve("file"));
        assertThatThrownBy(() -> OwnPaths.makeData(directory.resolve("file/data")))
                .isInstanceOf(StateException.class)
                .hasMessageContaining("cannot be made");
    }

    // ---- what is the engine's own

    /// A class of a place that is only named.
    private static Class<?> programAt(String url) throws IOException {
        return new Loader(new CodeSource(URI.create(url).toURL(), (Certificate[]) null))
                .define(OwnPathsTest.class.getName());
    }

    private static List<Path> own(Class<?> program) {
        return OwnPaths.all(Path.of("/srv/state"), Path.of("/srv/data"), program);
    }

    @Test
    void state_data_java_and_the_program_are_kept_from_containers() throws IOException {
        Path java = Path.of(System.getProperty("java.home"));

        assertThat(own(programAt("file:/srv/app/lib/caisson.jar")))
                .containsExactly(Path.of("/srv/state"), Path.of("/srv/data"), java, Path.of("/srv/app/lib"));
        // The clone that the launcher built them in, as it builds them there again.
        assertThat(own(programAt("file:/srv/clone/.caisson/build/state/classes/")))
                .containsExactly(Path.of("/srv/state"), Path.of("/srv/data"), java, Path.of("/srv/clone"));
        for (Class<?> nowhere : List.of(programAt("http://127.0.0.1/srv/app/lib/caisson.jar"), String.class)) {
            assertThat(own(nowhere)).containsExactly(Path.of("/srv/state"), Path.of("/srv/data"), java);
        }
    }

    @ParameterizedTest
    @Tag("root")
    @CsvSource({"0,0755,true", "0,0700,true", "0,0775,false", "0,0702,false", "0,0720,false", "1,0755,false"})
    void data_is_root_s_to_write(int uid, String mode, boolean isTrusted, @TempDir Path data) throws IOException {
        Files.setAttribute(data, "unix:uid", uid);
        Files.setAttribute(data, "unix:mode", Integer.parseInt(mode, 8));

        if (isTrusted) {
            OwnPaths.requireTrustedData(data);
        } else {
            assertRefused("DATA_UNSAFE", data);
        }
    }

    @Test
    void data_that_is_not_there_yet_is_trusted_and_a_file_is_not(@TempDir Path directory) throws IOException {
        OwnPaths.requireTrustedData(directory.resolve("none"));
        assertRefused("DATA_UNUSABLE", Files.createFile(directory.resolve("file")));
    }

    private static void assertRefused(String code, Path data) {
        assertThatThrownBy(() -> OwnPaths.requireTrustedData(data))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo(code));
    }
}
