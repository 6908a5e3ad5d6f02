package dev.caisson.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class EngineMetricsTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    @Test
    @Tag("root")
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void runs_are_counted_by_verdict_and_timed(@TempDir Path directory) throws Exception {
        var options = new EngineOptions(directory.resolve("state"), Path.of("/var/lib/caisson-test"));
        try (var engine = Engine.open(options)) {
            new EngineMetrics(engine).bindTo(registry);
            engine.run(ContainerSpec.of(Image.host(), "true"));
            engine.run(ContainerSpec.of(Image.host(), "sleep", "0.2"));
            engine.run(ContainerSpec.of(Image.host(), "false"));
            assertThatThrownBy(() -> engine.run(ContainerSpec.of(Image.host()).workingDirectory("/proc/1")))
                    .isInstanceOf(CaissonException.class);

            assertThat(runs("OK")).isEqualTo(2);
            assertThat(runs("EXIT")).isEqualTo(1);
            assertThat(runs("OUT_OF_MEMORY")).isZero();
            var launch = registry.get("caisson.launch").functionTimer();
            assertThat(launch.count()).isEqualTo(3);
            assertThat(launch.totalTime(TimeUnit.MILLISECONDS)).isBetween(1.0, 30_000.0);
            assertThat(registry.get("caisson.launch.failed").functionCounter().count())
                    .isEqualTo(1);
            var run = registry.get("caisson.run").functionTimer();
            assertThat(run.count()).isEqualTo(3);
            assertThat(run.totalTime(TimeUnit.MILLISECONDS)).isGreaterThan(200);
            assertThat(registry.get("caisson.running").gauge().value()).isZero();
            assertThat(registry.get("caisson.queue").gauge().value()).isZero();
            assertThat(registry.get("caisson.engine.cpu").functionCounter().count())
                    .isBetween(0.0, 60.0);
        }
    }

    private double runs(String verdict) {
        return registry.get("caisson.runs")
                .tag("verdict", verdict)
                .functionCounter()
                .count();
    }

    @Test
    void tags_have_a_bounded_number_of_values() {
        var values = new TagValues(2);
        assertThat(values.bounded("a")).isEqualTo("a");
        assertThat(values.bounded("b".repeat(1000))).hasSize(128);
        assertThat(values.bounded("c")).isEqualTo("other");
        assertThat(values.bounded("a")).isEqualTo("a");
    }
}
