package dev.caisson.network;

import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/// Prints what a published port costs while others are published already: containers with as many ports each are
/// started one after the other, and each port has its share of what its container takes more than one without ports.
final class PortCurve {
    private static final int FIRST_PORT = 30_000;
    private static final int PORTS = 1000;
    private static final int OF_ONE = 100;
    /// With docker's default each published port is one process more for each family.
    private static final int PORTS_WITH_PROCESSES = 200;

    private static final int OF_ONE_WITH_PROCESSES = 20;
    /// Docker's ports may take longer than anybody waits for.
    private static final long LONGEST_SECONDS = 120;

    private static final int UNPUBLISHED = 3;

    private PortCurve() {}

    static void print(Bed bed, Path directory) throws IOException {
        System.out.printf("%n%-32s %s%n", "a published port costs", "ms, behind so many others");
        ours(bed);
        dockers(
                "docker, --userland-proxy=false",
                directory.resolve("without"),
                List.of("--userland-proxy=false"),
                PORTS,
                OF_ONE);
        dockers(
                "docker, as it is by default",
                directory.resolve("with"),
                List.of(),
                PORTS_WITH_PROCESSES,
                OF_ONE_WITH_PROCESSES);
    }

    private static void ours(Bed bed) {
        var line = new StringBuilder();
        for (int done = 0; done < PORTS; done += OF_ONE) {
            int from = FIRST_PORT + done;
            Bed.Guest guest = bed.guest("web");
            List<PortMapping> ports = IntStream.range(0, OF_ONE)
                    .mapToObj(i -> new PortMapping(Optional.empty(), from + i, i + 1, Transport.TCP))
                    .toList();
            long begun = System.nanoTime();
            bed.on(all -> Bed.publish(all, guest.id(), ports));
            line.append(share(done, System.nanoTime() - begun, OF_ONE));
        }
        System.out.printf("%-32s%s%n", "ours", line);
    }

    private static void dockers(String whose, Path directory, List<String> options, int ports, int ofOne)
            throws IOException {
        var line = new StringBuilder();
        try (DockerBed docker = DockerBed.daemon(directory, options)) {
            long without = Long.MAX_VALUE;
            for (int i = 0; i < UNPUBLISHED; i++) {
                without = Math.min(without, docker.publish(0, 0));
            }
            long begun = System.nanoTime();
            for (int done = 0; done < ports; done += ofOne) {
                long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
                if (seconds >= LONGEST_SECONDS) {
                    line.append(" (given up behind ")
                            .append(done)
                            .append(" ports, ")
                            .append(seconds)
                            .append(" s)");
                    break;
                }
                line.append(share(done, docker.publish(FIRST_PORT + done, ofOne) - without, ofOne));
            }
        }
        System.out.printf("%-32s%s%n", whose, line);
    }

    private static String share(int done, long nanos, int ports) {
        return String.format(Locale.ROOT, " %d: %.2f", done, nanos / 1e6 / ports);
    }
}
