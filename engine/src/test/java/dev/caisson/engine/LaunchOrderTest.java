package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import dev.caisson.state.State;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What stands in the kernel is on record from before it is made until it is gone: whenever the engine is killed, the
/// next one finds it.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class LaunchOrderTest {
    @TempDir
    private Path directory;

    private final Set<Moment> seen = EnumSet.noneOf(Moment.class);
    private final Queue<String> unrecorded = new ConcurrentLinkedQueue<>();

    @Test
    void a_group_is_on_record_from_before_it_is_made_until_it_is_gone() throws Exception {
        var options = new EngineOptions(directory.resolve("state"), Path.of("/var/lib/caisson-test"));
        try (Hierarchy hierarchy = Hierarchy.detect();
                var engine = new Engine(options, probe(options, hierarchy))) {
            ContainerSpec spec = ContainerSpec.of(Image.host(), "true");
            for (int i = 0; i < 3; i++) { // the third has what the second made ahead
                engine.run(spec);
            }
            engine.run(spec.placement(new Placement.Tenant("x", Optional.of(Limits.defaults()))));
        }

        assertThat(unrecorded).isEmpty();
        assertThat(seen).contains(Moment.GROUP_MADE, Moment.NEXT_ASKED, Moment.GROUP_REMOVED, Moment.RECORD_REMOVED);
    }

    private Probe probe(EngineOptions options, Hierarchy hierarchy) {
        return new Probe() {
            @Override
            public synchronized void reached(Moment moment) {
                seen.add(moment);
                String parent = State.cgroupParent(options.state());
                // Groups first: one that comes later is none of this look's.
                Set<String> groups = new java.util.TreeSet<>(hierarchy.leftovers(parent));
                groups.addAll(hierarchy.leftovers(parent + "/tenant-x"));
                groups.remove("tenant-x");
                groups.removeAll(records(options.state()));
                // What was removed meanwhile by another thread had a record when the groups were listed.
                groups.retainAll(Stream.concat(
                                hierarchy.leftovers(parent).stream(),
                                hierarchy.leftovers(parent + "/tenant-x").stream())
                        .collect(Collectors.toSet()));
                groups.forEach(group -> unrecorded.add(moment + ": " + group));
            }

            @Override
            public OptionalInt pauseBefore() {
                return OptionalInt.empty();
            }
        };
    }

    private static Set<String> records(Path state) {
        try (Stream<Path> files = Files.walk(state.resolve("engines"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".json"))
                    .map(name -> name.replaceFirst("^[.]", "").replace(".json", ""))
                    .collect(Collectors.toSet());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (UncheckedIOException e) {
            return records(state); // a record was removed while they were listed
        }
    }
}
