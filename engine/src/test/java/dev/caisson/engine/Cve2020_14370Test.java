package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// CVE-2020-14370: variables of one container arrive in the next.
class Cve2020_14370Test extends BusyboxEngine {
    @Test
    void a_container_has_its_own_variables_and_no_others() throws Exception {
        RunResult first = engine.run(busybox("env").environment("FIRST_SECRET", "1"));
        RunResult second = engine.run(busybox("env").environment("SECOND_SECRET", "2"));
        RunResult third = engine.run(busybox("env"));

        assertThat(names(first)).containsExactlyInAnyOrder("PATH", "HOSTNAME", "HOME", "FIRST_SECRET");
        assertThat(names(second)).containsExactlyInAnyOrder("PATH", "HOSTNAME", "HOME", "SECOND_SECRET");
        assertThat(names(third)).containsExactlyInAnyOrder("PATH", "HOSTNAME", "HOME");
    }

    private static String[] names(RunResult result) {
        return result.stdout()
                .lines()
                .map(line -> line.substring(0, line.indexOf('=')))
                .toArray(String[]::new);
    }
}
