package dev.caisson.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Compiler;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.seccomp.Target;
import java.util.List;
import org.junit.jupiter.api.Test;

class LiveFiltersTest {
    private static final SeccompData MKDIR = SeccompData.of(Architecture.X86_64, 83);

    /// As `seccomp_run_filters` of `kernel/seccomp.c`, which begins with the newest.
    @Test
    void the_strictest_answer_holds_and_of_equal_ones_the_newest_filters() {
        Filter first = denying("SCMP_ACT_ERRNO", 1);
        Filter second = denying("SCMP_ACT_ERRNO", 2);

        assertThat(new LiveFilters(1, List.of(first, second)).decide(MKDIR)).isEqualTo(Action.errno(2));
        assertThat(new LiveFilters(1, List.of(second, first)).deciding(MKDIR)).contains(first);
        assertThat(new LiveFilters(1, List.of(denying("SCMP_ACT_TRAP", 0), second)).decide(MKDIR))
                .isEqualTo(Action.TRAP);
        assertThat(new LiveFilters(1, List.of()).decide(MKDIR)).isEqualTo(Action.ALLOW);
    }

    private static Filter denying(String action, int errno) {
        Profile profile = Profile.parse(
                """
                {"defaultAction": "SCMP_ACT_ALLOW",
                 "syscalls": [{"names": ["mkdir"], "action": "ACTION" RETURNS}]}""".replace("ACTION", action).replace("RETURNS", errno == 0 ? "" : ", \"errnoRet\": " + errno));
        return Compiler.compile(profile, new Target(Architecture.X86_64, KernelVersion.parse("6.12"), 0L));
    }
}
