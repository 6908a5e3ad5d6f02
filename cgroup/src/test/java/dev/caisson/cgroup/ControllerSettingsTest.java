package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.BlockDevice;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.CpuList;
import dev.caisson.spec.IoLimit;
import dev.caisson.spec.IoWeight;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Tests exactly what each controller writes for each limit, and when a limit needs it.
class ControllerSettingsTest {
    private static final Limits NONE = Limits.unlimited();
    private static final BlockDevice DISK = BlockDevice.parse("8:0");

    @TempDir
    private Path root;

    private Tree tree;
    private Tree unified;

    @BeforeEach
    void makeTrees() throws IOException {
        tree = Tree.at(Files.createDirectories(root.resolve("v1")), false, Set.of("any"));
        unified = Tree.at(Files.createDirectories(root.resolve("v2")), true, Set.of("any"));
    }

    /// Returns texts of the form `limit file=value`, with a star if a new group has the value already.
    private static List<String> settings(Controller controller, Limits limits) {
        return controller.settings(limits, "").stream()
                .map(setting -> setting.written() + (setting.isInitial() ? " *" : ""))
                .toList();
    }

    private static List<String> lacks(Controller controller, Limits limits, String parent) {
        return controller.lacks(limits, parent).stream().map(Lack::limit).toList();
    }

    @Test
    void memory_of_version_1() {
        var memory = new MemoryController.V1(tree, true);

        assertThat(settings(memory, NONE.memory(Bytes.mebibytes(64)).memorySwap(Bytes.mebibytes(80))))
                .containsExactly(
                        "memory memory.limit_in_bytes=67108864",
                        "memory memory.kmem.tcp.limit_in_bytes=8388608",
                        "memory-swap memory.memsw.limit_in_bytes=83886080");
        assertThat(settings(new MemoryController.V1(tree, false), NONE))
                .containsExactly("memory memory.limit_in_bytes=-1 *", "memory-swap memory.memsw.limit_in_bytes=-1 *");
        assertThat(settings(
                        memory,
                        NONE.memoryReservation(Bytes.mebibytes(8))
                                .memorySwappiness(7)
                                .oomKillDisable(true)))
                .contains(
                        "memory-reservation memory.soft_limit_in_bytes=8388608",
                        "memory-swappiness memory.swappiness=7",
                        "oom-kill-disable memory.oom_control=1");
    }

    @ParameterizedTest
    @CsvSource({"16777216, 4194304", "33554432, 4194304", "33554440, 4194305", "1073741824, 134217728"})
    void sockets_get_an_eighth_of_the_memory_beside_it_and_4_mebibytes_at_least(long bytes, long sockets) {
        assertThat(settings(new MemoryController.V1(tree, true), NONE.memory(Bytes.of(bytes))))
                .contains("memory memory.kmem.tcp.limit_in_bytes=" + sockets);
        assertThat(settings(new MemoryController.V1(tree, true), NONE))
                .contains("memory memory.kmem.tcp.limit_in_bytes=-1 *");
    }

    @Test
    void memory_of_version_2() {
        var memory = new MemoryController.V2(unified);

        assertThat(settings(
                        memory,
                        NONE.memory(Bytes.mebibytes(64))
                                .memorySwap(Bytes.mebibytes(80))
                                .memoryReservation(Bytes.mebibytes(8))))
                .containsExactly(
                        "memory memory.max=67108864",
                        "memory-swap memory.swap.max=16777216",
                        "memory-reservation memory.low=8388608");
        assertThat(settings(memory, NONE))
                .containsExactly("memory memory.max=max *", "memory-swap memory.swap.max=max *");
    }

    @Test
    void what_a_version_of_memory_cannot_do_is_named() {
        var one = new MemoryController.V1(tree, true);
        var two = new MemoryController.V2(unified);
        Limits noSwap = NONE.memorySwap(Bytes.mebibytes(64)).memory(Bytes.mebibytes(64));

        assertThat(lacks(one, noSwap.memory(Bytes.UNLIMITED).memorySwap(Bytes.UNLIMITED), ""))
                .isEmpty();
        assertThat(lacks(one, Limits.defaults().memory(Bytes.UNLIMITED), "")).containsExactly("memory-swap");
        assertThat(lacks(one, noSwap.memorySwappiness(1).oomKillDisable(true), ""))
                .isEmpty();
        assertThat(lacks(two, Limits.defaults().memory(Bytes.UNLIMITED), "")).isEmpty();
        assertThat(lacks(two, NONE.memorySwappiness(1), "")).containsExactly("memory-swappiness");
        assertThat(lacks(two, NONE.oomKillDisable(true), "")).containsExactly("oom-kill-disable");
    }

    @Test
    void a_controller_is_needed_for_its_own_limits_alone() {
        assertThat(MemoryController.isNeeded(NONE)).isFalse();
        for (Limits limits : List.of(
                NONE.memory(Bytes.mebibytes(64)).memorySwap(Bytes.UNLIMITED),
                Limits.defaults().memory(Bytes.UNLIMITED),
                NONE.memoryReservation(Bytes.mebibytes(8)),
                NONE.memorySwappiness(0),
                NONE.oomKillDisable(true))) {
            assertThat(MemoryController.isNeeded(limits)).isTrue();
        }
        assertThat(CpuController.isNeeded(NONE)).isFalse();
        assertThat(CpuController.isNeeded(NONE.cpus("1"))).isTrue();
        assertThat(CpuController.isNeeded(NONE.cpuShares(2))).isTrue();
        assertThat(PidsController.isNeeded(NONE)).isFalse();
        assertThat(PidsController.isNeeded(NONE.pids(1))).isTrue();
        assertThat(CpusetController.isNeeded(NONE)).isFalse();
        assertThat(CpusetController.isNeeded(NONE.cpuset(CpuList.parse("0")))).isTrue();
        assertThat(CpusetController.isNeeded(NONE.memoryNodes(CpuList.parse("0"))))
                .isTrue();
        assertThat(IoController.isNeeded(NONE)).isFalse();
        assertThat(IoController.isNeeded(NONE.ioWeight(10))).isTrue();
        assertThat(IoController.isNeeded(NONE.ioWeights(List.of(new IoWeight(DISK, 10)))))
                .isTrue();
        assertThat(IoController.isNeeded(NONE.io(List.of(IoLimit.on(DISK).readBytes(1)))))
                .isTrue();
        assertThat(HugePageController.isNeeded(NONE)).isFalse();
        assertThat(HugePageController.isNeeded(NONE.hugePages(Map.of("2MB", Bytes.ZERO))))
                .isTrue();
        assertThat(new HugePageController(tree, List.of()).isUsed(NONE)).isFalse();
        assertThat(new HugePageController(tree, List.of("2MB")).isUsed(NONE)).isTrue();
    }

    @Test
    void processors_of_both_versions() {
        assertThat(settings(new CpuController.V1(tree), NONE.cpus("0.5").cpuShares(512)))
                .containsExactly(
                        "cpu-shares cpu.shares=512", "cpus cpu.cfs_period_us=100000", "cpus cpu.cfs_quota_us=50000");
        assertThat(settings(new CpuController.V1(tree), NONE))
                .containsExactly(
                        "cpu-shares cpu.shares=1024 *",
                        "cpus cpu.cfs_period_us=100000 *",
                        "cpus cpu.cfs_quota_us=-1 *");
        assertThat(settings(new CpuController.V2(unified), NONE.cpus("0.5").cpuShares(512)))
                .containsExactly("cpu-shares cpu.weight=59", "cpus cpu.max=50000 100000");
        assertThat(settings(new CpuController.V2(unified), NONE))
                .containsExactly("cpu-shares cpu.weight=100 *", "cpus cpu.max=max 100000 *");
    }

    @Test
    void processes_and_lists_of_processors() throws IOException {
        assertThat(settings(new PidsController(tree), NONE.pids(33))).containsExactly("pids pids.max=33");
        assertThat(settings(new PidsController(tree), NONE)).containsExactly("pids pids.max=max *");
        Limits lists = NONE.cpuset(CpuList.parse("0-1")).memoryNodes(CpuList.parse("0"));
        assertThat(settings(new CpusetController(tree), lists))
                .containsExactly("cpuset-cpus cpuset.cpus=0-1", "cpuset-mems cpuset.mems=0");
        assertThat(settings(new CpusetController(tree), NONE)).isEmpty();
    }

    @Test
    void a_list_is_held_against_what_the_nearest_group_above_has() throws IOException {
        for (Tree each : List.of(tree, unified)) {
            boolean two = each.isUnified();
            FakeTrees.fill(
                    each.path(),
                    Map.of(
                            two ? "cpuset.cpus.effective" : "cpuset.effective_cpus", "0-7",
                            two ? "cpuset.mems.effective" : "cpuset.effective_mems", "0-1"));
            FakeTrees.fill(
                    each.path().resolve("a"), Map.of(two ? "cpuset.cpus.effective" : "cpuset.effective_cpus", "0-3"));
            FakeTrees.fill(
                    each.path().resolve("a/b"), Map.of(two ? "cpuset.cpus.effective" : "cpuset.effective_cpus", ""));
            var controller = new CpusetController(each);

            assertThat(lacks(controller, NONE.cpuset(CpuList.parse("3")), "a/b/c"))
                    .isEmpty();
            assertThat(lacks(controller, NONE.cpuset(CpuList.parse("4")), "a/b/c"))
                    .containsExactly("cpuset-cpus");
            assertThat(lacks(controller, NONE.cpuset(CpuList.parse("4")), "x")).isEmpty();
            assertThat(lacks(controller, NONE.memoryNodes(CpuList.parse("1")), "a"))
                    .isEmpty();
            assertThat(lacks(controller, NONE.memoryNodes(CpuList.parse("2")), "a"))
                    .containsExactly("cpuset-mems");
        }
        assertThat(lacks(
                        new CpusetController(Tree.at(Files.createDirectory(root.resolve("empty")), true, Set.of())),
                        NONE.cpuset(CpuList.parse("0")),
                        "a"))
                .containsExactly("cpuset-cpus");
    }

    @Test
    void disks_of_both_versions() {
        Limits limits = NONE.io(List.of(IoLimit.on(DISK).readBytes(1).writeOperations(4)));
        Limits others = NONE.io(List.of(IoLimit.on(DISK).writeBytes(2).readOperations(3)));

        assertThat(settings(new IoController.V1(tree), limits))
                .containsExactly(
                        IoController.NAME + " blkio.throttle.read_bps_device=8:0 1",
                        IoController.NAME + " blkio.throttle.write_iops_device=8:0 4");
        assertThat(settings(new IoController.V1(tree), others))
                .containsExactly(
                        IoController.NAME + " blkio.throttle.write_bps_device=8:0 2",
                        IoController.NAME + " blkio.throttle.read_iops_device=8:0 3");
        assertThat(settings(new IoController.V2(unified), limits))
                .containsExactly(IoController.NAME + " io.max=8:0 rbps=1 wbps=max riops=max wiops=4");
        assertThat(settings(new IoController.V2(unified), others))
                .containsExactly(IoController.NAME + " io.max=8:0 rbps=max wbps=2 riops=3 wiops=max");
        assertThat(IoController.V2.spread(10)).isEqualTo(1);
        assertThat(IoController.V2.spread(1000)).isEqualTo(10_000);
        assertThat(IoController.V2.spread(505)).isEqualTo(5000);
    }

    @Test
    void huge_pages_that_the_host_keeps_are_none_unless_asked_for() {
        Limits some = NONE.hugePages(Map.of("2MB", Bytes.mebibytes(4)));

        assertThat(settings(new HugePageController(tree, List.of("1GB", "2MB")), some))
                .containsExactly(
                        "hugetlb hugetlb.1GB.limit_in_bytes=0",
                        "hugetlb hugetlb.1GB.rsvd.limit_in_bytes=0",
                        "hugetlb hugetlb.2MB.limit_in_bytes=4194304",
                        "hugetlb hugetlb.2MB.rsvd.limit_in_bytes=4194304");
        assertThat(settings(new HugePageController(unified, List.of()), some))
                .containsExactly("hugetlb hugetlb.2MB.max=4194304", "hugetlb hugetlb.2MB.rsvd.max=4194304");
    }
}
