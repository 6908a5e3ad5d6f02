package dev.caisson.cgroup;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.cgroup.Hierarchy.World;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.BlockDevice;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.CpuList;
import dev.caisson.spec.CpuQuota;
import dev.caisson.spec.IoLimit;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Pressure;
import dev.caisson.spec.Usage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Each limit bites.
class EnforcementTest extends KernelTest {

    @Test
    void a_disk_is_read_no_faster_than_allowed() throws Exception {
        Path place = Files.isDirectory(Path.of("/disk"))
                ? Path.of("/disk")
                : Path.of("target").toAbsolutePath();
        Path file = Files.write(place.resolve("io-limit"), new byte[2 << 20]);
        try {
            BlockDevice device = diskOf(file);
            Cgroup cgroup = hierarchy.create(
                    PARENT, "io", SMALL.io(List.of(IoLimit.on(device).readBytes(1 << 20))));

            long start = System.nanoTime();
            int status = Inside.run(
                    cgroup, "sync -f " + file + " && exec dd if=" + file + " of=/dev/null bs=64k iflag=direct");
            double seconds = (System.nanoTime() - start) / 1e9;

            assertThat(status).isZero();
            assertThat(seconds).isGreaterThan(1.5);
            Usage.Io io = cgroup.usage().io().orElseThrow().stream()
                    .filter(each -> each.device().equals(device))
                    .findFirst()
                    .orElseThrow();
            assertThat(io.readBytes()).isBetween(2L << 20, 4L << 20);
            assertThat(io.readOperations()).isPositive();
        } finally {
            Files.delete(file);
        }
    }

    /// The whole disk that holds a file.
    private static BlockDevice diskOf(Path file) throws IOException {
        long packed;
        try (Fd open = FileSystem.open(file.toString(), FileSystem.O_RDONLY)) {
            packed = FileSystem.status(open).fileSystem();
        }
        Path disk = Path.of("/sys/dev/block/" + (packed >> 32) + ":" + (int) packed);
        assumeTrue(Files.exists(disk), "the build directory is on no disk of its own");
        disk = disk.toRealPath();
        Path numbers = Files.exists(disk.resolve("partition")) ? disk.resolveSibling("dev") : disk.resolve("dev");
        return BlockDevice.parse(Files.readString(numbers).strip());
    }

    @Test
    void what_was_written_is_read_back_and_a_change_of_it_is_told() {
        Limits limits = SMALL.cpus("0.5").cpuShares(512).memoryReservation(Bytes.mebibytes(16));
        Cgroup cgroup = hierarchy.create(PARENT, "standing", limits);
        List<KernelSetting> written = cgroup.settings(limits);

        assertThat(written)
                .extracting(KernelSetting::limit)
                .contains("memory", "pids", "cpus", "cpu-shares", "memory-reservation");
        assertThat(cgroup.standing(written)).allMatch(Cgroup.Standing::isAsPlanned);

        Tree pids = requireNonNull(hierarchy.controllers().tree("pids"));
        pids.write(cgroup.path(), "pids.max", "19");

        assertThat(cgroup.standing(written))
                .filteredOn(standing -> !standing.isAsPlanned())
                .singleElement()
                .satisfies(standing -> {
                    assertThat(standing.setting().limit()).isEqualTo("pids");
                    assertThat(standing.found()).isEqualTo("19");
                });
    }

    @Test
    void a_limit_that_needs_a_group_it_was_made_without_is_refused() {
        Cgroup cgroup = hierarchy.create(PARENT, "fixed", SMALL);
        Tree huge = hierarchy.controllers().tree("hugetlb");
        assumeTrue(huge != null && !huge.isUnified(), "there is no tree that a group is not always in");

        assertThatThrownBy(() -> cgroup.update(SMALL.hugePages(Map.of("2MB", Bytes.mebibytes(4))), List.of()))
                .isInstanceOfSatisfying(
                        CgroupException.class, e -> assertThat(e.reason()).isEqualTo(Code.FIXED_LIMIT));
        assertThat(cgroup.effectiveLimits().pids().own()).isEqualTo(20);
    }

    @Test
    void runs_on_the_cpus_of_the_list() throws Exception {
        Limits first = SMALL.cpuset(CpuList.parse("0"));
        if (!hierarchy.controllerNames().contains("cpuset")) {
            assertUnenforceable(first, "cpuset-cpus");
            return;
        }

        Cgroup cgroup = hierarchy.create(PARENT, "cpuset", first);

        try (Inside inside = Inside.start(cgroup, "grep Cpus_allowed_list: /proc/self/status")) {
            assertThat(inside.line()).isEqualTo("Cpus_allowed_list:\t0");
        }
        assertUnenforceable(SMALL.cpuset(CpuList.parse("0-8191")), "cpuset-cpus");
        assertUnenforceable(SMALL.memoryNodes(CpuList.parse("77")), "cpuset-mems");
    }

    @Test
    void the_cpus_of_a_list_can_be_given_to_a_group_that_is_used() throws Exception {
        assumeTrue(hierarchy.controllerNames().contains("cpuset"), "this kernel has no cpuset controller");
        assumeTrue(hierarchy.world() != World.V2, "version 2 gives a group of controllers what it asked for at first");
        Cgroup cgroup = hierarchy.create(PARENT, "cpuset-later", SMALL);

        cgroup.update(SMALL.cpuset(CpuList.parse("0")), List.of());

        try (Inside inside = Inside.start(cgroup, "grep Cpus_allowed_list: /proc/self/status")) {
            assertThat(inside.line()).isEqualTo("Cpus_allowed_list:\t0");
        }
    }

    @Test
    void waiting_is_counted() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "pressure", SMALL.cpus("0.1"));
        assumeTrue(cgroup.usage().pressure().isPresent(), "this kernel does not measure pressure");

        try (Inside _ = Inside.start(cgroup, "while :; do :; done")) {
            TimeUnit.MILLISECONDS.sleep(500);
            Pressure cpu = cgroup.usage().pressure().orElseThrow().cpu();

            assertThat(cpu.some().total()).isGreaterThan(Duration.ofMillis(50));
            cgroup.kill();
        }
    }

    @Test
    void bounds_huge_pages() {
        Limits limits = SMALL.hugePages(Map.of("2MB", Bytes.mebibytes(4)));
        if (!hierarchy.controllerNames().contains("hugetlb")) {
            assertUnenforceable(limits, "hugetlb");
            return;
        }

        Cgroup cgroup = hierarchy.create(PARENT, "huge", limits);

        Tree tree = requireNonNull(hierarchy.controllers().tree("hugetlb"));
        String file = tree.isUnified() ? "max" : "limit_in_bytes";
        assertThat(tree.read(cgroup.path(), "hugetlb.2MB." + file)).isEqualTo("4194304");
        assertThat(tree.read(cgroup.path(), "hugetlb.2MB.rsvd." + file)).isEqualTo("4194304");
        assertUnenforceable(SMALL.hugePages(Map.of("3MB", Bytes.ZERO)), "hugetlb");
    }

    @Test
    void huge_pages_that_the_host_keeps_are_for_nobody_who_did_not_ask() throws IOException {
        Path more = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages");
        assumeTrue(hierarchy.controllerNames().contains("hugetlb"));
        String before = Files.readString(more);
        Files.writeString(more, "1");
        try (Hierarchy found = Hierarchy.detect()) {
            Tree tree = requireNonNull(found.controllers().tree("hugetlb"));
            String file = tree.isUnified() ? "max" : "limit_in_bytes";

            Cgroup none = found.create(PARENT, "no-huge", SMALL);
            Cgroup some = found.create(PARENT, "some-huge", SMALL.hugePages(Map.of("2MB", Bytes.mebibytes(4))));

            assertThat(tree.read(none.path(), "hugetlb.2MB." + file)).isEqualTo("0");
            assertThat(tree.read(none.path(), "hugetlb.2MB.rsvd." + file)).isEqualTo("0");
            assertThat(tree.read(some.path(), "hugetlb.2MB." + file)).isEqualTo("4194304");
        } finally {
            Files.writeString(more, before);
        }
    }

    @Test
    void reservation_and_swappiness_reach_the_kernel_of_version_1() {
        Limits limits =
                SMALL.memoryReservation(Bytes.mebibytes(8)).memorySwappiness(7).oomKillDisable(true);
        if (hierarchy.world() == World.V2) {
            assertUnenforceable(limits, "memory-swappiness");
            Cgroup cgroup = hierarchy.create(PARENT, "reserved", SMALL.memoryReservation(Bytes.mebibytes(8)));
            assertThat(hierarchy.trees().getFirst().read(cgroup.path(), "memory.low"))
                    .isEqualTo("8388608");
            return;
        }

        Cgroup cgroup = hierarchy.create(PARENT, "reserved", limits);

        Tree memory = requireNonNull(hierarchy.controllers().tree("memory"));
        assertThat(memory.read(cgroup.path(), "memory.soft_limit_in_bytes")).isEqualTo("8388608");
        assertThat(memory.read(cgroup.path(), "memory.swappiness")).isEqualTo("7");
        assertThat(memory.read(cgroup.path(), "memory.oom_control")).contains("oom_kill_disable 1");
    }

    @Test
    void a_weight_that_no_disk_looks_at_is_refused() throws IOException {
        Limits limits = SMALL.ioWeight(500);
        boolean used;
        try (Stream<Path> disks = Files.list(Path.of("/sys/block"))) {
            used = disks.map(disk -> disk.resolve("queue/scheduler")).anyMatch(EnforcementTest::hasBfq);
        }

        if (used) {
            assertThat(hierarchy.create(PARENT, "weight", limits).lacks()).isEmpty();
        } else {
            assertUnenforceable(limits, "blkio-weight");
        }
    }

    private static boolean hasBfq(Path scheduler) {
        try {
            return Files.exists(scheduler) && Files.readString(scheduler).contains("[bfq]");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void best_effort_tells_what_it_lacks() {
        Limits limits = SMALL.memoryNodes(CpuList.parse("77")).bestEffort(true);

        Cgroup cgroup = hierarchy.create(
                PARENT,
                "best",
                hierarchy.controllerNames().contains("cpuset")
                        ? SMALL.hugePages(Map.of("3MB", Bytes.ZERO)).bestEffort(true)
                        : limits);

        assertThat(cgroup.lacks()).isNotEmpty();
        assertThat(cgroup.effectiveLimits().memory().effective()).isEqualTo(Bytes.mebibytes(32));
    }

    @Test
    void best_effort_leaves_out_processors_that_are_not_there() {
        assumeTrue(hierarchy.controllerNames().contains("cpuset"), "this kernel has no cpuset controller");
        Limits limits = SMALL.cpuset(CpuList.parse("8191"));

        Cgroup cgroup = hierarchy.create(PARENT, "best-cpuset", limits.bestEffort(true));

        assertThat(cgroup.lacks()).extracting(Lack::limit).containsExactly("cpuset-cpus");
        assertThat(cgroup.settings(limits))
                .extracting(KernelSetting::limit)
                .contains("memory")
                .doesNotContain("cpuset-cpus");
        assertThat(cgroup.effectiveLimits().memory().effective()).isEqualTo(Bytes.mebibytes(32));
        assertThatThrownBy(() -> hierarchy.create(PARENT, "strict-cpuset", limits))
                .isInstanceOf(CgroupException.class)
                .hasMessageContaining("cpuset-cpus cannot be enforced here");
    }

    @Test
    void limits_change_while_the_group_is_used() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "update", SMALL.cpus("0.5").cpuShares(2048));
        try (Inside sleeper = Inside.start(cgroup, "echo up; exec sleep 100")) {
            assertThat(sleeper.line()).isEqualTo("up");

            cgroup.update(
                    SMALL.memory(Bytes.mebibytes(64))
                            .memorySwap(Bytes.mebibytes(128))
                            .pids(40),
                    List.of());
            EffectiveLimits more = cgroup.effectiveLimits();
            cgroup.update(SMALL.memory(Bytes.mebibytes(16)).cpus("1.5"), List.of());
            EffectiveLimits less = cgroup.effectiveLimits();
            cgroup.update(Limits.unlimited(), List.of());
            EffectiveLimits none = cgroup.effectiveLimits();

            assertThat(more.memory().own()).isEqualTo(Bytes.mebibytes(64));
            assertThat(more.memoryAndSwap().own()).isEqualTo(Bytes.mebibytes(128));
            assertThat(more.pids().own()).isEqualTo(40);
            assertThat(more.cpuQuota().own()).isEmpty();
            assertThat(less.memory().own()).isEqualTo(Bytes.mebibytes(16));
            assertThat(less.memoryAndSwap().own()).isEqualTo(Bytes.mebibytes(16));
            assertThat(less.cpuQuota().own()).contains(CpuQuota.cpus("1.5"));
            assertThat(none.memory().own()).isEqualTo(Bytes.UNLIMITED);
            assertThat(none.memoryAndSwap().own()).isEqualTo(Bytes.UNLIMITED);
            assertThat(none.pids().own()).isEqualTo(Limits.UNLIMITED_PIDS);
            assertThat(sleeper.isAlive()).isTrue();
        }
    }

    private void assertUnenforceable(Limits limits, String name) {
        assertThatExceptionOfType(CgroupException.class)
                .isThrownBy(() -> hierarchy.create(PARENT, "refused", limits))
                .withMessageContaining("the limit " + name + " cannot be enforced here")
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.UNENFORCEABLE));
        assertThat(hierarchy.find(PARENT, "refused")).isEmpty();
    }
}
