package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.linux.Reactor;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Deadlines of a container that ends by itself, before or after they begin.
@Tag("root")
@Timeout(value = 15, unit = TimeUnit.SECONDS)
class DeadlinesTest {
    private static final String PARENT =
            "caisson-deadlines-" + ProcessHandle.current().pid();
    private static final Duration SOON = Duration.ofMillis(20);

    private final Hierarchy hierarchy = Hierarchy.detect();
    private final Cgroup group = hierarchy.create(PARENT, "one", Limits.defaults());
    private final Reactor reactor = new Reactor("deadlines", why -> {
        throw new AssertionError(why);
    });
    private final AtomicBoolean over = new AtomicBoolean();
    private final List<Verdict> ends = new CopyOnWriteArrayList<>();
    private Deadlines deadlines;

    @BeforeEach
    void make() {
        deadlines = new Deadlines(group, over::get, ends::add);
    }

    @AfterEach
    void remove() {
        reactor.close();
        group.remove();
        hierarchy.removeParent(PARENT);
        hierarchy.close();
    }

    private void begin(ContainerSpec spec) throws InterruptedException {
        deadlines.begin(reactor, System.nanoTime(), spec);
        Thread.sleep(SOON.multipliedBy(10));
    }

    /// Waits for an end, which on a busy machine may come late.
    private void awaitEnd() throws InterruptedException {
        for (int i = 0; i < 1000 && ends.isEmpty(); i++) {
            Thread.sleep(10);
        }
    }

    private static ContainerSpec spec() {
        return ContainerSpec.onHost("true");
    }

    @Test
    void one_that_has_ended_before_they_begin_has_none() throws Exception {
        deadlines.cancel();

        begin(spec().wallClock(SOON).cpuTime(SOON));

        assertThat(ends).isEmpty();
    }

    @Test
    void one_that_runs_is_ended_by_the_clock_and_not_by_a_processor_that_it_does_not_use() throws Exception {
        begin(spec().wallClock(SOON).cpuTime(SOON));
        awaitEnd();

        assertThat(ends).containsExactly(Verdict.WALL_CLOCK);
        deadlines.cancel();
    }

    @Test
    void one_whose_end_was_seen_has_none_any_more() throws Exception {
        deadlines.begin(reactor, System.nanoTime(), spec().wallClock(SOON.multipliedBy(5)));
        deadlines.cancel();
        Thread.sleep(SOON.multipliedBy(15));

        assertThat(ends).isEmpty();
    }

    /// What cannot be measured is not let run on.
    @Test
    void one_whose_group_is_gone_is_ended_unless_it_has_ended_itself() throws Exception {
        group.remove();
        over.set(true);
        begin(spec().cpuTime(SOON));
        assertThat(ends).isEmpty();

        over.set(false);
        begin(spec().cpuTime(SOON));
        awaitEnd();
        assertThat(ends).containsExactly(Verdict.CPU_TIME);
        deadlines.cancel();
    }

    /// The clock is not that of its start alone: one that has run longer than it may is ended at once.
    @Test
    void the_clock_goes_from_the_start() throws Exception {
        long longAgo = System.nanoTime() - Duration.ofHours(1).toNanos();
        deadlines.begin(reactor, longAgo, spec().wallClock(Duration.ofHours(1).plusMillis(10_000)));
        Thread.sleep(SOON.multipliedBy(5));
        assertThat(ends).isEmpty();
        deadlines.cancel();

        make();
        deadlines.begin(reactor, longAgo, spec().wallClock(Duration.ofHours(1)));
        awaitEnd();
        assertThat(ends).containsExactly(Verdict.WALL_CLOCK);
        deadlines.cancel();
    }

    @Test
    void times_that_never_come_are_deadlines_too() throws Exception {
        Duration never = Duration.ofSeconds(Long.MAX_VALUE);

        begin(spec().wallClock(never).cpuTime(never));

        assertThat(ends).isEmpty();
        deadlines.cancel();
    }

    /// A shell in the group works until it is over its time of the processors.
    @Test
    void one_that_works_is_ended_by_what_it_has_used() throws Exception {
        Process busy = new ProcessBuilder("sh", "-c", "read go; while :; do :; done").start();
        try {
            for (Path procs : places()) {
                Files.writeString(procs, Long.toString(busy.pid()));
            }
            begin(spec().cpuTime(SOON.multipliedBy(5)));
            assertThat(ends).as("of one that has used nothing").isEmpty();
            busy.getOutputStream().write('\n');
            busy.getOutputStream().flush();
            awaitEnd();

            assertThat(ends).containsExactly(Verdict.CPU_TIME);
            assertThat(group.cpuTime()).isGreaterThanOrEqualTo(SOON.multipliedBy(5));
        } finally {
            deadlines.cancel();
            busy.destroyForcibly().waitFor();
        }
    }

    /// The group in each tree.
    private static List<Path> places() throws IOException {
        try (Stream<Path> trees = Files.walk(Path.of("/sys/fs/cgroup"), 1)) {
            return trees.map(tree -> tree.resolve(PARENT).resolve("one/cgroup.procs"))
                    .filter(Files::exists)
                    .toList();
        }
    }
}
