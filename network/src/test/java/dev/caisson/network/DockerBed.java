package dev.caisson.network;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A dockerd of the benchmark's own, on a host and with a neighbor like those of a [Bed], and two containers of one
/// network of it, of which the second has port 80 published at 8080, and those of [IperfComparison].
final class DockerBed implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 60;

    private final Namespace host = new Namespace();
    private final Namespace neighbor = new Namespace();
    private final String docker;
    private final Process daemon;
    private Namespace client = neighbor;
    private Namespace server = neighbor;
    private InetAddress address = InetAddress.getLoopbackAddress();

    private DockerBed(Path directory) throws IOException {
        Files.createDirectories(directory);
        host.sh("ip link add lan0 type veth peer name lan0 netns " + Bed.thread(neighbor) + "; ip addr add " + Bed.HOST
                + "/24 dev lan0; ip link set lan0 up; sysctl -qw net.ipv4.ip_forward=1");
        neighbor.sh("ip addr add " + Bed.NEIGHBOR + "/24 dev lan0; ip link set lan0 up");
        docker = "docker -H unix://" + directory.resolve("socket") + " ";
        daemon = host.call(() -> new ProcessBuilder(
                        "unshare",
                        "-m",
                        "--propagation",
                        "private",
                        "dockerd",
                        "--host=unix://" + directory.resolve("socket"),
                        "--data-root=" + directory.resolve("data"),
                        "--exec-root=" + directory.resolve("exec"),
                        "--pidfile=" + directory.resolve("pid"))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start());
    }

    static DockerBed start(Path directory) throws IOException {
        var bed = new DockerBed(directory);
        try {
            bed.begin(directory);
            return bed;
        } catch (RuntimeException | IOException e) {
            bed.close();
            throw e;
        }
    }

    private void begin(Path directory) throws IOException {
        host.sh("for i in $(seq 600); do " + docker + "version >/dev/null 2>&1 && exit; sleep 0.1; done; tail -n 3 "
                + directory.resolve("log") + "; exit 1");
        Path root = Files.createDirectories(directory.resolve("root/bin"));
        Files.copy(Path.of("/bin/busybox"), root.resolve("busybox"), StandardCopyOption.COPY_ATTRIBUTES);
        host.sh("tar -C " + directory.resolve("root") + " -c . | " + docker + "import - bench; " + docker
                + "network create web");
        client = container("--name client");
        String iperf = IperfComparison.PUBLISHED + ":" + IperfComparison.PORT;
        server = container("--name server -p 8080:80 -p " + iperf + " -p " + iperf + "/udp");
        address = InetAddress.ofLiteral(host.sh(docker + "inspect -f"
                        + " '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' $(" + docker + "ps -lq)")
                .strip());
    }

    private Namespace container(String options) {
        host.sh(docker + "run -d --network web " + options + " bench /bin/busybox sleep 3600");
        return new Namespace(Long.parseLong(host.sh(docker + "inspect -f '{{.State.Pid}}' $(" + docker + "ps -lq)")
                .strip()));
    }

    Namespace client() {
        return client;
    }

    Namespace server() {
        return server;
    }

    Namespace host() {
        return host;
    }

    Namespace neighbor() {
        return neighbor;
    }

    InetAddress address() {
        return address;
    }

    @Override
    public void close() {
        host.status(docker + "rm -f $(" + docker + "ps -aq)");
        daemon.destroy(); // which ends its containerd, too
        try {
            if (!daemon.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                daemon.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        List.of(client, server, neighbor, host).forEach(Namespace::close);
    }
}
