package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.SeccompChoice;
import org.junit.jupiter.api.Test;

/// CVE-2022-0492: a control group hierarchy that the container can write, or mount anew, and whose release_agent the
/// host then runs.
class Cve2022_0492Test extends BusyboxEngine {
    private static final String STEPS = """
            find /sys/fs/cgroup -name release_agent
            find /sys/fs/cgroup -type f | while read -r file; do
              (echo 0 > "$file") 2>/dev/null && echo "written $file"
            done
            find /sys/fs/cgroup -type d | while read -r group; do
              mkdir "$group/child" 2>/dev/null && echo "made $group/child"
            done
            mkdir /tmp/group
            for controller in memory rdma cpu pids; do
              mount -t cgroup -o "$controller" none /tmp/group 2>/dev/null && echo "mounted $controller"
            done
            mount -t cgroup2 none /tmp/group 2>/dev/null && echo mounted
            mount -o remount,rw /sys/fs/cgroup 2>/dev/null && echo remounted
            unshare -UrmC true 2>/dev/null && echo unshared
            find /sys/fs/cgroup -type f | wc -l
            """;

    @Test
    void no_group_is_writable_and_none_can_be_mounted() throws Exception {
        assertNothingDone(shell(STEPS));
    }

    @Test
    void not_even_without_a_filter() throws Exception {
        assertNothingDone(engine.run(busybox("sh", "-c", STEPS)
                .allow(Allowance.UNCONFINED_SECCOMP)
                .seccomp(new SeccompChoice.Unconfined())));
    }

    /// The only line is the number of files that were tried.
    private static void assertNothingDone(RunResult result) {
        assertThat(result.stdout().strip()).matches("[1-9][0-9]*");
    }
}
