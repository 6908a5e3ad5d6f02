package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.cgroup.CgroupException.Code;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A group that the kernel does not remove: something is mounted on its directory.
class StuckGroupTest extends KernelTest {
    @TempDir
    private Path empty;

    private static void run(String... command) throws Exception {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor())
                .as(String.join(" ", command))
                .isZero();
    }

    /// Does `act` while a group cannot be removed from the first of its trees.
    private void whileStuck(Cgroup group, Runnable act) throws Exception {
        Path place = group.trees().getFirst().path().resolve(group.path());
        run("mount", "--bind", empty.toString(), place.toString());
        try {
            act.run();
        } finally {
            run("umount", place.toString());
        }
    }

    @Test
    void keeps_no_other_group_from_being_removed() throws Exception {
        hierarchy.create(PARENT, "a", SMALL);
        Cgroup stuck = hierarchy.create(PARENT, "b", SMALL);
        hierarchy.create(PARENT, "c", SMALL);
        hierarchy.create(PARENT, "d", SMALL);

        whileStuck(stuck, () -> {
            assertThatExceptionOfType(CgroupException.class)
                    .isThrownBy(() -> hierarchy.removeStale(PARENT, name -> !name.equals("d")))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.BUSY));
            assertThat(hierarchy.leftovers(PARENT)).containsExactly("b", "d");
        });

        assertThat(hierarchy.removeStale(PARENT, _ -> true)).containsExactly("b", "d");
    }

    @Test
    void is_removed_from_the_other_trees() throws Exception {
        Cgroup stuck = hierarchy.create(PARENT, "stuck", SMALL);

        whileStuck(stuck, () -> {
            assertThatExceptionOfType(CgroupException.class).isThrownBy(() -> stuck.remove(Duration.ZERO));
            for (Tree other : stuck.trees().subList(1, stuck.trees().size())) {
                assertThat(other.exists(stuck.path()))
                        .as(other.path().toString())
                        .isFalse();
            }
        });

        stuck.remove();
        assertThat(hierarchy.leftovers(PARENT)).isEmpty();
    }
}
