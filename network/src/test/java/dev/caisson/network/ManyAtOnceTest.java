package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.NetworkSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Several processes give places on one network at once, while somebody else changes tables of their own without a
/// pause.
@Tag("root")
@Timeout(240)
class ManyAtOnceTest extends OnAHost {
    private static final int PROCESSES = 4;
    private static final int CONTAINERS = 200;

    private final List<Process> processes = new ArrayList<>();

    @Test
    void two_hundred_containers_that_join_at_once_share_no_address_and_leave_nothing() throws Exception {
        bed.on(all -> all.create(NetworkSpec.of("net1")));
        String before = ours();
        Process others =
                inHost("while :; do nft 'add table inet other; add chain inet other c { type filter hook forward"
                        + " priority 0; }; delete table inet other' || exit; done");
        try {
            for (int i = 0; i < PROCESSES; i++) {
                processes.add(inHost(joining()));
            }
            awaitReady();
            tellAll();
            var places = new ArrayList<String>();
            for (Process process : processes) {
                for (String line = process.inputReader().readLine();
                        !line.equals(JoiningProcess.READY);
                        line = process.inputReader().readLine()) {
                    places.add(line);
                }
            }

            assertThat(places)
                    .hasSize(CONTAINERS)
                    .allMatch(place -> place.matches("172\\.28\\.\\d+\\.\\d+ 02:c5:[0-9a-f:]+"));
            assertThat(new HashSet<>(places)).hasSize(CONTAINERS);
            String rules = bed.host.sh("nft list ruleset");
            for (String place : places) {
                assertThat(rules).contains(place.split(" ", -1));
            }

            tellAll();
            for (Process process : processes) {
                assertThat(process.inputReader().readLine()).isEqualTo(JoiningProcess.TAKEN_BACK);
                assertThat(process.waitFor()).isZero();
            }
            assertThat(others.isAlive()).as("nobody was in the other's way").isTrue();
        } finally {
            for (Process process : processes) {
                process.destroyForcibly().waitFor();
            }
            others.destroyForcibly().waitFor();
        }
        bed.host.sh("nft delete table inet other 2>/dev/null || true");
        assertThat(ours()).isEqualTo(before);
        bed.on(all -> {
            all.remove("net1"); // which nobody is on any more
            return null;
        });
        assertThat(bed.host.sh("nft list ruleset").strip()).isEmpty();
    }

    private String ours() {
        return bed.host.sh("for family in inet bridge; do nft list table $family $(nft list tables $family | grep -o"
                + " 'caisson-.*'); done");
    }

    private String joining() {
        String path = String.join(
                ":",
                System.getProperty("caisson.root") + "/network/target/test-classes", // a patch of its module here
                System.getProperty("jdk.module.path", ""),
                System.getProperty("java.class.path"));
        return "exec " + Path.of(System.getProperty("java.home"), "bin", "java")
                + " -XX:TieredStopAtLevel=1 -XX:-UsePerfData -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp '"
                + path + "' " + JoiningProcess.class.getName() + " " + directory + " net1 " + CONTAINERS / PROCESSES;
    }

    private Process inHost(String command) {
        return bed.host.call(() -> new ProcessBuilder("bash", "-c", "PATH=$PATH:/usr/sbin; " + command)
                .redirectErrorStream(true)
                .start());
    }

    private void awaitReady() throws IOException {
        for (Process process : processes) {
            BufferedReader said = process.inputReader();
            assertThat(said.readLine()).isEqualTo(JoiningProcess.READY);
        }
    }

    private void tellAll() throws IOException {
        for (Process process : processes) {
            process.outputWriter().write("\n");
            process.outputWriter().flush();
        }
    }
}
