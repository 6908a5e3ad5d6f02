package dev.caisson.network;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
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

    private DockerBed(Path directory, List<String> options) throws IOException {
        Files.createDirectories(directory);
        host.sh("ip link add lan0 type veth peer name lan0 netns " + Bed.thread(neighbor) + "; ip addr add " + Bed.HOST
                + "/24 dev lan0; ip link set lan0 up; sysctl -qw net.ipv4.ip_forward=1");
        neighbor.sh("ip addr add " + Bed.NEIGHBOR + "/24 dev lan0; ip link set lan0 up");
        docker = "docker -H unix://" + directory.resolve("socket") + " ";
        var command = new ArrayList<>(List.of(
                "unshare",
                "-m",
                "--propagation",
                "private",
                "dockerd",
                "--host=unix://" + directory.resolve("socket"),
                "--data-root=" + directory.resolve("data"),
                "--exec-root=" + directory.resolve("exec"),
                "--pidfile=" + directory.resolve("pid")));
        command.addAll(options);
        daemon = host.call(() -> new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start());
    }

    static DockerBed start(Path directory) throws IOException {
        DockerBed bed = daemon(directory, List.of());
        try {
            bed.begin();
            return bed;
        } catch (RuntimeException e) {
            bed.close();
            throw e;
        }
    }

    /// Starts a dockerd with further options, and no container.
    static DockerBed daemon(Path directory, List<String> options) throws IOException {
        var bed = new DockerBed(directory, options);
        try {
            bed.makeImage(directory);
            return bed;
        } catch (RuntimeException | IOException e) {
            bed.close();
            throw e;
        }
    }

    private void makeImage(Path directory) throws IOException {
        host.sh("for i in $(seq 600); do " + docker + "version >/dev/null 2>&1 && exit; sleep 0.1; done; tail -n 3 "
                + directory.resolve("log") + "; exit 1");
        Path root = Files.createDirectories(directory.resolve("root/bin"));
        Files.copy(Path.of("/bin/busybox"), root.resolve("busybox"), StandardCopyOption.COPY_ATTRIBUTES);
        host.sh("tar -C " + directory.resolve("root") + " -c . | " + docker + "import - bench; " + docker
                + "network create web");
    }

    private void begin() {
        client = container("--name client");
        String iperf = IperfComparison.PUBLISHED + ":" + IperfComparison.PORT;
        server = container("--name server -p 8080:80 -p " + iperf + " -p " + iperf + "/udp");
        address = InetAddress.ofLiteral(host.sh(docker + "inspect -f"
                        + " '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' $(" + docker + "ps -lq)")
                .strip());
    }

    /// Runs one more container, whose ports from 1 on are published from a port of the host on.
    ///
    /// @return how long the command takes
    long publish(int from, int count) {
        String ports = count == 0 ? "" : "-p " + from + "-" + (from + count - 1) + ":1-" + count;
        long begun = System.nanoTime();
        host.sh(docker + "run -d --network web " + ports + " bench /bin/busybox sleep 3600");
        return System.nanoTime() - begun;
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
