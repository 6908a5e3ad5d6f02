package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("root")
@Timeout(60)
class MeterTest {
    private static final String PARENT =
            "caisson-test-meter-" + ProcessHandle.current().pid();

    private Hierarchy hierarchy;
    private Cgroup cgroup;

    @BeforeEach
    void makeGroup() {
        hierarchy = Hierarchy.detect();
        cgroup = hierarchy.create(
                PARENT, "one", Limits.defaults().memory(Bytes.mebibytes(64)).pids(9));
    }

    @AfterEach
    void removeGroup() {
        cgroup.kill();
        cgroup.remove();
        hierarchy.removeParent(PARENT);
        hierarchy.close();
    }

    @Test
    void tells_the_same_as_a_fresh_look_and_follows_the_group() throws Exception {
        try (Meter meter = cgroup.meter()) {
            Usage idle = meter.read();
            assertThat(idle).isEqualTo(cgroup.usage());
            assertThat(idle.pids().orElseThrow().current()).isZero();

            Inside inside = Inside.start(cgroup, "head -c 20m /dev/zero | tail -c 20m | wc -c; exec sleep 60");
            assertThat(inside.line()).isEqualTo("20971520");
            Usage busy = meter.read();
            assertThat(busy.memory().orElseThrow().peak().orElseThrow()).isGreaterThan(Bytes.mebibytes(20));
            assertThat(busy.pids().orElseThrow().current()).isPositive();
            assertThat(busy.cpu().total()).isPositive();
            cgroup.update(Limits.defaults().memory(Bytes.mebibytes(48)).pids(7), List.of());
            assertThat(meter.read().memory().orElseThrow().limit()).isEqualTo(Bytes.mebibytes(48));
            assertThat(meter.read().pids().orElseThrow().limit()).isEqualTo(7);
        }
    }

    @Test
    void one_that_was_not_looked_for_tells_the_same_or_that_there_is_none() {
        try (Meter meter = hierarchy.meter(PARENT, "one");
                Meter none = hierarchy.meter(PARENT, "none")) {
            assertThat(meter.read()).isEqualTo(cgroup.usage());
            assertThatThrownBy(none::read)
                    .isInstanceOfSatisfying(
                            CgroupException.class,
                            e -> assertThat(e.reason()).isEqualTo(CgroupException.Code.NO_SUCH_GROUP));
            assertThatThrownBy(() -> hierarchy.meter(PARENT, "../one"))
                    .isInstanceOfSatisfying(
                            CgroupException.class,
                            e -> assertThat(e.reason()).isEqualTo(CgroupException.Code.BAD_NAME));
        }
    }

    @Test
    void does_not_keep_a_group_from_being_removed_and_tells_that_it_is_gone() {
        try (Meter meter = cgroup.meter()) {
            meter.read();
            cgroup.remove();

            assertThatThrownBy(meter::read)
                    .isInstanceOfSatisfying(
                            CgroupException.class,
                            e -> assertThat(e.reason()).isEqualTo(CgroupException.Code.NO_SUCH_GROUP));
        }
    }

    @Test
    void closes_what_it_opened_and_reads_on_without_keeping_anything() throws IOException {
        cgroup.usage();
        long before = open();
        Meter meter = cgroup.meter();
        meter.read();
        assertThat(open()).isGreaterThan(before);

        meter.close();

        assertThat(meter.read().pids().orElseThrow().limit()).isEqualTo(9);
        assertThat(open()).isEqualTo(before);
    }

    /// Descriptors of control group files.
    private static long open() throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(MeterTest::isOfAGroup).count();
        }
    }

    private static boolean isOfAGroup(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().contains(PARENT);
        } catch (IOException e) { // closed since it was listed
            return false;
        }
    }
}
