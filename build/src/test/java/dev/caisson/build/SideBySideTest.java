package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.engine.DetachedContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIf;
import org.junit.jupiter.api.io.TempDir;

/// Stages that do not need each other are built at the same time.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class SideBySideTest {
    private static final String MEET = "RUN --mount=type=cache,id=meeting,target=/c touch /c/%s; n=0;"
            + " while [ ! -e /c/%s ]; do sleep 0.1; n=x$n; test ${#n} -lt 300 || exit 9; done; cp /c/%s /seen";

    @TempDir
    private Path directory;

    private BuildBed bed;

    @BeforeEach
    void open() throws IOException {
        bed = new BuildBed(directory, "beside");
    }

    @AfterEach
    void close() throws IOException {
        bed.close();
    }

    static boolean hasOneProcessor() {
        return Runtime.getRuntime().availableProcessors() == 1;
    }

    @Test
    @DisabledIf("hasOneProcessor")
    void two_stages_run_at_the_same_time() throws Exception {
        BuildResult result = bed.build(
                "FROM busybox:1 AS one",
                MEET.formatted("one", "two", "two"), // each waits for the other
                "FROM busybox:1 AS two",
                MEET.formatted("two", "one", "one"),
                "FROM scratch",
                "COPY --from=one /seen /one",
                "COPY --from=two /seen /two");
        assertThat(bed.read(result, "one")).contains("");
        assertThat(bed.read(result, "two")).contains("");
        assertThat(bed.heard.begun.subList(0, 2)).allMatch(step -> step.contains(" RUN "));
    }

    @Test
    @DisabledIf("hasOneProcessor")
    void a_stage_goes_on_until_it_needs_another() throws Exception {
        BuildResult result = bed.build(
                "FROM busybox:1 AS one",
                MEET.formatted("one", "two", "two"),
                "FROM busybox:1",
                MEET.formatted("two", "one", "one"),
                "COPY --from=one /seen /copied");
        assertThat(bed.read(result, "copied")).contains("");
    }

    @Test
    void the_first_failure_ends_the_others_and_leaves_nothing() throws Exception {
        Instant begun = Instant.now();
        BuildException failure = bed.failure(
                "FROM busybox:1 AS slow",
                "RUN --mount=type=cache,id=failing,target=/c touch /c/slow; sleep 100",
                "FROM busybox:1 AS failing",
                "RUN --mount=type=cache,id=failing,target=/c"
                        + (hasOneProcessor() ? " exit 3" : " while [ ! -e /c/slow ]; do sleep 0.1; done; exit 3"),
                "FROM scratch",
                "COPY --from=slow /bin/sh /slow",
                "COPY --from=failing /bin/sh /failing");

        assertThat(failure.code()).isEqualTo("BUILD_RUN_FAILED");
        assertThat(failure.place().orElseThrow().line()).isEqualTo(4);
        assertThat(failure.problem()).contains("the status 3");
        assertThat(bed.heard.failed).singleElement().asString().startsWith("[failing 1/1] RUN ");
        assertThat(bed.heard.cancelled).singleElement().asString().startsWith("[slow 1/1] RUN ");
        assertThat(Duration.between(begun, Instant.now())).isLessThan(Duration.ofSeconds(60));
        assertThat(DetachedContainer.all(bed.options)).isEmpty();
        try (Stream<Path> left = Files.list(bed.options.data().resolve("build"))) {
            assertThat(left).isEmpty();
        }
        assertThat(bed.images.list())
                .allMatch(image -> image.repository().equals("docker.io/library/busybox")); // no step, no target
    }

    @Test
    void stages_that_wait_take_no_processor_from_those_that_they_wait_for() throws Exception {
        var lines = new ArrayList<>(List.of("FROM busybox:1 AS first", "RUN sleep 1; echo 0 >/n"));
        int last = Runtime.getRuntime().availableProcessors() + 2;
        for (int i = 1; i <= last; i++) {
            lines.add("FROM busybox:1 AS s" + i);
            lines.add("COPY --from=" + (i == 1 ? "first" : "s" + (i - 1)) + " /n /n");
            lines.add("RUN echo " + i + " >>/n");
        }
        BuildResult result = bed.build(lines.toArray(String[]::new));
        assertThat(bed.read(result, "n").orElseThrow().lines()).hasSize(last + 1);
    }

    @Test
    void the_same_step_of_two_stages_is_carried_out_once() throws Exception {
        String step = "RUN cat /proc/sys/kernel/random/uuid >/id; sleep 1";
        BuildResult result = bed.build(
                "FROM busybox:1 AS one",
                step,
                "FROM busybox:1 AS two",
                step,
                "FROM scratch",
                "COPY --from=one /id /one",
                "COPY --from=two /id /two");
        assertThat(bed.read(result, "one")).isEqualTo(bed.read(result, "two"));
        assertThat(bed.heard.cached).singleElement().asString().endsWith(step);
    }

    @Test
    void a_trigger_of_a_base_may_copy_from_a_stage_that_nothing_else_needs() throws Exception {
        bed.base("trigger:1", "\"Env\":[\"PATH=/bin\"],\"OnBuild\":[\"COPY --from=assets /it /it\"]");
        BuildResult result = bed.build("FROM busybox:1 AS assets", "RUN echo asset >/it", "FROM trigger:1");
        assertThat(bed.read(result, "it")).contains("asset\n");
    }
}
