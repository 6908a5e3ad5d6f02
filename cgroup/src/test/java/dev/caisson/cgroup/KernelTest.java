package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.Limits;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/// Tests on the real kernel, whichever version of control groups it has, in a parent group of their own.
@Tag("root")
@Timeout(120)
abstract class KernelTest {
    static final String PARENT = "caisson-test-" + ProcessHandle.current().pid();
    static final Limits SMALL = Limits.defaults().memory(Bytes.mebibytes(32)).pids(20);

    final Hierarchy hierarchy = Hierarchy.detect();

    @BeforeEach
    void startClean() {
        assertThat(hierarchy.leftovers(PARENT)).isEmpty();
    }

    @AfterEach
    void leaveNothing() {
        hierarchy.removeStale(PARENT, _ -> true);
        hierarchy.removeParent(PARENT);
        for (Tree tree : hierarchy.trees()) {
            assertThat(tree.path().resolve(PARENT)).doesNotExist();
        }
        hierarchy.close();
    }
}
