package dev.caisson.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A dockerd and podman in this process's network namespace, with directories of their own and an image that has
/// busybox, and a file that says whose it is.
final class OtherEngines implements AutoCloseable {
    static final String DOCKERS = "8090";
    static final String PODMANS = "8091";
    private static final int PATIENCE_SECONDS = 60;
    private static final String SERVER = " /bin/busybox httpd -f -p 80 -h /srv";

    private final Path directory;
    private @Nullable Process daemon;

    /// @param directory an empty one
    OtherEngines(Path directory) {
        this.directory = directory;
        NetworkBed.sh("cd " + directory + " && mkdir -p root/bin root/srv && cp /bin/busybox root/bin"
                + " && echo served > root/srv/who");
    }

    private String docker(String words) {
        return NetworkBed.sh("docker -H unix://" + directory.resolve("socket") + " " + words);
    }

    /// Starts the daemon, which starts its containers again.
    void startDockerd() throws IOException {
        daemon = new ProcessBuilder(
                        "unshare",
                        "-m",
                        "--propagation",
                        "private",
                        "dockerd",
                        "--data-root=" + directory.resolve("data"),
                        "--exec-root=" + directory.resolve("exec"),
                        "--pidfile=" + directory.resolve("pid"),
                        "--host=unix://" + directory.resolve("socket"))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        NetworkBed.sh("for i in $(seq 600); do docker -H unix://" + directory.resolve("socket")
                + " version >/dev/null 2>&1 && exit; sleep 0.1; done; tail -n 5 " + directory.resolve("log")
                + "; exit 1");
    }

    void runDockers() {
        NetworkBed.sh("tar -C " + directory.resolve("root") + " -c . | docker -H unix://" + directory.resolve("socket")
                + " import - served");
        docker("run -d --restart always --name served -p " + DOCKERS + ":80 served" + SERVER);
    }

    void stopDockerd() throws InterruptedException {
        Process running = daemon;
        if (running == null) {
            return;
        }
        running.destroy();
        if (!running.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            running.destroyForcibly().waitFor();
        }
    }

    private String podman(String words) {
        return NetworkBed.sh("podman --cgroup-manager=cgroupfs --runtime=runc --root " + directory.resolve("storage")
                + " --runroot " + directory.resolve("run") + " --tmpdir " + directory.resolve("tmp") + " " + words);
    }

    void runPodmans() {
        podman("run -d --name served -p " + PODMANS + ":80 --rootfs " + directory.resolve("root") + SERVER);
    }

    void removePodmans() {
        podman("rm -f -t 0 served");
    }

    @Override
    public void close() {
        Process running = daemon;
        if (running != null && running.isAlive()) {
            docker("rm -f served");
            try {
                stopDockerd();
            } catch (InterruptedException e) {
                running.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
        if (Files.isDirectory(directory.resolve("storage"))) {
            removePodmans();
        }
    }
}
