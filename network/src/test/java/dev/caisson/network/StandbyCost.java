package dev.caisson.network;

import dev.caisson.network.NetworksBenchmark.Way;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Prints what connections do with and without the tables of the resident engine that drop what ours have not judged,
/// by turns.
final class StandbyCost {
    private static final int PUBLISHED = 8090;
    private static final int PORT = 80;
    private static final int TURNS = 8;

    private StandbyCost() {}

    static void print(Bed bed) {
        Bed.Guest client = bed.guest("web");
        var id = ContainerId.random();
        Bed.Guest server = bed.started(id, bed.on(all -> all.attach(id, "", List.of(NetworkEndpoint.on("web")))));
        bed.on(all -> Bed.publish(all, id, List.of(new PortMapping(Optional.empty(), PUBLISHED, PORT, Transport.TCP))));
        NetworksBenchmark.serve(server.namespace());
        var ways = List.of(
                new Way("neighbor to published", bed.neighbor, InetAddress.ofLiteral(Bed.HOST), PUBLISHED),
                new Way("container to container", client.namespace(), server.ip4(), PORT));
        var latencies = new long[2][ways.size()][TURNS * NetworksBenchmark.CONNECTIONS];
        var rates = new double[2][ways.size()][TURNS];
        for (int turn = -1; turn < TURNS; turn++) { // the first warms up
            for (int with = 0; with < 2; with++) {
                set(bed, with == 1);
                for (int i = 0; i < ways.size(); i++) {
                    Way way = ways.get(i);
                    long[] found = way.from().call(() -> NetworksBenchmark.connections(way));
                    double rate = way.from().call(() -> NetworksBenchmark.stream(way));
                    if (turn >= 0) {
                        System.arraycopy(found, 0, latencies[with][i], turn * found.length, found.length);
                        rates[with][i][turn] = rate;
                    }
                }
            }
        }
        System.out.printf(
                "%n%-40s %34s %18s%n",
                "TCP, by what our tables judge", "connection, question and answer", "median Gbit/s");
        for (int i = 0; i < ways.size(); i++) {
            for (int with = 0; with < 2; with++) {
                Arrays.sort(rates[with][i]);
                System.out.printf(
                        "%-40s %34s %18.1f%n",
                        ways.get(i).name() + (with == 1 ? ", looked at again" : ", alone"),
                        NetworksBenchmark.spread(latencies[with][i]),
                        rates[with][i][TURNS / 2]);
            }
        }
    }

    /// The tables go with the socket of those who opened the networks.
    private static void set(Bed bed, boolean standingBy) {
        bed.reopen();
        if (standingBy) {
            bed.on(all -> {
                all.standBy();
                return 0;
            });
        }
        boolean there = bed.host.sh("nft list tables").contains("-unseen");
        if (there != standingBy) {
            throw new IllegalStateException(
                    "the tables that belong to a socket are " + (there ? "" : "not ") + "there");
        }
    }
}
