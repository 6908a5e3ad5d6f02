package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.launch.Zygote;
import dev.caisson.launch.monitor.MonitorProcess;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.KernelText;
import dev.caisson.linux.Processes;
import dev.caisson.spec.Limits;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A monitor that waits for its container is two processes, it and its zygote, in the group that monitors are in.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class NextMonitorTest {
    private static final String PARENT =
            "caisson-next-monitor-" + ProcessHandle.current().pid();
    private static final int KILL = 9;

    private final Hierarchy hierarchy = Hierarchy.detect();
    private final Cgroup group = hierarchy.create(PARENT, "monitors", Limits.defaults());
    private final Fd program = Zygote.executable();
    private final NextMonitor monitors = new NextMonitor(group::cloneInto);

    @BeforeEach
    void skipWithoutUnifiedTree() {
        assumeTrue(hierarchy.hasUnified());
    }

    @AfterEach
    void removeGroup() {
        monitors.close();
        program.close();
        group.killAndRemove();
        hierarchy.removeParent(PARENT);
        hierarchy.close();
    }

    private Set<Integer> processes() {
        try (Fd directory = group.cloneInto().orElseThrow();
                Fd file = FileSystem.openAt(directory, "cgroup.procs", FileSystem.O_RDONLY, 0, 0)) {
            return KernelText.read(file)
                    .lines()
                    .filter(line -> !line.isEmpty())
                    .map(Integer::valueOf)
                    .collect(Collectors.toSet());
        }
    }

    private Set<Integer> await(int count) throws InterruptedException {
        long begun = System.nanoTime();
        Set<Integer> found = processes();
        while (found.size() != count) {
            assertThat(System.nanoTime() - begun).as("%s", found).isLessThan(TimeUnit.SECONDS.toNanos(30));
            Thread.sleep(5);
            found = processes();
        }
        return found;
    }

    @Test
    void nothing_is_started_after_the_first_container() throws Exception {
        monitors.startAhead(program);
        Thread.sleep(200);

        assertThat(processes()).isEmpty();
    }

    @Test
    void one_waits_after_the_second_container_and_is_taken_by_the_next() throws Exception {
        monitors.startAhead(program);
        monitors.startAhead(program);
        Set<Integer> waiting = await(2);
        monitors.startAhead(program);

        try (MonitorProcess taken = monitors.take(program)) {
            assertThat(taken.waits()).isTrue();
            assertThat(processes()).isEqualTo(waiting);
        }
        await(0);
    }

    @Test
    void one_that_was_killed_is_not_taken() throws Exception {
        monitors.startAhead(program);
        monitors.startAhead(program);
        Set<Integer> waiting = await(2);
        for (int pid : waiting) {
            try (Fd process = Processes.open(pid)) {
                boolean _ = Processes.signal(process, KILL);
            }
        }
        await(0);

        try (MonitorProcess taken = monitors.take(program)) {
            assertThat(taken.waits()).isTrue();
            assertThat(await(2)).doesNotContainAnyElementsOf(waiting);
        }
    }

    @Test
    void none_is_left_or_started_when_its_engine_is_closed() throws Exception {
        monitors.startAhead(program);
        monitors.startAhead(program);
        Set<Integer> _ = await(2);

        monitors.close();
        monitors.startAhead(program);

        await(0);
        Thread.sleep(200);
        assertThat(processes()).isEmpty();
    }
}
