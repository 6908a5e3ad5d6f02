package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// HotSpot gives threads that wait in the kernel 300 ms before it ends the process.
@Tag("root")
@Timeout(60)
final class ShutdownTest {
    private static final Duration HOTSPOT_WAITS = Duration.ofMillis(300);

    @TempDir
    private Path directory;

    /// Runs a program in a container, then ends as its last argument says and tells when it began to.
    public static final class Ending {
        private Ending() {}

        public static void main(String[] arguments) throws InterruptedException {
            var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
            List<Engine> open = List.of(Engine.open(options));
            open.getFirst().run(ContainerSpec.of(Image.host(), List.of("/bin/true")));
            if (arguments[3].equals("closed by a hook")) {
                Runtime.getRuntime()
                        .addShutdownHook(new Thread(() -> open.getFirst().close()));
            }
            System.out.println(System.currentTimeMillis());
            System.exit(7);
        }
    }

    @Test
    void an_engine_that_is_open_does_not_delay_the_end_of_its_jvm() throws Exception {
        assertThat(shortestEnd("left open")).isLessThan(HOTSPOT_WAITS);
    }

    @Test
    void an_engine_is_closed_by_a_hook_as_quickly() throws Exception {
        assertThat(shortestEnd("closed by a hook")).isLessThan(HOTSPOT_WAITS);
    }

    /// The shortest of some, as the machine may be busy with others.
    private Duration shortestEnd(String how) throws Exception {
        var options = new EngineOptions(directory.resolve("state"), directory.resolve("data"));
        Duration shortest = Duration.ofDays(1);
        for (int i = 0; i < 5 && shortest.compareTo(HOTSPOT_WAITS) >= 0; i++) {
            Process process = new EngineProcess(Ending.class, options, directory, List.of(how)).start();
            long began = Long.parseLong(process.inputReader().readLine());
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(7);
            Duration took = Duration.ofMillis(System.currentTimeMillis() - began);
            shortest = took.compareTo(shortest) < 0 ? took : shortest;
        }
        return shortest;
    }
}
