package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import dev.caisson.spec.Usage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Running containers as others see them: through the survey, and in a flight recording.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SurveyTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("survey"), Path.of("/var/lib/caisson-test"));

    @AfterEach
    void removeState() throws IOException {
        BusyboxEngine.removeTree(OPTIONS.state());
    }

    private static ContainerSpec shell(String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script);
    }

    @Test
    void every_running_container_is_seen_with_what_it_uses() throws Exception {
        try (Engine engine = Engine.open(OPTIONS);
                var survey = new Survey(OPTIONS)) {
            assertThat(survey.read()).isEmpty();
            engine.start(shell("sleep 60").name("quiet").memory(Bytes.mebibytes(48)), Streams.capture());
            Container busy = engine.start(
                    shell("while :; do :; done")
                            .placement(new Placement.Tenant(
                                    "a", Optional.of(Limits.unlimited().pids(100)))),
                    Streams.capture());
            TimeUnit.MILLISECONDS.sleep(300);

            List<Survey.Sample> samples = survey.read();

            assertThat(samples).extracting(Survey.Sample::name).containsExactly("quiet", busy.name());
            assertThat(samples).extracting(Survey.Sample::tenant).containsExactly(Optional.empty(), Optional.of("a"));
            assertThat(samples.getFirst().usage().group().memory().orElseThrow().limit())
                    .isEqualTo(Bytes.mebibytes(48));
            assertThat(samples.getLast().usage().group().cpu().total().toMillis())
                    .isPositive();
            assertThat(samples.getLast().usage().writable().orElseThrow().mostInodes())
                    .isPositive();
            busy.kill();
            busy.await();
            assertThat(survey.read()).extracting(Survey.Sample::name).containsExactly("quiet");
        }
    }

    /// The kernel itself goes over a limit for a moment: what it cannot refuse, and what a process takes while it is
    /// being killed, it charges all the same (Documentation/admin-guide/cgroup-v2.rst, memory.max).
    @Test
    void the_containers_of_a_tenant_never_use_more_together_than_it_has() throws Exception {
        Bytes most = Bytes.mebibytes(64);
        Bytes atMost = Bytes.mebibytes(68);
        var ceiling = new Placement.Tenant(
                "a",
                Optional.of(Limits.unlimited().memory(most).memorySwap(most).pids(40)));
        String script = "while :; do head -c 40m /dev/zero | tail >/dev/null; sleep 0.1 & done";
        try (Engine engine = Engine.open(OPTIONS);
                var survey = new Survey(OPTIONS)) {
            for (int i = 0; i < 3; i++) {
                engine.start(shell(script).placement(ceiling), Streams.capture());
            }
            engine.start(shell("sleep 60").name("other"), Streams.capture());
            long kills = 0;
            for (int look = 0; look < 100; look++) {
                List<Survey.Sample> samples = survey.read();
                for (Survey.Total total : survey.totals(samples)) {
                    Usage.Memory memory = total.usage().memory().orElseThrow();
                    assertThat(total.tenant()).isEqualTo("a");
                    assertThat(total.containers()).isLessThanOrEqualTo(3);
                    assertThat(memory.current()).isLessThanOrEqualTo(atMost);
                    assertThat(memory.peak().orElseThrow()).isLessThanOrEqualTo(atMost);
                    assertThat(memory.limit()).isEqualTo(most);
                    assertThat(total.usage().pids().orElseThrow().current()).isLessThanOrEqualTo(40);
                    kills = Math.max(kills, memory.oomKills());
                }
                TimeUnit.MILLISECONDS.sleep(20);
            }
            assertThat(kills).as("the ceiling was reached").isPositive();
        }
    }

    @Test
    void a_flight_recording_holds_launch_usage_and_end(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("recording.jfr");
        try (var recording = new Recording()) {
            recording.enable("dev.caisson.ContainerUsage").with("period", "100 ms");
            recording.start();
            try (Engine engine = Engine.open(OPTIONS)) {
                engine.run(shell("sleep 1; exit 3").name("recorded"));
            }
            recording.stop();
            recording.dump(file);
        }

        List<RecordedEvent> events = RecordingFile.readAllEvents(file);

        assertThat(Files.size(file)).isPositive();
        assertThat(named(events, "dev.caisson.Launch"))
                .singleElement()
                .satisfies(event -> assertThat(event.getString("id")).hasSize(64));
        assertThat(named(events, "dev.caisson.Container")).singleElement().satisfies(event -> {
            assertThat(event.getString("verdict")).isEqualTo("EXIT");
            assertThat(event.getInt("exitStatus")).isEqualTo(3);
            assertThat(event.getString("name")).isEqualTo("recorded");
            assertThat(event.getDuration().toMillis()).isGreaterThanOrEqualTo(1000);
            assertThat(event.getLong("peakMemory")).isPositive();
        });
        assertThat(named(events, "dev.caisson.ContainerUsage"))
                // the last one may come between the program's end and its group's
                .anySatisfy(event -> assertThat(event.getLong("memory")).isPositive());
    }

    private static List<RecordedEvent> named(List<RecordedEvent> events, String name) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals(name))
                .toList();
    }
}
