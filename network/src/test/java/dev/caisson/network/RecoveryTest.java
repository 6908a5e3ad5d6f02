package dev.caisson.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A process that makes and removes networks is killed by SIGKILL at its calls that change something, one run after
/// the other: at every ninth of them, the first by chance, or at all with `caisson.test.failpoints`.
@Tag("root")
class RecoveryTest {
    /// Messages to the kernel, and what is written and removed.
    private static final List<String> CALLS = List.of("sendto", "renameat2", "unlinkat", "pwrite64");

    private static final int MOST = 140;

    @TempDir
    private Path directory;

    private final Namespace host = new Namespace();

    @Test
    void nothing_stays_of_a_process_that_was_killed_and_nothing_of_others_goes() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        host.sh("nft add table inet other; nft add chain inet other c; nft add table bridge caisson-0;"
                + " ip link add cn0123456789 type bridge; ip link add cv0123456789ab type veth peer name p0;"
                + " ip link set cv0123456789ab master cn0123456789");
        String before = state();
        for (String call : CALLS) {
            boolean ended = false;
            int step = System.getProperty("caisson.test.failpoints") == null ? 9 : 1;
            int number = ThreadLocalRandom.current().nextInt(step) - step + 1;
            while (number < MOST && !ended) {
                number += step;
                ended = runAndKillAt(call, number);
                recover(call + " " + number);
                assertThat(state())
                        .as("after the kill at " + call + " " + number)
                        .isEqualTo(before);
            }
            assertThat(ended).as("a run came to its end").isTrue();
            assertThat(number).as("kills at " + call).isGreaterThan(3);
        }
    }

    /// @return true if it came to its end
    private boolean runAndKillAt(String call, int number) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String path = String.join(
                ":",
                System.getProperty("caisson.root") + "/network/target/test-classes", // a patch of its module here
                System.getProperty("jdk.module.path", ""),
                System.getProperty("java.class.path"));
        int status = host.status("strace -f -qq -o /dev/null -e trace=" + call + " -e inject=" + call
                + ":signal=KILL:when=" + number + " " + java
                + " -XX:TieredStopAtLevel=1 -XX:-UsePerfData -XX:+UseSerialGC"
                + " --enable-native-access=ALL-UNNAMED -cp '" + path + "' " + KilledNetworks.class.getName() + " "
                + directory);
        assertThat(status).as("137 for a kill").isIn(0, 137);
        return status == 0;
    }

    private void recover(String call) {
        host.call(() -> {
            try (Networks networks = Networks.open(directory)) {
                networks.recover(_ -> false);
                List<NetworkInfo> left = networks.list();
                for (NetworkInfo network : left) {
                    assertThat(networks.attachedTo(network.id())).isEmpty();
                }
                requireOnly(left, call);
                for (NetworkInfo network : left) {
                    networks.remove(network.id());
                }
            }
            return null;
        });
    }

    /// What is recorded is there, and nothing else: no port, no address of a container, no bridge.
    private void requireOnly(List<NetworkInfo> networks, String call) {
        List<String> bridges =
                networks.stream().map(NetworkInfo::bridge).sorted().toList();
        String own = "nft list tables | grep -c 'inet caisson-' || true";
        String links = here("ip -o link | grep -o ' cn[0-9a-f]*:' | tr -d ' :' | grep -v cn0123456789 | sort");
        assertThat(links.lines().toList()).as("bridges after " + call).isEqualTo(bridges);
        assertThat(here(own).strip()).isEqualTo(networks.isEmpty() ? "0" : "1");
        if (!networks.isEmpty()) {
            String rules = here("nft list ruleset");
            String withoutRouters = rules.replaceAll("caisson-[0-9a-f]{8}", ""); // digits as those of the port
            for (String bridge : bridges) { // its address may begin as those of containers do
                String address = "02:" + bridge.substring(2).replaceAll("(..)(?=.)", "$1:");
                assertThat(rules).contains(address);
                withoutRouters = withoutRouters.replace(address, "");
            }
            assertThat(withoutRouters)
                    .doesNotContain("\"cv")
                    .doesNotContain("8080")
                    .doesNotContain("02:c5")
                    .doesNotContain("192.0.2.")
                    .doesNotContain("2001:db8");
            bridges.forEach(bridge -> assertThat(rules).contains(bridge));
        }
    }

    /// Runs a command of bash in the namespace of the calling thread.
    private static String here(String command) {
        try {
            Process process = new ProcessBuilder("bash", "-c", "PATH=$PATH:/usr/sbin; " + command).start();
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String state() {
        return host.sh("ip -o link | sed 's/qlen.*//'; nft list ruleset; sysctl net.ipv4.ip_forward"
                + " net.ipv6.conf.all.forwarding; ip -o addr; ip route");
    }
}
