package dev.caisson.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.engine.Container;
import dev.caisson.engine.ContainerUsage;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineException;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Streams;
import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Meters of running containers in a registry.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ContainerMetricsTest {
    private static final EngineOptions OPTIONS = new EngineOptions(
            Path.of("/run/caisson-test-metrics-" + ProcessHandle.current().pid()), Path.of("/var/lib/caisson-test"));

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    @AfterEach
    void removeState() throws IOException {
        try (Stream<Path> files = Files.walk(OPTIONS.state())) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static ContainerSpec shell(String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script)
                .memory(Bytes.mebibytes(48))
                .pids(20);
    }

    @Test
    void a_container_has_meters_from_its_start_to_its_end() throws Exception {
        try (var engine = Engine.open(OPTIONS);
                var metrics = new ContainerMetrics(engine)) {
            metrics.bindTo(registry);
            assertThat(registry.get("container.running").gauge().value()).isZero();
            Container busy = engine.start(
                    shell("head -c 2m /dev/zero > /tmp/f; while :; do :; done").name("busy"), Streams.capture());
            Container quiet = engine.start(shell("sleep 60"), Streams.capture());
            metrics.refresh();

            assertThat(registry.get("container.running").gauge().value()).isEqualTo(2);
            assertThat(registry.get("container.memory.max")
                            .tag("name", "busy")
                            .gauge()
                            .value())
                    .isEqualTo(48 << 20);
            assertThat(registry.get("container.processes.max")
                            .tag("name", "busy")
                            .gauge()
                            .value())
                    .isEqualTo(20);
            assertThat(registry.get("container.memory.usage")
                            .tag("id", quiet.id().shortForm())
                            .tag("image", "host")
                            .gauge()
                            .value())
                    .isPositive();
            double before = cpu();
            TimeUnit.MILLISECONDS.sleep(ContainerMetrics.FRESH.toMillis() + 300);
            assertThat(cpu()).isGreaterThan(before);
            assertThat(registry.get("container.fs.usage")
                            .tag("name", "busy")
                            .gauge()
                            .value())
                    .isGreaterThan(2 << 20);

            busy.kill();
            busy.await();
            metrics.refresh();

            assertThat(registry.find("container.cpu.usage").tag("name", "busy").functionCounter())
                    .isNull();
            assertThat(registry.get("container.running").gauge().value()).isEqualTo(1);
            quiet.kill();
        }
    }

    @Test
    void oom_kills_are_counted_and_a_container_that_came_later_is_found() throws Exception {
        try (var engine = Engine.open(OPTIONS);
                var metrics = new ContainerMetrics(engine)) {
            metrics.bindTo(registry);
            engine.start(
                    shell("while :; do head -c 64m /dev/zero | tail >/dev/null; sleep 0.1; done")
                            .name("hog"),
                    Streams.capture());
            double kills = 0;
            for (int i = 0; i < 100 && kills == 0; i++) {
                TimeUnit.MILLISECONDS.sleep(100);
                var counter = registry.find("container.oom.kills").functionCounter();
                kills = counter == null ? 0 : counter.count();
            }
            assertThat(kills).isPositive();
        }
    }

    @Test
    void closing_takes_the_meters_of_containers_out() throws Exception {
        try (var engine = Engine.open(OPTIONS)) {
            var metrics = new ContainerMetrics(engine);
            engine.start(shell("sleep 60"), Streams.capture());
            metrics.bindTo(registry);
            assertThat(registry.getMeters()).extracting(Meter::getId).hasSizeGreaterThan(10);

            metrics.close();

            assertThat(registry.getMeters())
                    .extracting(meter -> meter.getId().getName())
                    .containsExactly("container.running");
        }
    }

    @Test
    void figures_that_cannot_be_read_are_the_last_ones_and_no_error() throws Exception {
        try (var engine = Engine.open(OPTIONS)) {
            ContainerUsage usage =
                    engine.start(shell("sleep 60"), Streams.capture()).usage();
            var answers = new ArrayDeque<>(List.of(Optional.<ContainerUsage>empty(), Optional.of(usage)));
            var latest =
                    new LatestUsage(() -> Objects.requireNonNullElse(answers.poll(), Optional.<ContainerUsage>empty())
                            .orElseThrow(() -> new EngineException("OPEN_FILES", "no room for another open file")));

            assertThat(latest.figure(figures -> 1)).isNaN();
            assertThat(latest.get()).isSameAs(usage);
            TimeUnit.MILLISECONDS.sleep(ContainerMetrics.FRESH.toMillis() + 100);
            assertThat(latest.get()).isSameAs(usage);
        }
    }

    private double cpu() {
        return registry.get("container.cpu.usage")
                .tag("name", "busy")
                .functionCounter()
                .count();
    }
}
