package dev.caisson.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.launch.PlanRecord;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A group of this kernel and its record: neither is changed or read while it is removed.
@Tag("root")
@Timeout(60)
class RecordedGroupTest {
    private static final String PARENT = parent();
    private static final Limits LIMITS =
            Limits.defaults().memory(Bytes.mebibytes(32)).pids(20);

    private final Hierarchy hierarchy = Hierarchy.detect();
    private final List<ContainerRecord> saved = new ArrayList<>();
    private Cgroup group;
    private RecordedGroup recorded;

    /// Named for /run, as tools/check-mutants gives each run one of its own and clears up by it.
    private static String parent() {
        try (Fd run = FileSystem.open("/run", FileSystem.O_PATH)) {
            return "caisson-" + Long.toHexString(FileSystem.status(run).fileSystem()) + "-test-recorded-"
                    + ProcessHandle.current().pid();
        }
    }

    @BeforeEach
    void make() {
        group = hierarchy.create(PARENT, "one", LIMITS);
        recorded = new RecordedGroup(group, saved::add);
    }

    @AfterEach
    void leaveNothing() {
        hierarchy.removeStale(PARENT, _ -> true);
        hierarchy.removeParent(PARENT);
        hierarchy.close();
    }

    private ContainerRecord record() {
        return new ContainerRecord(
                        "a".repeat(64),
                        "web",
                        "host",
                        PARENT,
                        1,
                        2,
                        0,
                        0,
                        1,
                        1,
                        List.of(),
                        List.of(),
                        List.of("true"),
                        Map.of(),
                        15,
                        10_000,
                        new PlanRecord(0x7000_0000, List.of(), 1, 1, 1, List.of(), List.of(), ""))
                .started(3, 4, group, LIMITS);
    }

    private Process member() throws Exception {
        Process process = new ProcessBuilder("sh", "-c", "echo it; exec sleep 1000").start();
        assertThat(process.inputReader().readLine()).isEqualTo("it");
        List<Fd> joins = group.joinFds();
        for (Fd tasks : joins) {
            try (tasks) {
                Files.writeString(Path.of("/proc/self/fd/" + tasks.number()), Long.toString(process.pid()));
            }
        }
        if (joins.isEmpty()) {
            Files.writeString(Path.of("/sys/fs/cgroup", group.path(), "cgroup.procs"), Long.toString(process.pid()));
        }
        return process;
    }

    private static long openFiles() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(each -> target(each).contains(PARENT + "/one/")).count();
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return ""; // another thread's, closed meanwhile
        }
    }

    @Test
    void limits_change_with_their_record_if_there_is_one() {
        Limits less = LIMITS.pids(9);
        assertThat(recorded.update(less)).isFalse();
        assertThat(group.effectiveLimits().pids().own()).isEqualTo(20);
        assertThat(saved).isEmpty();

        ContainerRecord first = record();
        recorded.write(() -> first);
        assertThat(saved).containsExactly(first);
        assertThat(recorded.update(less)).isTrue();
        assertThat(group.effectiveLimits().pids().own()).isEqualTo(9);
        assertThat(saved).hasSize(2);
        assertThat(saved.getLast().pidsLimit()).isEqualTo(9);
        assertThat(saved.getLast().settings()).isNotEqualTo(first.settings());
        Limits again = LIMITS.pids(11);
        assertThat(recorded.update(again)).isTrue();
        assertThat(saved.getLast().pidsLimit()).isEqualTo(11);
    }

    @Test
    void what_is_removed_has_no_record_any_more_and_nothing_open() throws IOException {
        recorded.write(this::record);
        assertThat(recorded.usage().pids().orElseThrow().limit()).isEqualTo(20);
        long open = openFiles();
        assertThat(open).isPositive();
        recorded.usage();
        assertThat(openFiles()).as("the same files are read again").isEqualTo(open);

        var after = new AtomicInteger();
        recorded.remove(() -> {
            assertThat(hierarchy.leftovers(PARENT)).isEmpty();
            after.incrementAndGet();
        });

        assertThat(after).hasValue(1);
        assertThat(openFiles()).isZero();
        recorded.write(this::record);
        assertThat(recorded.update(LIMITS.pids(9))).isFalse();
        assertThat(saved).hasSize(1);
    }

    @Test
    void a_process_that_stays_is_killed_after_a_while() throws Exception {
        Process member = member();
        var after = new AtomicInteger();
        recorded.remove(after::incrementAndGet);
        assertThat(after).hasValue(1);
        assertThat(hierarchy.leftovers(PARENT)).isEmpty();
        assertThat(member.waitFor()).isEqualTo(128 + 9);
    }

    @Test
    void what_comes_after_is_not_done_if_the_group_cannot_be_removed() {
        Hierarchy closed = Hierarchy.detect();
        var broken = new RecordedGroup(closed.find(PARENT, "one").orElseThrow(), saved::add);
        closed.close();
        assertThatThrownBy(() -> broken.remove(() -> {
                    throw new AssertionError("it is still there");
                }))
                .isInstanceOf(IllegalStateException.class);
    }
}
