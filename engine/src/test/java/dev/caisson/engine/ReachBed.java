package dev.caisson.engine;

import dev.caisson.engine.ReachCells.Guest;
import dev.caisson.engine.ReachCells.Lan;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/// A host with a neighbor on its LAN and with the networks and containers of [ReachCells], each of which serves. Who
/// makes containers is left to the two kinds.
abstract class ReachBed implements AutoCloseable {
    /// The addresses of a container on a network, and the host's there.
    record Place(String four, String six, String gateway4, String gateway6) {
        String address(int family) {
            return family == 4 ? four : six;
        }

        String gateway(int family) {
            return family == 4 ? gateway4 : gateway6;
        }
    }

    static final String PROGRAM = program();
    private static final int PATIENCE_SECONDS = 120;

    private final List<Process> servers = new ArrayList<>();
    private final Process neighbor;
    /// Process whose network namespace is the host's.
    private final long host;

    /// Makes the LAN.
    ///
    /// @param host a process in the host's network namespace
    ReachBed(long host) {
        this.host = host;
        neighbor = start(List.of("unshare", "-n", "sh", "-c", "ip link set lo up; echo up; exec sleep 1000"));
        try {
            int _ = neighbor.getInputStream().read();
            must(inHost(
                    "sh",
                    "-c",
                    "ip link set lo up; ip link del lan0 2>/dev/null; ip link add lan0 type veth peer name eth0 netns "
                            + neighbor.pid() + " && ip addr add " + Lan.HOST4 + "/24 dev lan0 && ip addr add "
                            + Lan.HOST6 + "/64 dev lan0 nodad && ip link set lan0 up"));
            must(inNeighbor(
                    "sh",
                    "-c",
                    "ip addr add " + Lan.NEIGHBOR4 + "/24 dev eth0; ip addr add " + Lan.NEIGHBOR6
                            + "/64 dev eth0 nodad; ip link set eth0 up; ip route add default via " + Lan.HOST4
                            + "; ip -6 route add default via " + Lan.HOST6));
            serve(inNeighbor(python("serve", ReachCells.NEIGHBOR, ReachCells.SERVED)));
            serve(inHost(python("serve", ReachCells.HOST, ReachCells.SERVICE)));
        } catch (IOException e) {
            close();
            throw new UncheckedIOException(e);
        }
    }

    private static String program() {
        try (InputStream stream = Objects.requireNonNull(ReachBed.class.getResourceAsStream("reach.py"))) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String[] python(String... arguments) {
        var command = new ArrayList<>(List.of("/usr/bin/python3", "-I", "-c", PROGRAM));
        command.addAll(List.of(arguments));
        return command.toArray(String[]::new);
    }

    final List<String> inHost(String... command) {
        var all = new ArrayList<>(List.of("nsenter", "-t", Long.toString(host), "-n"));
        all.addAll(List.of(command));
        return all;
    }

    private List<String> inNeighbor(String... command) {
        var all = new ArrayList<>(List.of("nsenter", "-t", Long.toString(neighbor.pid()), "-n"));
        all.addAll(List.of(command));
        return all;
    }

    /// Starts what serves until this is closed.
    private void serve(List<String> command) throws IOException {
        Process server = start(command);
        servers.add(server);
        int _ = server.getInputStream().read();
    }

    /// Asks targets, and returns the answer of each, `-` for none.
    ///
    /// @param who of a guest, the host or the neighbor
    final Map<String, String> ask(String who, double seconds, List<String> targets) {
        var arguments = new ArrayList<>(List.of("ask", Double.toString(seconds)));
        arguments.addAll(targets);
        String[] command = python(arguments.toArray(String[]::new));
        String said = switch (who) {
            case ReachCells.HOST -> must(inHost(command));
            case ReachCells.NEIGHBOR -> must(inNeighbor(command));
            default -> inside(who, command);
        };
        var answers = new LinkedHashMap<String, String>();
        said.lines().forEach(line -> {
            String[] parts = line.split(" ", 2);
            answers.put(parts[0], parts[1]);
        });
        return answers;
    }

    /// Runs a program in a guest.
    /// @return what it printed
    abstract String inside(String guest, String... command);

    /// Returns where guests are, by their name and the network's, as `web@open`.
    abstract Map<String, Place> places();

    static Process start(List<String> command) {
        try {
            var builder = new ProcessBuilder(command);
            builder.environment().merge("PATH", ":/usr/sbin:/sbin", String::concat);
            Process process = builder.redirectErrorStream(true).start();
            process.getOutputStream().close();
            return process;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Runs a command of the machine.
    /// @return what it printed
    static String must(List<String> command) {
        try {
            Process process = start(command);
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException(command.getFirst() + " " + command.getLast() + ": " + output);
            }
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    static Path scratch(String name) {
        return Path.of(
                "/var/tmp", "caisson-" + name + "-" + ProcessHandle.current().pid());
    }

    /// Returns the command that a guest runs.
    static String[] program(Guest guest) {
        return python("serve", guest.name(), guest.port());
    }

    @Override
    public void close() {
        servers.forEach(Process::destroyForcibly);
        neighbor.destroyForcibly();
    }
}
