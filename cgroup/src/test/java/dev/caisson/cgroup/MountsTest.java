package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Mounts.Mount;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MountsTest {

    @Test
    void finds_the_trees_of_a_hybrid_host() {
        assertThat(Mounts.parse("""
                        23 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
                        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
                        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:3 - cgroup cgroup rw,cpu,cpuacct
                        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
                        40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
                        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
                        """))
                .containsExactly(
                        new Mount("/sys/fs/cgroup/cpu,cpuacct", false, Set.of("cpu", "cpuacct")),
                        new Mount("/sys/fs/cgroup/memory", false, Set.of("memory")),
                        new Mount("/sys/fs/cgroup/unified", true, Set.of()));
    }

    @Test
    void reads_mount_points_with_spaces() {
        assertThat(Mounts.parse("41 31 0:38 / /mnt/a\\040b\\134c rw - cgroup2 none rw\n"))
                .containsExactly(new Mount("/mnt/a b\\c", true, Set.of()));
    }

    @Test
    void passes_over_lines_that_are_cut_short() {
        assertThat(Mounts.parse("41 31 0:38\n\n41 - cgroup2 none rw\n41 31 0:38 / /mnt rw - cgroup2\n"))
                .isEmpty();
    }
}
