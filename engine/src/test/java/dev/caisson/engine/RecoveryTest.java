package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class RecoveryTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("recovery"), Path.of("/var/lib/caisson-test"));

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
        String nobodys = "b".repeat(64);
        try (Engine living = Engine.open(OPTIONS);
                Hierarchy hierarchy = Hierarchy.detect()) {
            String parent = State.cgroupParent(OPTIONS.state());
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
    void neither_a_large_record_nor_one_that_is_none_hides_the_others() throws Exception {
        String[] many =
                IntStream.range(0, 14).mapToObj(i -> "x".repeat(100_000)).toArray(String[]::new);
        String[] command = Stream.concat(Stream.of("sh", "-c", "sleep 100"), Stream.of(many))
                .toArray(String[]::new);
        try (Engine engine = Engine.open(OPTIONS)) {
            Container large = engine.start(ContainerSpec.of(Image.host(), command), Streams.capture());
            Container small = engine.start(ContainerSpec.of(Image.host(), "sleep", "100"), Streams.capture());
            Path none = OPTIONS.state().resolve("engines/0123456789abcdef/" + "c".repeat(64) + ".json");
            Files.createDirectories(none.getParent());
            Files.writeString(none, "{");

            assertThat(State.recordsIn(OPTIONS.state()))
                    .extracting(ContainerRecord::id)
                    .contains(large.id().value(), small.id().value());
        } finally {
            Engine.open(OPTIONS).close();
        }
    }

    /// Names are looked up, because a listing of a large directory on tmpfs misses what is being replaced.
    @Test
    void a_record_is_found_while_it_is_replaced() throws Exception {
        Path own = OwnDirectories.state("recovery-replaced");
        var state = new State(own);
        try {
            for (int i = 0; i < 600; i++) {
                state.announce("%064x".formatted(i));
            }
            String id = "%064x".formatted(300);
            Path file;
            try (Stream<Path> files = Files.walk(own)) {
                file = files.filter(path -> path.endsWith(id + ".json"))
                        .findFirst()
                        .orElseThrow();
            }
            var done = new AtomicBoolean();
            Thread replacing = Thread.ofPlatform().start(() -> {
                while (!done.get()) {
                    replace(file);
                }
            });
            for (int i = 0; i < 2000; i++) {
                assertThat(state.isRecorded(id)).isTrue();
            }
            done.set(true);
            replacing.join();
            assertThat(state.isRecorded("d".repeat(64))).isFalse();
        } finally {
            state.close();
        }
    }

    private static void replace(Path file) {
        try {
            Path next = file.resolveSibling(".next");
            Files.writeString(next, "");
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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

    /// As in another mount namespace of the host: the same control groups, and no record of the container.
    @Test
    void an_engine_with_another_directory_at_the_same_path_leaves_containers_alone() throws Exception {
        Path elsewhere = OPTIONS.state().resolveSibling(OPTIONS.state().getFileName() + "-elsewhere");
        try (Engine living = Engine.open(OPTIONS)) {
            Container container = living.start(ContainerSpec.of(Image.host(), "sleep", "100"), Streams.capture());
            Files.move(OPTIONS.state(), elsewhere);
            try (Engine other = Engine.open(OPTIONS)) {
                assertThat(other.run(ContainerSpec.of(Image.host(), "true")).isOk())
                        .isTrue();
                assertThat(container.hasEnded()).isFalse();
            } finally {
                BusyboxEngine.removeTree(OPTIONS.state());
                Files.move(elsewhere, OPTIONS.state());
            }
            assertThat(container.hasEnded()).isFalse();
            container.kill();
            assertThat(container.await().verdict()).isEqualTo(Verdict.KILLED);
        }
    }

    /// Whatever the record says, its groups are found below each tenant and where it was put.
    @Test
    void groups_of_a_killed_engine_are_removed_wherever_they_stand() throws Exception {
        String dead = "b".repeat(64);
        String chosen = "test-parent-" + ProcessHandle.current().pid();
        try (Engine living = Engine.open(OPTIONS);
                Hierarchy hierarchy = Hierarchy.detect()) {
            String own = State.cgroupParent(OPTIONS.state());
            hierarchy.createParent(chosen, Limits.defaults());
            ContainerSpec sleeping = ContainerSpec.of(Image.host(), "sleep", "100");
            Container tenants = living.start(
                    sleeping.placement(new Placement.Tenant("lives", Optional.of(Limits.defaults()))),
                    Streams.capture());
            Container elsewhere = living.start(sleeping.placement(new Placement.Parent(chosen)), Streams.capture());
            Path killed = Files.createDirectories(OPTIONS.state().resolve("engines/0123456789abcdef"));
            Files.writeString(
                    killed.resolve(dead + ".json"),
                    Files.readString(record(elsewhere)).replace(elsewhere.id().value(), dead));
            hierarchy.createParent(own + "/tenant-gone", Limits.defaults());
            for (String parent : new String[] {own, own + "/tenant-gone", own + "/tenant-lives", chosen}) {
                hierarchy.create(parent, dead, Limits.defaults());
            }

            Engine.open(OPTIONS).close();

            assertThat(hierarchy.leftovers(own)).containsExactly("tenant-lives");
            assertThat(hierarchy.leftovers(own + "/tenant-lives"))
                    .containsExactly(tenants.id().value());
            assertThat(hierarchy.leftovers(chosen))
                    .containsExactly(elsewhere.id().value());
            assertThat(tenants.hasEnded() || elsewhere.hasEnded()).isFalse();
            tenants.close();
            elsewhere.close();
        } finally {
            removeParent(chosen);
        }
    }

    private static void removeParent(String group) {
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            hierarchy.removeStale(group, _ -> true);
            hierarchy.removeParent(group);
        }
    }

    private static Path record(Container container) throws IOException {
        try (Stream<Path> files = Files.walk(OPTIONS.state())) {
            return files.filter(path -> path.endsWith(container.id() + ".json"))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
