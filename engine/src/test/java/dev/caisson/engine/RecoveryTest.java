package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.Limits;
import dev.caisson.image.Image;
import dev.caisson.launch.ContainerSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class RecoveryTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(Path.of("/run/caisson-test-recovery"), Path.of("/var/lib/caisson-test"));

    @Test
    void a_record_that_a_power_failure_emptied_does_not_stop_the_next_engine() throws Exception {
        Engine.open(OPTIONS).close();
        Path dead = Files.createDirectory(OPTIONS.state().resolve("engines/0123456789abcdef"));
        Files.createFile(dead.resolve("a".repeat(64) + ".json"));

        try (Engine engine = Engine.open(OPTIONS)) {
            assertThat(dead).doesNotExist();
            assertThat(engine.run(ContainerSpec.of(Image.host(), "true")).verdict())
                    .isEqualTo(Verdict.OK);
        }
    }

    @Test
    void a_group_that_no_record_speaks_of_is_removed_and_a_living_engine_keeps_its_own() throws Exception {
        String parent = State.cgroupParent(OPTIONS.state());
        String nobodys = "b".repeat(64);
        try (Engine living = Engine.open(OPTIONS);
                Hierarchy hierarchy = Hierarchy.detect()) {
            Container container = living.start(ContainerSpec.of(Image.host(), "sleep", "100"), Streams.capture());
            hierarchy.create(parent, nobodys, Limits.defaults());
            hierarchy.create(parent, "somebody", Limits.defaults());

            Engine.open(OPTIONS).close();

            assertThat(hierarchy.leftovers(parent))
                    .containsExactlyInAnyOrder(container.id().value(), "somebody");
            hierarchy.removeStale(parent, "somebody"::equals);
            container.kill();
            assertThat(container.await().verdict()).isEqualTo(Verdict.KILLED);
        }
    }

    @Test
    void the_last_engine_removes_the_group_of_them_all() throws Exception {
        Engine first = Engine.open(OPTIONS);
        Engine second = Engine.open(OPTIONS);
        first.run(ContainerSpec.of(Image.host(), "true"));
        Path group = Path.of("/sys/fs/cgroup/pids", State.cgroupParent(OPTIONS.state()));
        org.junit.jupiter.api.Assumptions.assumeTrue(Files.exists(group), "control groups v1 at their usual place");

        first.close();
        assertThat(group).exists();
        second.close();
        assertThat(group).doesNotExist();
    }
}
