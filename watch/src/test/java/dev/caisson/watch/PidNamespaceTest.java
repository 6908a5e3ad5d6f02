package dev.caisson.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.caisson.seccomp.Profile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class PidNamespaceTest {
    @Test
    void the_first_one_is_known_by_its_number() throws Exception {
        assertThat(new PidNamespace(4, 4_026_531_836L).isInitial()).isTrue();
        assertThat(new PidNamespace(4, 4_026_531_840L).isInitial()).isFalse();
        assertThat(Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString())
                .isEqualTo("pid:[" + PidNamespace.ofThisProcess().inode() + "]");
    }

    @Test
    @Tag("root")
    void no_watch_is_begun_where_numbers_of_processes_mean_others() {
        assumeFalse(PidNamespace.ofThisProcess().isInitial(), "the tests run on the host");
        int other = (int) ProcessHandle.current().pid();
        var reasons = DenialReasons.of("standard", Profile.standard(), other);

        assertThatThrownBy(() -> DenialWatch.of(other, reasons))
                .isInstanceOfSatisfying(
                        WatchException.class, e -> assertThat(e.code()).isEqualTo("WATCH_REFUSED"))
                .hasMessageContaining("pid namespace of its own");
    }

    @Test
    void a_process_that_is_not_there_or_not_to_be_looked_at_is_told() {
        assertThatThrownBy(() -> PidNamespace.of(Integer.MAX_VALUE))
                .isInstanceOfSatisfying(
                        WatchException.class, e -> assertThat(e.code()).isEqualTo("CONTAINER_ENDED"));
        // some machines keep even root from looking at process 1
        for (int pid : new int[] {1, 2}) {
            try {
                assertThat(PidNamespace.of(pid).inode()).isPositive();
            } catch (WatchException e) {
                assertThat(e.code()).isIn("PROCESS_UNREADABLE", "CONTAINER_ENDED");
            }
        }
    }
}
