package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.InRootPath;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The control groups that a container sees, on hosts of each version.
class CgroupViewTest {
    private static List<String> targets(CgroupView view) {
        return view.mounts().stream()
                .map(step -> ((Step.MountFileSystem) step).target().absolute())
                .toList();
    }

    @Test
    void version_2_is_one_tree_without_links() {
        var view = new CgroupView(List.of(KernelFileSystem.CGROUP2));

        assertThat(targets(view)).containsExactly("/sys/fs/cgroup");
        assertThat(view.links()).isEmpty();
        assertThat(view.protections()).isEmpty();
    }

    @Test
    void a_host_without_trees_has_no_directory_for_them() {
        var view = new CgroupView(List.of());

        assertThat(view.mounts()).isEmpty();
        assertThat(view.links()).isEmpty();
        assertThat(view.protections()).isEmpty();
    }

    @Test
    void a_tree_of_two_controllers_has_a_link_for_each() {
        var view = new CgroupView(List.of(KernelFileSystem.CGROUP1_MEMORY, KernelFileSystem.CGROUP1_CPU_CPUACCT));

        assertThat(targets(view))
                .containsExactly("/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu,cpuacct");
        assertThat(view.links())
                .containsExactly(
                        new Step.MakeSymbolicLink("cpu,cpuacct", InRootPath.of("sys/fs/cgroup/cpu")),
                        new Step.MakeSymbolicLink("cpu,cpuacct", InRootPath.of("sys/fs/cgroup/cpuacct")));
        assertThat(view.protections()).containsExactly(new Step.MakeReadOnly(InRootPath.of("sys/fs/cgroup")));
        assertThat(Samples.plan(Samples.spec(), Samples.host().withCgroups(view.trees(), List.of()))
                        .steps())
                .containsAll(view.links())
                .containsAll(view.mounts())
                .containsAll(view.protections());
    }
}
