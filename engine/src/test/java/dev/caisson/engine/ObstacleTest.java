package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A program that failed for want of something that an option gives is told which.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ObstacleTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("obstacles"), Path.of("/var/lib/caisson-test"));

    private Engine engine;

    @BeforeEach
    void open() {
        engine = Engine.open(OPTIONS);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private RunResult run(String script) throws InterruptedException {
        return engine.run(ContainerSpec.of(Image.host(), "sh", "-c", script));
    }

    @Test
    void a_full_writable_layer_is_told() throws InterruptedException {
        RunResult result = run("head -c 600M /dev/zero >/srv/file");

        assertThat(result.obstacles()).as(result.toString()).containsExactly(Obstacle.WRITABLE_LAYER_FULL);
        assertThat(Obstacle.WRITABLE_LAYER_FULL.sentence()).contains("--storage-opt size=");
    }

    @Test
    void full_shared_memory_is_told() throws InterruptedException {
        RunResult result = run("head -c 100M /dev/zero >/dev/shm/file");

        assertThat(result.obstacles()).as(result.toString()).containsExactly(Obstacle.SHARED_MEMORY_FULL);
    }

    @Test
    void a_set_user_id_program_without_effect_is_told() throws InterruptedException {
        ContainerSpec asUser = ContainerSpec.of(Image.host(), "su", "-c", "id").user("1000");

        assertThat(engine.run(asUser).obstacles()).containsExactly(Obstacle.SET_ID_WITHOUT_EFFECT);
    }

    @Test
    void a_program_that_succeeds_or_fails_by_itself_met_none() throws InterruptedException {
        assertThat(run("exit 3").obstacles()).isEmpty();
        assertThat(run("head -c 100M /dev/zero >/dev/shm/file 2>/dev/null; exit 0")
                        .obstacles())
                .isEmpty();
        assertThat(engine.run(ContainerSpec.of(Image.host(), "su", "-s", "/bin/false", "nobody"))
                        .obstacles())
                .isEmpty();
    }
}
