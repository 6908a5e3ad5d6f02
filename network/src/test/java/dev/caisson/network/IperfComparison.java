package dev.caisson.network;

import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Has iperf3 tell how much a way carries, by TCP and by UDP, one way after the other and all of them again.
final class IperfComparison {
    /// Port at which iperf3 serves in a container, and the port of the host that leads to it.
    static final int PORT = 5201;

    static final int PUBLISHED = 5202;
    private static final int TURNS = 3;
    private static final int SECONDS = 2;
    /// Fits into a packet of Ethernet.
    private static final int UDP_BYTES = 1400;

    private static final int PATIENCE_SECONDS = 10;
    private static final String RECEIVED = "import json, sys; sums = json.load(sys.stdin)['end'];"
            + " one = sums['sum_received']; print(one['bits_per_second'], sums.get('sum', one).get('lost_percent', 0))";

    /// A way that packets take.
    ///
    /// @param serves who answers at its end
    record Way(String name, Namespace from, InetAddress to, int port, Namespace serves) {}

    private IperfComparison() {}

    static void print(List<Way> ways) throws IOException, InterruptedException {
        var servers = new ArrayList<Process>();
        try {
            for (Namespace one : ways.stream().map(Way::serves).distinct().toList()) {
                servers.add(one.call(() -> new ProcessBuilder("iperf3", "-s", "-p", Integer.toString(PORT))
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start()));
                one.sh("for i in $(seq 100); do ss -Hlnt sport = :" + PORT
                        + " | grep -q . && exit; sleep 0.05; done; exit 1");
            }
            System.out.printf(
                    "%n%-36s %22s %22s %14s%n",
                    "iperf3, received Gbit/s", "TCP median (best)", "UDP median (best)", "UDP lost");
            var rates = new double[ways.size()][2][TURNS];
            var lost = new double[ways.size()];
            for (int turn = 0; turn < TURNS; turn++) {
                for (int i = 0; i < ways.size(); i++) {
                    rates[i][0][turn] = run(ways.get(i), "")[0] / 1e9;
                    double[] udp = run(ways.get(i), " -u -b 0 -l " + UDP_BYTES);
                    rates[i][1][turn] = udp[0] / 1e9;
                    lost[i] = Math.max(lost[i], udp[1]);
                }
            }
            for (int i = 0; i < ways.size(); i++) {
                System.out.printf(
                        "%-36s %22s %22s %12.1f %%%n",
                        ways.get(i).name(), spread(rates[i][0]), spread(rates[i][1]), lost[i]);
            }
        } finally {
            for (Process server : servers) {
                server.destroy();
                if (!server.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    server.destroyForcibly();
                }
            }
        }
    }

    private static String spread(double[] rates) {
        double[] sorted = rates.clone();
        Arrays.sort(sorted);
        return String.format(Locale.ROOT, "%.1f (%.1f)", sorted[sorted.length / 2], sorted[sorted.length - 1]);
    }

    /// @return bits per second that arrived, and how many of a hundred packets did not
    private static double[] run(Way way, String options) {
        String output = way.from()
                .sh("iperf3 -c " + way.to().getHostAddress() + " -p " + way.port() + " -t " + SECONDS
                        + " --connect-timeout 5000 -J" + options + " | python3 -I -c \"" + RECEIVED + "\"");
        return Arrays.stream(output.strip().split(" ", -1))
                .mapToDouble(Double::parseDouble)
                .toArray();
    }
}
