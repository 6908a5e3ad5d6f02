package dev.caisson.engine;

import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerId;
import dev.caisson.text.AddressText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/// A host with a neighbor: the test's own network namespace has 192.0.2.1 on a link to another, which has 192.0.2.2. A
/// test of it runs in a JVM that has its namespace for itself, tag `netns`.
final class NetworkBed implements AutoCloseable {
    static final String HOST = "192.0.2.1";
    static final String NEIGHBOR = "192.0.2.2";

    private static final int PATIENCE_SECONDS = 60;

    private final EngineOptions options;
    private final Process neighbor;

    NetworkBed(EngineOptions options) throws IOException {
        this.options = options;
        neighbor = new ProcessBuilder("unshare", "-n", "sh", "-c", "ip link set lo up; echo up; exec sleep 1000")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            int _ = neighbor.getInputStream().read();
            // the kernel takes the link of an earlier neighbor away after that has ended
            sh("ip link del lan0 2>/dev/null; ip link add lan0 type veth peer name eth0 netns " + neighbor.pid()
                    + " && ip addr add 192.0.2.1/24 dev lan0 && ip link set lan0 up");
            neighbor("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up && ip route add default via 192.0.2.1");
        } catch (IOException | IllegalStateException e) {
            neighbor.destroyForcibly(); // it has the standard error of this JVM, whose end Maven waits for
            throw e;
        }
    }

    /// Runs a command of the host.
    /// @return what it printed
    static String sh(String command) {
        Result result = status(command);
        if (result.status() != 0) {
            throw new IllegalStateException(command + ": " + result.output());
        }
        return result.output();
    }

    /// Sets whether bridges of this namespace show frames to packet filters of IP, where the module for it is loaded. A
    /// new namespace has them do so.
    static void filterBridges(boolean on) {
        sh("cd /proc/sys/net/bridge 2>/dev/null || exit 0; for i in bridge-nf-call-ip*; do echo " + (on ? 1 : 0)
                + " > $i; done");
    }

    record Result(int status, String output) {}

    static Result status(String command) {
        try {
            Process process = new ProcessBuilder("bash", "-c", "PATH=$PATH:/usr/sbin:/sbin; " + command)
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException(command + " does not end");
            }
            return new Result(process.exitValue(), output);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// Runs a command of the neighbor.
    String neighbor(String command) {
        return sh(inNeighbor(command));
    }

    /// Returns the command that the host runs it by.
    String inNeighbor(String command) {
        return "nsenter -t " + neighbor.pid() + " -n bash -c '" + command.replace("'", "'\\''") + "'";
    }

    <T> T networks(Function<Networks, T> use) {
        try (Networks networks = HostNetworks.open(options)) {
            return use.apply(networks);
        }
    }

    /// Returns the IPv4 address of a container on the network that it named as `nth`.
    String address(ContainerId container, int nth) {
        return networks(all -> AddressText.of(
                all.attachments(container).get(nth).ip4().orElseThrow().address()));
    }

    /// Returns the host's ends of containers' links.
    static List<String> links() {
        return sh("ip -br link")
                .lines()
                .map(line -> line.split("[@ ]", 2)[0])
                .filter(name -> name.startsWith("cv"))
                .toList();
    }

    /// Returns tables, links, addresses and routes, a line each.
    static List<String> everything() {
        return sh("nft list tables | grep -v unseen | sort | sed 's/^/nft list /' | sh; ip -br link | sed 's/[ @].*//'; ip -4 -br addr | tr -s ' ' | cut -d' ' -f1,3; ip route | sed 's/ linkdown//'")
                .lines()
                .toList();
    }

    @Override
    public void close() {
        neighbor.destroyForcibly();
        networks(all -> {
            all.recover(_ -> false);
            all.list().forEach(network -> all.remove(network.name()));
            return null;
        });
    }
}
