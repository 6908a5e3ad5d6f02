package dev.caisson.engine;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.KernelText;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// The TCP ports of loopback that the resident engine relays to a container that was started, so that whoever has
/// started it finds them. A listening socket is looked for; nothing is sent to the container.
final class RelayedPorts {
    private static final List<Path> TABLES = List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"));
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long PAUSE_MILLIS = 5;
    private static final int PORT = 1;
    private static final int STATE = 3;
    private static final String LISTENING = "0A";

    private RelayedPorts() {}

    /// Waits until they all listen, for at most a second.
    static void await(ContainerId container, EngineOptions options) throws InterruptedException {
        Set<Integer> wanted = NetworkPlaces.of(container, options).ports().stream()
                .filter(port -> port.transport() == Transport.TCP)
                .filter(port ->
                        port.address().isEmpty() || port.address().get().isAnyLocalAddress() || port.isLoopback())
                .map(PortMapping::hostPort)
                .collect(Collectors.toSet());
        long begun = System.nanoTime();
        while (!listening().containsAll(wanted) && System.nanoTime() - begun < PATIENCE_NANOS) {
            Thread.sleep(PAUSE_MILLIS);
        }
    }

    /// Returns the ports that processes of this network namespace listen at, as proc_net_tcp.rst of the kernel tells.
    private static Set<Integer> listening() {
        var ports = new HashSet<Integer>();
        for (Path table : TABLES) {
            try {
                for (String line : KernelText.lines(ByteText.read(table)).toList()) {
                    String[] fields = line.strip().split("\\s+", STATE + 2);
                    if (fields.length > STATE && fields[STATE].equals(LISTENING)) {
                        ports.add(Integer.parseInt(fields[PORT].substring(fields[PORT].lastIndexOf(':') + 1), 16));
                    }
                }
            } catch (IOException e) {
                // a kernel without IPv6
            }
        }
        return ports;
    }
}
