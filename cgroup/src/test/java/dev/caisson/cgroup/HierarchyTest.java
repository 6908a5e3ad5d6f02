package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.cgroup.Hierarchy.World;
import dev.caisson.cgroup.Mounts.Mount;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.CpuQuota;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HierarchyTest {
    private static final Limits SOME = Limits.defaults()
            .memory(Bytes.mebibytes(64))
            .memorySwap(Bytes.mebibytes(96))
            .cpus("1.5")
            .cpuShares(2000)
            .pids(50);

    @TempDir
    Path root;

    @Test
    void what_the_kernel_refuses_is_told_with_its_error_and_undone() {
        try (Hierarchy hierarchy = FakeTrees.v2(root)) {
            assertThat(root.resolve("unified/scope").toFile().mkdir()).isTrue();

            // these files are ordinary ones, and a new directory has none
            assertThatExceptionOfType(CgroupException.class)
                    .isThrownBy(() -> hierarchy.adopt("scope", "engine", 1))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.KERNEL_REFUSED))
                    .satisfies(e -> assertThat(e.sentence()).contains("process 1", "ENOENT"));
            assertThat(root.resolve("unified/scope/engine")).doesNotExist();
        }
    }

    @Test
    void writes_limits_in_the_files_of_version_1() {
        try (Hierarchy hierarchy = FakeTrees.hybrid(root)) {
            assertThat(hierarchy.world()).isEqualTo(World.HYBRID);
            assertThat(written(hierarchy, SOME))
                    .containsExactly(
                            "memory.limit_in_bytes 67108864",
                            "memory.memsw.limit_in_bytes 100663296",
                            "cpu.shares 2000",
                            "cpu.cfs_period_us 100000",
                            "cpu.cfs_quota_us 150000",
                            "pids.max 50");
        }
    }

    @Test
    void writes_limits_in_the_files_of_version_2() {
        try (Hierarchy hierarchy = FakeTrees.v2(root, "memory", "cpu", "pids")) {
            assertThat(hierarchy.world()).isEqualTo(World.V2);
            assertThat(written(hierarchy, SOME))
                    .containsExactly(
                            "memory.max 67108864",
                            "memory.swap.max 33554432",
                            "cpu.weight 170",
                            "cpu.max 150000 100000",
                            "pids.max 50");
        }
    }

    private static List<String> written(Hierarchy hierarchy, Limits limits) {
        return hierarchy.controllers().settings(limits, "caisson").stream()
                .filter(setting -> !setting.isInitial())
                .map(setting -> setting.file() + " " + setting.value())
                .toList();
    }

    @Test
    void writes_nothing_for_limits_that_are_the_kernels_own() {
        try (Hierarchy hierarchy = FakeTrees.v2(root, "memory", "cpu", "pids")) {
            assertThat(written(hierarchy, Limits.unlimited())).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"2, 1", "1024, 100", "2000, 170", "262144, 10000", "512, 59", "4096, 303"})
    void weighs_shares_as_the_oci_runtimes_do(int shares, int weight) {
        assertThat(CpuController.V2.weight(shares)).isEqualTo(weight);
    }

    @Test
    void never_weighs_more_shares_less() {
        int before = 0;
        for (int shares = 2; shares <= 262_144; shares++) {
            int weight = CpuController.V2.weight(shares);
            assertThat(weight).isBetween(Math.max(1, before), 10_000);
            before = weight;
        }
    }

    @Test
    void refuses_by_name_what_it_has_no_controller_for() {
        try (Hierarchy hierarchy = FakeTrees.v2(root, "cpu")) {
            assertUnenforceable(hierarchy, Limits.defaults(), "memory");
            assertUnenforceable(hierarchy, Limits.unlimited().pids(5), "pids");
            hierarchy.check(Limits.unlimited(), "caisson");
        }
        try (Hierarchy hierarchy = FakeTrees.v2(root, "memory", "pids")) {
            assertUnenforceable(hierarchy, Limits.defaults().cpus("1"), "cpus");
            hierarchy.check(Limits.defaults(), "caisson");
        }
    }

    @Test
    void refuses_no_swap_without_a_memory_limit_in_version_1() {
        try (Hierarchy hierarchy = FakeTrees.hybrid(root)) {
            assertUnenforceable(hierarchy, Limits.defaults().memory(Bytes.UNLIMITED), "memory-swap");
        }
    }

    private static void assertUnenforceable(Hierarchy hierarchy, Limits limits, String name) {
        assertThatExceptionOfType(CgroupException.class)
                .isThrownBy(() -> hierarchy.create("caisson", "x", limits))
                .withMessageContaining("the limit " + name + " cannot be enforced here")
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.UNENFORCEABLE));
        assertThat(hierarchy.find("caisson", "x")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a/b", "../x", "-x", ".x", "a b", "a\0", "a\n", "ä"})
    void refuses_names_that_mean_something_else(String name) {
        try (Hierarchy hierarchy = FakeTrees.v2(root, "memory", "cpu", "pids")) {
            assertThatExceptionOfType(CgroupException.class)
                    .isThrownBy(() -> hierarchy.create("caisson", name, Limits.defaults()))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.BAD_NAME));
            assertThatExceptionOfType(CgroupException.class)
                    .isThrownBy(() -> hierarchy.leftovers("caisson/../" + name))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.BAD_NAME));
        }
    }

    @Test
    void takes_nothing_for_a_control_group_that_is_none() {
        assertThatExceptionOfType(CgroupException.class)
                .isThrownBy(() -> Hierarchy.of(List.of(
                        new Mount(root.toString(), true, Set.of()),
                        new Mount(root.toString(), false, Set.of("memory")),
                        new Mount("/nowhere", true, Set.of()))))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.NOT_MOUNTED));
    }

    @Test
    void leaves_nothing_when_a_limit_cannot_be_set() throws IOException {
        Files.createDirectories(root.resolve("unified/caisson")); // ordinary directories have no pids.max
        FakeTrees.fill(
                root.resolve("unified"),
                Map.of("cgroup.controllers", "memory cpu pids", "cgroup.subtree_control", "memory cpu pids"));
        FakeTrees.fill(
                root.resolve("unified/caisson"),
                Map.of("cgroup.controllers", "memory cpu pids", "cgroup.subtree_control", "memory cpu pids"));
        try (Hierarchy hierarchy = FakeTrees.v2(root, "memory", "cpu", "pids")) {
            assertThatExceptionOfType(CgroupException.class)
                    .isThrownBy(() -> hierarchy.create("caisson", "x", Limits.defaults()))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.UNENFORCEABLE))
                    .withMessageContaining("memory.max");
            assertThat(root.resolve("unified/caisson/x")).doesNotExist();
        }
    }

    @Test
    void tells_the_same_usage_of_both_versions() throws IOException {
        var group = "caisson/x";
        FakeTrees.fill(
                root.resolve("memory").resolve(group),
                Map.of(
                        "memory.usage_in_bytes", "40960\n",
                        "memory.max_usage_in_bytes", "81920\n",
                        "memory.limit_in_bytes", "67108864\n",
                        "memory.stat", "cache 1\ntotal_cache 12288\ntotal_rss 20480\ntotal_inactive_file 8192\n",
                        "memory.kmem.usage_in_bytes", "4096\n",
                        "memory.failcnt", "7\n",
                        "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"));
        FakeTrees.fill(
                root.resolve("cpu,cpuacct").resolve(group),
                Map.of("cpu.stat", "nr_periods 10\nnr_throttled 4\nthrottled_time 5000000\n"));
        Map<String, String> pids = Map.of("pids.current", "5\n", "pids.max", "50\n", "pids.events", "max 2\n");
        FakeTrees.fill(root.resolve("pids").resolve(group), pids);
        FakeTrees.fill(
                root.resolve("unified").resolve(group),
                Map.of("cgroup.procs", "", "cpu.stat", "usage_usec 30\nuser_usec 20\nsystem_usec 10\n"));
        Path two = root.resolve("two");
        FakeTrees.fill(two.resolve("unified").resolve(group), pids);
        FakeTrees.fill(
                two.resolve("unified").resolve(group),
                Map.of(
                        "memory.current", "40960\n",
                        "memory.peak", "81920\n",
                        "memory.max", "67108864\n",
                        "memory.stat", "anon 20480\nfile 12288\nkernel 4096\nactive_file 4096\ninactive_file 8192\n",
                        "memory.events", "low 0\nhigh 0\nmax 7\noom 3\noom_kill 3\noom_group_kill 0\n",
                        "cgroup.procs", "",
                        "cpu.stat", """
                                usage_usec 30
                                user_usec 20
                                system_usec 10
                                nr_periods 10
                                nr_throttled 4
                                throttled_usec 5000
                                """));
        try (Hierarchy hybrid = FakeTrees.hybrid(root);
                Hierarchy v2 = FakeTrees.v2(two, "memory", "cpu", "pids")) {
            Cgroup first = hybrid.find("caisson", "x").orElseThrow();
            Cgroup second = v2.find("caisson", "x").orElseThrow();

            assertThat(first.usage()).isEqualTo(second.usage());
            assertThat(first.events()).isEqualTo(second.events()).isEqualTo(new Events(3, 2));
            assertThat(first.usage().memory().orElseThrow().workingSet()).isEqualTo(Bytes.of(32768));
            assertThat(first.usage().memory().orElseThrow().kernel()).contains(Bytes.of(4096));
            assertThat(first.usage().memory().orElseThrow().slab()).isEmpty();

            FakeTrees.fill(
                    two.resolve("unified").resolve(group), Map.of("memory.stat", "kernel 4096\nslab 2048\nslabs 1\n"));
            assertThat(second.usage().memory().orElseThrow().slab()).contains(Bytes.of(2048));
            assertThat(first.usage().cpu().throttling().throttledTime()).isEqualTo(Duration.ofMillis(5));
        }
    }

    @Test
    void a_stricter_group_above_is_the_limit() throws IOException {
        FakeTrees.fill(root.resolve("unified/caisson"), Map.of("memory.max", "1048576\n", "pids.max", "max\n"));
        FakeTrees.fill(
                root.resolve("unified/caisson/x"),
                Map.of(
                        "cgroup.procs", "",
                        "memory.max", "67108864\n",
                        "memory.swap.max", "0\n",
                        "cpu.max", "50000 100000\n",
                        "pids.max", "50\n"));
        try (Hierarchy hierarchy = FakeTrees.v2(root, "memory", "cpu", "pids")) {
            EffectiveLimits limits =
                    hierarchy.find("caisson", "x").orElseThrow().effectiveLimits();

            assertThat(limits.memory().own()).isEqualTo(Bytes.mebibytes(64));
            assertThat(limits.memory().effective()).isEqualTo(Bytes.mebibytes(1));
            assertThat(limits.memory().holder())
                    .isEqualTo(root.resolve("unified/caisson").toString());
            assertThat(limits.memory().isLoweredByAncestor()).isTrue();
            assertThat(limits.pids().effective()).isEqualTo(50);
            assertThat(limits.pids().isLoweredByAncestor()).isFalse();
            assertThat(limits.cpuQuota().effective()).contains(new CpuQuota(50_000, 100_000));
        }
    }

    @Test
    void a_group_that_is_gone_is_said_to_be() throws IOException {
        FakeTrees.fill(root.resolve("unified/caisson/x"), Map.of("cgroup.procs", ""));
        try (Hierarchy hierarchy = FakeTrees.v2(root, "memory", "cpu", "pids")) {
            Cgroup cgroup = hierarchy.find("caisson", "x").orElseThrow();

            assertThatExceptionOfType(CgroupException.class)
                    .isThrownBy(cgroup::usage)
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.NO_SUCH_GROUP));
        }
    }
}
