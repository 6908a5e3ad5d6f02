package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Programs that start as root, give it up, and open their standard streams by name.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ReopenedStreamsTest {
    private static final String AS_NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups ";
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("reopened"), Path.of("/var/lib/caisson-test"));

    private Engine engine;

    @BeforeEach
    void open() {
        engine = Engine.open(OPTIONS);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private static ContainerSpec shell(String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script);
    }

    @Test
    void a_program_that_gave_up_root_writes_to_its_streams_by_name() throws InterruptedException {
        RunResult result = engine.run(
                shell(AS_NOBODY + "sh -c 'echo a >/dev/stdout; echo b >>/proc/self/fd/1; echo c >/dev/stderr'"));

        assertThat(result.stdout()).isEqualTo("a\nb\n");
        assertThat(result.stderr()).isEqualTo("c\n");
    }

    @Test
    void a_program_that_gave_up_root_reads_its_input_by_name() throws InterruptedException {
        var input = new ByteArrayInputStream("given".getBytes(StandardCharsets.UTF_8));
        var output = new ByteArrayOutputStream();
        ContainerSpec spec = shell(AS_NOBODY + "cat /dev/stdin");

        engine.start(spec, new Streams.Copy(Optional.of(input), output, output, spec.outputLimit()))
                .await();

        assertThat(output.toString(StandardCharsets.UTF_8)).isEqualTo("given");
    }

    @Test
    void another_user_of_the_container_cannot_reach_the_streams_of_a_program() throws InterruptedException {
        RunResult result = engine.run(shell("for fd in 1 2; do " + AS_NOBODY
                + "sh -c \"exec >/dev/null 2>&1; echo forged >/proc/$$/fd/$fd\"; done; echo done"));

        assertThat(result.stdout()).isEqualTo("done\n");
        assertThat(result.stderr()).isEmpty();
    }

    @Test
    void a_reader_of_the_output_is_not_among_what_another_user_may_be() throws InterruptedException {
        RunResult result = engine.run(shell(AS_NOBODY + "sh -c 'cat </dev/stdout' 2>/dev/null || echo refused"));

        assertThat(result.stdout()).isEqualTo("refused\n");
    }
}
