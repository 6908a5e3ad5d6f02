package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// CVE-2022-29162: inheritable capabilities that are not empty let a program with file capabilities gain them.
class Cve2022_29162Test extends BusyboxEngine {
    private static final String NONE = "0000000000000000";

    @Test
    void inheritable_and_ambient_sets_are_empty_for_root_and_for_a_user() throws Exception {
        for (String user : new String[] {"0", "1000:1000"}) {
            for (boolean init : new boolean[] {true, false}) {
                RunResult result = engine.run(
                        busybox("sh", "-c", "grep -hE '^Cap(Inh|Amb):' /proc/self/status /proc/1/status; id -u")
                                .user(user)
                                .init(init));

                assertThat(result.stdout())
                        .isEqualTo(("CapInh:\t" + NONE + "\nCapAmb:\t" + NONE + "\n").repeat(2) + user.split(":", -1)[0]
                                + "\n");
            }
        }
    }

    @Test
    void a_user_has_no_effective_capability() throws Exception {
        RunResult result = engine.run(
                busybox("grep", "-E", "^Cap(Eff|Prm):", "/proc/self/status").user("1000"));

        assertThat(result.stdout()).isEqualTo("CapPrm:\t" + NONE + "\nCapEff:\t" + NONE + "\n");
    }
}
