package dev.caisson.selftest;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A dockerd of our own with its default settings: its data, socket, and mount, process and network namespaces are its
/// own, so no other daemon of the host is touched, and what it keeps stands in an image of a bounded size. All of it
/// ends with this process, whatever ends that.
public final class DockerDaemon implements AutoCloseable {
    /// Its one image, with directories alone: the host's `/usr` is mounted into its containers.
    private static final String IMAGE = "caisson-selftest";

    private static final Path DAEMON = Path.of("/usr/sbin/dockerd");
    private static final List<Path> CLIENTS = List.of(Path.of("/usr/bin/docker"), Path.of("/usr/local/bin/docker"));
    private static final String DISK = "1G";
    private static final long START_SECONDS = 60;
    private static final long CALL_SECONDS = 60;
    private static final long STOP_SECONDS = 20;
    private static final long PAUSE_MILLIS = 100;

    /// Waits until it stands in its control group; then becomes process 1 of the namespaces, which end with it.
    private static final String WAIT =
            "read -r go; exec unshare --mount --propagation private --net --pid --fork --kill-child --mount-proc"
                    + " bash -pc \"$0\" \"$@\"";

    /// The OCI runtime does not take a hierarchy of both versions, so the unified one is hidden from it. Timers and
    /// queued signals are counted for the host's root, who keeps half of them. What comes in ends with the process
    /// that started this.
    private static final String RUN = """
            exec 3<&0 </dev/null
            mountpoint -q /sys/fs/cgroup/unified && { umount /sys/fs/cgroup/unified || exit; }
            mount -o loop "$0/disk" "$0/data" || exit
            [[ $(ulimit -i) == unlimited ]] || ulimit -i $(($(ulimit -i) / 2)) || exit
            dockerd --host="unix://$0/socket" --data-root="$0/data" --exec-root="$0/exec" --pidfile="$0/pid" \\
              --bridge=none --iptables=false --ip6tables=false &
            daemon=$!
            cat <&3 >/dev/null &
            wait -n
            kill "$daemon" 2>/dev/null && for i in {1..100}; do kill -0 "$daemon" 2>/dev/null || exit; sleep 0.1; done
            """;

    private static final String IMPORT = """
            mkdir "$1/root" && cd "$1/root" && mkdir usr proc sys dev etc tmp var &&
            ln -s usr/bin bin && ln -s usr/lib lib && ln -s usr/lib64 lib64 && tar -c . | "$2" --host "$3" import - "$4"
            """;

    private final Path directory;
    private final Process process;
    private final String client;

    private DockerDaemon(Path directory, Process process, Path client) {
        this.directory = directory;
        this.process = process;
        this.client = client.toString();
    }

    /// True if this host has what it takes.
    public static boolean isPossible() {
        return Files.isExecutable(DAEMON)
                && client().isPresent()
                && Stream.of("/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4")
                        .anyMatch(file -> Files.isExecutable(Path.of(file)));
    }

    private static Optional<Path> client() {
        return CLIENTS.stream().filter(Files::isExecutable).findFirst();
    }

    /// Starts it and gives it its image.
    /// @param directory of its own, removed again when it ends
    /// @param group that it stands in itself; its containers do not
    /// @throws IOException where it does not start, with what it said
    @SuppressWarnings("exports") // for Caisson's own modules
    public static DockerDaemon start(Path directory, Cgroup group) throws IOException, InterruptedException {
        Files.createDirectories(directory.resolve("data"));
        Path client = client().orElseThrow(() -> new IOException("there is no docker command"));
        call(List.of("truncate", "-s", DISK, directory.resolve("disk").toString()));
        call(List.of("mkfs.ext4", "-q", "-F", directory.resolve("disk").toString()));
        var builder = new ProcessBuilder("bash", "-pc", WAIT, RUN, directory.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("DOCKER_"));
        var daemon = new DockerDaemon(directory, builder.start(), client);
        try {
            daemon.join(group);
            OutputStream go = daemon.process.getOutputStream();
            go.write('\n');
            go.flush();
            daemon.awaitAnswer();
            call(List.of("sh", "-c", IMPORT, "sh", directory.toString(), daemon.client, daemon.host(), IMAGE));
            return daemon;
        } catch (IOException | InterruptedException | RuntimeException e) {
            try (daemon) {
                throw e;
            }
        }
    }

    private void join(Cgroup group) {
        String pid = Long.toString(process.pid());
        for (Fd tasks : group.joinFds()) {
            try (tasks) {
                FileSystem.write(tasks, pid.getBytes(StandardCharsets.US_ASCII));
            }
        }
        group.cloneInto().ifPresent(unified -> {
            try (unified) {
                FileSystem.writeText(unified, "cgroup.procs", pid);
            }
        });
    }

    private String host() {
        return "unix://" + directory.resolve("socket");
    }

    private void awaitAnswer() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (process.isAlive() && System.nanoTime() < deadline) {
            if (Files.exists(directory.resolve("socket")) && status(docker("version")) == 0) {
                return;
            }
            Thread.sleep(PAUSE_MILLIS);
        }
        List<String> log = Files.readAllLines(directory.resolve("log"), StandardCharsets.ISO_8859_1);
        throw new IOException("dockerd does not start: " + (log.isEmpty() ? "it says nothing" : log.getLast()));
    }

    /// A call of its client.
    public List<String> docker(String... arguments) {
        var command = new ArrayList<>(List.of(client, "--host", host()));
        command.addAll(List.of(arguments));
        return command;
    }

    /// The client's call that runs a container with no options but these: its name, the group that holds its own, no
    /// network, and the host's `/usr`, which is read-only as it holds the program.
    public List<String> run(String name, String parent, List<String> options, String... command) {
        List<String> run = docker("run", "--rm", "--name", name, "--cgroup-parent", "/" + parent, "--network", "none");
        run.addAll(List.of("--volume", "/usr:/usr:ro"));
        run.addAll(options);
        run.add(IMAGE);
        run.addAll(List.of(command));
        return run;
    }

    private static int status(List<String> command) throws IOException, InterruptedException {
        Process call = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!call.waitFor(CALL_SECONDS, TimeUnit.SECONDS)) {
            call.destroyForcibly();
            return -1;
        }
        return call.exitValue();
    }

    private static void call(List<String> command) throws IOException, InterruptedException {
        int status = status(command);
        if (status != 0) {
            throw new IOException(command.getFirst() + " ended with status " + status);
        }
    }

    /// Ends it with its containers, and removes all that it kept.
    @Override
    public void close() throws IOException {
        try {
            process.getOutputStream().close();
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor(STOP_SECONDS, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
