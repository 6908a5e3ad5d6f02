package dev.caisson.benchmarks;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// A dockerd of the benchmark's own: its data, socket and network namespace are its own, so that no other daemon of
/// the machine is touched, and it has one image, the bundle's root.
final class DockerDaemon {
    /// The image that it has.
    static final String IMAGE = "caisson-benchmark";
    private static final long START_SECONDS = 60;
    private static final long STOP_SECONDS = 30;
    private static final long PAUSE_MILLIS = 100;

    private final Process process;
    private final String host;

    private DockerDaemon(Process process, String host) {
        this.process = process;
        this.host = host;
    }

    /// Empty where there is no dockerd, or where it does not start; why stands in `directory/log`.
    static Optional<DockerDaemon> start(Path directory, Bundle bundle) throws IOException, InterruptedException {
        return start(directory, bundle, false);
    }

    /// The same with docker's default network, if `networks` asks for it.
    static Optional<DockerDaemon> start(Path directory, Bundle bundle, boolean networks)
            throws IOException, InterruptedException {
        return start(directory, bundle, networks, List.of("unshare", "--net"));
    }

    /// The same in this process's network, which it leaves as it is: a registry of loopback is reached.
    static Optional<DockerDaemon> startHere(Path directory, Bundle bundle) throws IOException, InterruptedException {
        return start(directory, bundle, false, List.of());
    }

    private static Optional<DockerDaemon> start(Path directory, Bundle bundle, boolean networks, List<String> within)
            throws IOException, InterruptedException {
        if (!Files.isExecutable(Path.of("/usr/sbin/dockerd"))) {
            return Optional.empty();
        }
        Files.createDirectories(directory);
        String host = "unix://" + directory.resolve("socket");
        var command = new ArrayList<>(within);
        command.addAll(List.of(
                "dockerd",
                "--host=" + host,
                "--data-root=" + directory.resolve("data"),
                "--exec-root=" + directory.resolve("exec"),
                "--pidfile=" + directory.resolve("pid")));
        if (!networks) {
            command.addAll(List.of("--bridge=none", "--iptables=false", "--ip6tables=false"));
        }
        Process process = new ProcessBuilder(Peers.inNamespace(command))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        var daemon = new DockerDaemon(process, host);
        if (daemon.answers() && daemon.hasImage(bundle)) {
            return Optional.of(daemon);
        }
        daemon.stop();
        return Optional.empty();
    }

    private boolean answers() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (process.isAlive() && System.nanoTime() < deadline) {
            if (quietly("docker", "--host", host, "version") == 0) {
                return true;
            }
            Thread.sleep(PAUSE_MILLIS);
        }
        return false;
    }

    private boolean hasImage(Bundle bundle) throws IOException, InterruptedException {
        String pack = "tar -C \"$1\" -c . | docker --host \"$2\" import - \"$3\"";
        return quietly("sh", "-c", pack, "sh", bundle.root().toString(), host, IMAGE) == 0;
    }

    /// Returns a command of its client.
    List<String> command(List<String> words) {
        var all = new ArrayList<>(List.of("docker", "--host", host));
        all.addAll(words);
        return all;
    }

    /// Returns what runs a command in the daemon's network namespace.
    List<String> inItsNetwork() {
        return List.of("nsenter", "--target", Long.toString(process.pid()), "--net", "--");
    }

    /// The least that its client can be asked to do with the like of the other rows.
    List<String> run() {
        return run("none");
    }

    List<String> run(String network) {
        return List.of("docker", "--host", host, "run", "--rm", "--network", network, IMAGE, "/bin/true");
    }

    /// Starts a container that sleeps.
    /// @return whether it runs
    boolean startIdle(String name) throws IOException, InterruptedException {
        return quietly(
                        "docker",
                        "--host",
                        host,
                        "run",
                        "--rm",
                        "--detach",
                        "--network",
                        "none",
                        "--name",
                        name,
                        IMAGE,
                        "/bin/busybox",
                        "sleep",
                        "600")
                == 0;
    }

    /// Returns what runs one more program in the container that [#startIdle] has started.
    List<String> exec(String name) {
        return List.of("docker", "--host", host, "exec", name, "/bin/true");
    }

    /// Lists the containers that run.
    List<String> list() {
        return List.of("docker", "--host", host, "ps");
    }

    /// Asks what `docker stats` asks, for all containers at once.
    List<String> stats() {
        return List.of("docker", "--host", host, "stats", "--no-stream");
    }

    /// Returns what its API reports of one container: the figures of one moment.
    String statsOf(String name) throws IOException {
        String request =
                "GET /containers/" + name + "/stats?stream=false&one-shot=true HTTP/1.0\r\nHost: docker\r\n\r\n";
        var address = UnixDomainSocketAddress.of(host.substring("unix://".length()));
        try (SocketChannel channel = SocketChannel.open(address)) {
            channel.write(StandardCharsets.US_ASCII.encode(request));
            var answer = Channels.newInputStream(channel).readAllBytes();
            return new String(answer, StandardCharsets.UTF_8);
        }
    }

    /// Carries out the whole life of a container that does nothing, one command at a time.
    void life(String name) throws IOException, InterruptedException {
        int _ = quietly("docker", "--host", host, "create", "--network", "none", "--name", name, IMAGE, "/bin/true");
        int _ = quietly("docker", "--host", host, "start", name);
        int _ = quietly("docker", "--host", host, "wait", name);
        int _ = quietly("docker", "--host", host, "rm", name);
    }

    /// Runs a script to its end, its output in a log with the bounds of Caisson's.
    /// @return whether it ended with status 0
    boolean log(String name, String script) throws IOException, InterruptedException {
        int _ = quietly(
                "docker",
                "--host",
                host,
                "run",
                "-d",
                "--log-opt=max-size=10m",
                "--log-opt=max-file=3",
                "--network",
                "none",
                "--name",
                name,
                IMAGE,
                "/bin/busybox",
                "sh",
                "-c",
                script);
        Process wait = new ProcessBuilder("docker", "--host", host, "wait", name)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String status = new String(wait.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        remove(name);
        return status.strip().equals("0");
    }

    void remove(String name) throws IOException, InterruptedException {
        int _ = quietly("docker", "--host", host, "rm", "-f", name);
    }

    private static int quietly(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    void stop() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
    }
}
