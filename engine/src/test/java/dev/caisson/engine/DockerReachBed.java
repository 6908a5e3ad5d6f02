package dev.caisson.engine;

import dev.caisson.engine.ReachCells.Guest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Containers of a dockerd in network, mount and pid namespaces of its own. The network whose containers do not reach
/// each other is its default one, as links open nothing on others.
final class DockerReachBed extends ReachBed {
    private static final int PATIENCE_SECONDS = 60;
    private static final int LOOKS = 600;

    private final Map<String, Place> places = new LinkedHashMap<>();
    private final Process daemon;
    private final Path directory;

    private DockerReachBed(Process daemon, Path directory) {
        super(child(daemon));
        this.daemon = daemon;
        this.directory = directory;
    }

    static DockerReachBed start() throws IOException, InterruptedException {
        Path directory = scratch("reach");
        Files.createDirectories(directory);
        Process daemon = new ProcessBuilder(
                        "unshare",
                        "-n",
                        "-m",
                        "-p",
                        "-f",
                        "--mount-proc",
                        "--kill-child",
                        "--propagation",
                        "private",
                        "sh",
                        "-c",
                        // dockerd closes the way through the host only where it finds that nothing is forwarded
                        "ip link set lo up; echo 0 >/proc/sys/net/ipv4/ip_forward; \"$@\" & wait",
                        "sh",
                        "dockerd",
                        "--data-root=" + directory.resolve("data"),
                        "--exec-root=" + directory.resolve("exec"),
                        "--pidfile=" + directory.resolve("pid"),
                        "--host=unix://" + directory.resolve("socket"),
                        "--icc=false",
                        "--bip=172.30.1.1/24",
                        "--ipv6",
                        "--fixed-cidr-v6=fd00:d0c:1::/64",
                        "--experimental",
                        "--ip6tables")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        var bed = new DockerReachBed(daemon, directory);
        try {
            bed.begin();
            return bed;
        } catch (RuntimeException | IOException | InterruptedException e) {
            bed.close();
            throw e;
        }
    }

    /// Returns the process that is the first of the daemon's pid namespace.
    private static long child(Process unshare) {
        for (int i = 0; i < LOOKS; i++) {
            var child = unshare.children().findFirst();
            if (child.isPresent()) {
                return child.get().pid();
            }
            pause();
        }
        throw new IllegalStateException("unshare starts nothing");
    }

    private static void pause() {
        try {
            Thread.sleep(100);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private void begin() throws IOException, InterruptedException {
        for (int i = 0; start(docker("version")).waitFor() != 0; i++) {
            if (i > LOOKS || !daemon.isAlive()) {
                throw new IllegalStateException(Files.readString(directory.resolve("log")));
            }
            pause();
        }
        must(List.of(
                "sh",
                "-c",
                "mkdir -p $0/root/usr $0/root/etc && for i in bin sbin lib lib64; do ln -s usr/$i $0/root/$i; done"
                        + " && tar -C $0/root -c . | docker -H unix://$0/socket import - reach",
                directory.toString()));
        must(docker("network create --ipv6 --subnet 172.30.2.0/24 --subnet fd00:d0c:2::/64 open"));
        must(docker("network create --internal --ipv6 --subnet 172.30.3.0/24 --subnet fd00:d0c:3::/64 inside"));
        for (Guest guest : ReachCells.GUESTS) {
            must(run(guest));
            for (String more : guest.networks().stream().skip(1).toList()) {
                must(docker("network connect " + more + " " + guest.name()));
            }
            for (String network : guest.networks()) {
                places.put(guest.name() + "@" + network, place(guest.name(), network));
            }
        }
        for (Guest guest : ReachCells.GUESTS) {
            for (int i = 0; !must(docker("logs " + guest.name())).contains("ready"); i++) {
                if (i > LOOKS) {
                    throw new IllegalStateException(guest.name() + " does not serve");
                }
                pause();
            }
        }
    }

    private List<String> docker(String words) {
        return docker(words.split(" "));
    }

    private List<String> docker(String... words) {
        return Stream.concat(Stream.of("docker", "-H", "unix://" + directory.resolve("socket")), Stream.of(words))
                .toList();
    }

    private static String named(String network) {
        return network.equals(ReachCells.APART) ? "bridge" : network;
    }

    /// The default network is not named: clients before version 28 take "bridge" for one that a user made, and refuse
    /// links there.
    private List<String> run(Guest guest) {
        var words = new ArrayList<>(List.of("run", "-d", "--name", guest.name(), "-v", "/usr:/usr:ro"));
        if (guest.inHostNetwork()) {
            words.add("--network=host");
        } else if (!guest.networks().getFirst().equals(ReachCells.APART)) {
            words.add("--network=" + guest.networks().getFirst());
        }
        if (!guest.inHostNetwork()) {
            words.addAll(List.of("--expose", guest.port() + "/tcp", "--expose", guest.port() + "/udp"));
        }
        guest.published().ifPresent(port -> {
            words.addAll(List.of("-p", port + ":" + guest.port() + "/tcp"));
            words.addAll(List.of("-p", port + ":" + guest.port() + "/udp"));
        });
        guest.linked().ifPresent(other -> words.addAll(List.of("--link", other)));
        words.add("reach");
        words.addAll(List.of(program(guest)));
        return docker(words.toArray(String[]::new));
    }

    private Place place(String guest, String network) {
        String form = "{{with index .NetworkSettings.Networks \"" + named(network)
                + "\"}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}";
        String[] addresses = must(docker("inspect", "-f", form, guest)).strip().split(" ", -1);
        int number =
                List.of(ReachCells.APART, ReachCells.OPEN, ReachCells.INSIDE).indexOf(network) + 1;
        return new Place(addresses[0], addresses[1], "172.30." + number + ".1", "fd00:d0c:" + number + "::1");
    }

    @Override
    String inside(String guest, String... command) {
        return must(docker(IntStream.range(-2, command.length)
                .mapToObj(i -> i == -2 ? "exec" : i == -1 ? guest : command[i])
                .toArray(String[]::new)));
    }

    @Override
    Map<String, Place> places() {
        return places;
    }

    @Override
    public void close() {
        try {
            must(List.of(
                    "sh",
                    "-c",
                    "docker -H unix://$0/socket rm -f $(docker -H unix://$0/socket ps -aq)",
                    directory.toString()));
            daemon.toHandle()
                    .descendants()
                    .filter(one -> one.info().command().orElse("").endsWith("dockerd"))
                    .forEach(ProcessHandle::destroy);
            if (!daemon.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                daemon.destroyForcibly();
            }
            BusyboxEngine.removeTree(directory);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            daemon.destroyForcibly();
            super.close();
        }
    }
}
