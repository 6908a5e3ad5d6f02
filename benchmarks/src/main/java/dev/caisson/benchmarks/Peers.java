package dev.caisson.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Other runtimes on this machine, each timed by a small C program that forks, executes and waits.
final class Peers {
    /// @param fewer launches it gets a share of what the fast ones get
    /// @param unified whether it takes a hierarchy of both versions of control groups
    record Peer(String name, int fewer, boolean unified, List<String> command) {
        Peer(String name, int fewer, List<String> command) {
            this(name, fewer, false, command);
        }
    }

    /// One that was timed, or why it was not.
    record Outcome(String name, Optional<Times> times, String reason) {}

    private static final String CRUN = "crun run";
    private static final String LOOP = "native/build/bench";
    private static final double MICROS_PER_MILLI = 1e3;
    private static final long TIMEOUT_SECONDS = 300;
    private static final Pattern TIMES =
            Pattern.compile("p50\\s+(\\d+)\\s+p90\\s+(\\d+)\\s+p99\\s+(\\d+)\\s+(\\d+) failed; (\\d+) CPU");

    /// The OCI runtimes do not take a hierarchy of both versions, so the unified one is hidden from them, in a mount
    /// namespace of their own.
    private static final String HIDE_UNIFIED =
            "mountpoint -q /sys/fs/cgroup/unified && umount /sys/fs/cgroup/unified; exec \"$@\"";

    private final Bundle bundle;

    Peers(Bundle bundle) {
        this.bundle = bundle;
    }

    List<Peer> all() {
        String id = "bench-" + ProcessHandle.current().pid();
        String directory = bundle.directory().toString();
        String root = bundle.root().toString();
        return List.of(
                new Peer(CRUN, 1, List.of("crun", "run", "--bundle", directory, id)),
                new Peer("runc run", 4, List.of("runc", "run", "--bundle", directory, id)),
                new Peer(
                        "bwrap --unshare-all, no cgroups, no filter",
                        1,
                        List.of(
                                "bwrap",
                                "--unshare-all",
                                "--bind",
                                root,
                                "/",
                                "--proc",
                                "/proc",
                                "--dev",
                                "/dev",
                                "/bin/true")),
                new Peer(
                        "podman run --rm --network none",
                        20,
                        List.of(
                                "podman",
                                "--cgroup-manager=cgroupfs",
                                "--runtime=runc",
                                "run",
                                "--rm",
                                "--network",
                                "none",
                                "--rootfs",
                                root,
                                "/bin/true")));
    }

    /// Commands as they are typed, with the start of the command itself.
    List<Peer> commands(Optional<DockerDaemon> docker) {
        var commands = new ArrayList<Peer>();
        commands.add(new Peer(
                "./caisson run --rm host true", 20, true, List.of("./caisson", "run", "--rm", "host", "true")));
        commands.add(new Peer(
                "./caisson run --rm dir:ROOT true",
                20,
                true,
                List.of("./caisson", "run", "--rm", "--network", "none", "dir:" + bundle.root(), "/bin/true")));
        docker.ifPresent(
                daemon -> commands.add(new Peer("docker run --rm --network none IMAGE true", 20, daemon.run())));
        return commands;
    }

    static boolean isCrun(String name) {
        return name.equals(CRUN);
    }

    Outcome time(Peer peer, int count) throws IOException, InterruptedException {
        Result trial = run(placed(peer, peer.command()));
        if (trial.status() != 0) {
            String first = trial.output().strip().lines().findFirst().orElse("");
            return new Outcome(peer.name(), Optional.empty(), "status " + trial.status() + ", " + first);
        }
        int launches = Math.max(10, count / peer.fewer());
        var command = new ArrayList<String>(List.of(LOOP, "command", Integer.toString(launches), "--"));
        command.addAll(peer.command());
        Result result = run(placed(peer, command));
        Matcher found = TIMES.matcher(result.output());
        if (!found.find()) {
            return new Outcome(
                    peer.name(),
                    Optional.empty(),
                    "no times: " + result.output().strip());
        }
        return new Outcome(
                peer.name(),
                Optional.of(new Times(
                        peer.name(),
                        launches,
                        Long.parseLong(found.group(4)),
                        millis(found.group(1)),
                        millis(found.group(2)),
                        millis(found.group(3)),
                        // podman leaves work to processes that outlive it, docker's client to its daemon
                        peer.fewer() > 10 ? 0 : millis(found.group(5)))),
                "");
    }

    private static double millis(String micros) {
        return Long.parseLong(micros) / MICROS_PER_MILLI;
    }

    private static List<String> placed(Peer peer, List<String> command) {
        return peer.unified() ? command : inNamespace(command);
    }

    static List<String> inNamespace(List<String> command) {
        var all = new ArrayList<String>(
                List.of("unshare", "-m", "--propagation", "private", "sh", "-c", HIDE_UNIFIED, "sh"));
        all.addAll(command);
        return all;
    }

    private record Result(int status, String output) {}

    private static Result run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            return new Result(-1, "timed out");
        }
        return new Result(process.exitValue(), output);
    }
}
