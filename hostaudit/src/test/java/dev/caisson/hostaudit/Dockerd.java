package dev.caisson.hostaudit;

import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.kernel.MountTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A dockerd of the test's own: data, sockets and network namespace are its own, and all of it goes with it. The
/// namespace has 10.99.0.1 to 10.99.0.4 on its loopback interface.
final class Dockerd implements AutoCloseable {
    private static final int START_SECONDS = 180;
    private static final int START_ATTEMPTS = 3;
    private static final int AT_ONCE = 10;
    /// What dockerd says when its containerd got no processor for 15 seconds.
    private static final String STARVED = "timeout waiting for containerd to start";

    private final Path directory;
    private final Process process;

    private Dockerd(Path directory, Process process) {
        this.directory = directory;
        this.process = process;
    }

    /// Starts it and waits until it answers. The data root may be prepared before.
    static Dockerd start(Path directory, String... flags) {
        List<String> all = new ArrayList<>(List.of("--host", "unix://" + directory.resolve("docker.sock")));
        all.addAll(List.of(flags));
        return startConfigured(directory, all.toArray(String[]::new));
    }

    /// As [#start], where a file among the flags names the sockets.
    static Dockerd startConfigured(Path directory, String... flags) {
        return start(
                List.of(
                        "unshare",
                        "--net",
                        "sh",
                        "-c",
                        "ip link set lo up && for i in 1 2 3 4; do ip addr add 10.99.0.$i/24 dev lo; done && exec dockerd \"$@\"",
                        "sh"),
                directory,
                flags);
    }

    /// Another one in the network namespace of this, as a second host on the same wire.
    Dockerd beside(Path other) {
        return start(
                List.of("nsenter", "--net=/proc/" + pid() + "/ns/net", "dockerd"),
                other,
                "--host",
                "unix://" + other.resolve("docker.sock"),
                "--bridge=none",
                "--iptables=false");
    }

    /// One that an ordinary user starts with rootlesskit, as Debian's dockerd-rootless.sh does, in the
    /// directory of that user below `/run/user`. What the machine would have to give them, ids of their own
    /// and a device for their network, is there in a mount namespace alone.
    static Dockerd ofUser(Path directory, String account, String uid, String... flags) throws IOException {
        Path ids = Files.createDirectories(directory).resolve("ids");
        Files.writeString(ids, account + ":200000:65536\n");
        must("chown", "-R", uid + ":" + uid, directory.toString());
        String prepared = "mount --bind \"$0\" /etc/subuid && mount --bind \"$0\" /etc/subgid"
                + " && mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200 && exec \"$@\"";
        List<String> command = new ArrayList<>(List.of("unshare", "--mount", "sh", "-c"));
        command.addAll(List.of(prepared, ids.toString()));
        command.addAll(List.of("setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "env", "-i"));
        command.addAll(List.of("PATH=" + System.getenv("PATH"), "HOME=" + directory, "XDG_RUNTIME_DIR=" + directory));
        command.addAll(List.of("rootlesskit", "--state-dir=" + directory.resolve("kit"), "--net=slirp4netns"));
        command.addAll(List.of("--mtu=1500", "--disable-host-loopback", "--port-driver=builtin"));
        command.addAll(List.of("--copy-up=/etc", "--copy-up=/run", "sh", "-c"));
        command.addAll(List.of("rm -f /run/docker /run/containerd /run/xtables.lock && exec dockerd \"$@\"", "sh"));
        command.addAll(List.of("--host", "unix://" + directory.resolve("docker.sock")));
        return start(command, directory, flags);
    }

    private static Dockerd start(List<String> program, Path directory, String... flags) {
        List<String> command = new ArrayList<>(program);
        command.addAll(List.of("--data-root", directory.resolve("data").toString()));
        command.addAll(List.of("--exec-root", directory.resolve("exec").toString()));
        command.addAll(List.of("--pidfile", directory.resolve("docker.pid").toString()));
        command.addAll(List.of(flags));
        try {
            Files.createDirectories(directory);
            String log = STARVED;
            for (int attempt = 0; attempt < START_ATTEMPTS && log.contains(STARVED); attempt++) {
                Process process = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("log").toFile())
                        .start();
                var daemon = new Dockerd(directory, process);
                if (daemon.answers()) {
                    return daemon;
                }
                log = Files.readString(directory.resolve("log"));
                process.destroy();
            }
            remove(directory);
            throw new IllegalStateException("dockerd does not start: " + log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private boolean answers() throws InterruptedException {
        for (int tenths = 0; tenths < START_SECONDS * 10 && process.isAlive(); tenths++) {
            if (run(cli("version")).status() == 0) {
                return true;
            }
            Thread.sleep(100);
        }
        return false;
    }

    record Result(int status, String output) {}

    static Result run(List<String> command) {
        try {
            Path output = Files.createTempFile("caisson-run", ".out");
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().put("DOCKER_BUILDKIT", "0");
            Process process = builder.redirectOutput(output.toFile()).start();
            process.getOutputStream().close();
            if (!process.waitFor(180, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IllegalStateException("no end within three minutes: " + command);
            }
            String text = new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
            Files.delete(output);
            return new Result(process.exitValue(), text.strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// Runs a command that must succeed.
    static String must(List<String> command) {
        Result result = run(command);
        if (result.status() != 0) {
            throw new IllegalStateException(command + " ends with " + result.status() + ": " + result.output());
        }
        return result.output();
    }

    static String must(String... command) {
        return must(List.of(command));
    }

    private List<String> cli(String... arguments) {
        List<String> all = new ArrayList<>(List.of("docker", "--host", "unix://" + socket()));
        all.addAll(List.of(arguments));
        return all;
    }

    String docker(List<String> arguments) {
        return must(cli(arguments.toArray(String[]::new)));
    }

    String docker(String... arguments) {
        return must(cli(arguments));
    }

    Path socket() {
        return directory.resolve("docker.sock");
    }

    Path directory() {
        return directory;
    }

    /// What started it became dockerd.
    long pid() {
        return process.pid();
    }

    /// Process 1 of a container.
    long pidOf(String container) {
        return Long.parseLong(docker("inspect", "--format", "{{.State.Pid}}", container));
    }

    String idOf(String container) {
        return docker("inspect", "--format", "{{.Id}}", container);
    }

    /// Runs a command in its network namespace.
    Process inside(String... command) {
        List<String> all = new ArrayList<>(List.of("nsenter", "--net=/proc/" + pid() + "/ns/net"));
        all.addAll(List.of(command));
        try {
            return new ProcessBuilder(all).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            if (process.isAlive()) {
                removeContainers();
            }
        } finally {
            process.destroy();
            try {
                if (!process.waitFor(20, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        remove(directory);
        removeGroups();
    }

    /// A few at a time: the client asks for those of one command all at once.
    private void removeContainers() {
        List<String> left = Stream.of(
                        run(cli("ps", "-aq", "--no-trunc")).output().split("\\s+", -1))
                .filter(id -> id.matches("[0-9a-f]{64}"))
                .toList();
        for (int at = 0; at < left.size(); at += AT_ONCE) {
            List<String> command = new ArrayList<>(cli("rm", "--force", "--volumes"));
            command.addAll(left.subList(at, Math.min(at + AT_ONCE, left.size())));
            run(command);
        }
    }

    /// Docker leaves the parents that it made in every tree of control groups, and one that was killed leaves its
    /// containers' groups in them; those in which somebody lives stay.
    private static void removeGroups() {
        run(List.of(
                "sh",
                "-c",
                "find /sys/fs/cgroup -mindepth 1 -maxdepth 3 -depth -type d -path '*/caisson-hostaudit-*'"
                        + " -exec rmdir {} + 2>/dev/null; true"));
    }

    /// Unmounts what is below a directory of the test's own and deletes it.
    static void remove(Path directory) {
        MountTable.of(ProcessHandle.current().pid()).mounts().reversed().stream()
                .map(ContainerFacts.Mount::point)
                .filter(point -> point.startsWith(directory + "/"))
                .forEach(point -> run(List.of("umount", "--lazy", point)));
        run(List.of("rm", "-rf", "--one-file-system", directory.toString()));
    }
}
