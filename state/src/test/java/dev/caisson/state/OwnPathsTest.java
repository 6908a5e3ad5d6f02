package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// An embedder's class loader may say little of where it has the engine's classes from.
class OwnPathsTest {
    private static final class Loader extends ClassLoader {
        Class<?> define(String name) throws IOException {
            try (InputStream found = OwnPathsTest.class.getResourceAsStream("OwnPathsTest.class")) {
                byte[] bytes = Objects.requireNonNull(found).readAllBytes();
                var nowhere = new CodeSource(null, (Certificate[]) null);
                return defineClass(name, bytes, 0, bytes.length, new ProtectionDomain(nowhere, null));
            }
        }
    }

    @Test
    void a_class_from_nowhere_has_no_directory_that_must_be_kept_from_containers() throws IOException {
        Class<?> program = new Loader().define(OwnPathsTest.class.getName());

        assertThatCode(() -> OwnPaths.trusted(Path.of("/run/state"), Path.of("/var/lib/data"), program))
                .doesNotThrowAnyException();
    }
}
