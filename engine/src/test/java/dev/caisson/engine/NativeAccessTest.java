package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A JVM that denies native access is told the option that is missing, JEP 472.
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class NativeAccessTest {
    static final class Opening {
        public static void main(String[] arguments) {
            try (var engine = Engine.open()) {
                System.out.println("opened " + engine.containers());
            } catch (CaissonException e) {
                System.out.println(e.code() + ": " + e.sentence());
            }
        }
    }

    @Test
    void the_missing_option_is_named(@TempDir Path directory) throws IOException {
        var process = new EngineProcess(Opening.class, new EngineOptions(directory, directory), directory, List.of());
        assertThat(process.withoutNativeAccess().lines())
                .containsExactly("NATIVE_ACCESS_DENIED: this JVM denies Caisson native access: start it with"
                        + " --enable-native-access=ALL-UNNAMED");
    }
}
