package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Options of `run` for networks as a user types them, with packets and questions, in a network namespace of the test's
/// own.
@Tag("root")
@Timeout(300)
class NetworkRunOptionsTest {
    @TempDir
    private Path directory;

    @Test
    void ports_are_published_by_ranges_and_as_exposed_and_told_by_port() throws Exception {
        String printed = inNamespace("""
                ip addr add 192.0.2.1/24 dev lo
                caisson network create --ipv6 --subnet fd00:9::/64 --subnet 10.9.0.0/24 six >/dev/null
                caisson run -d --name web --network six --ip 10.9.0.7 --ip6 fd00:9::7 --expose 7000 --expose 7001/udp -P \
                  -p 192.0.2.1:9000-9001:80-81 host -- python3 -m http.server 7000 --bind :: 2>/dev/null >/dev/null
                caisson exec web ip -6 -o addr show eth0 scope global | xargs | cut -d' ' -f4
                caisson port web | sed -E 's/:[3-9][0-9]{4}$/:free/'
                echo of 81: $(caisson port web 81/tcp)
                caisson inspect -f '{{range $port, $_ := .Config.ExposedPorts}}{{$port}} {{end}}' web
                caisson port web 82 2>&1 | cut -d: -f2,3
                caisson port web 80-81 2>&1 | cut -d: -f2
                free=$(caisson port web 7000 | sed -n 's/.*0.0.0.0://p')
                for _ in $(seq 100); do curl -s -o page -m 3 192.0.2.1:$free/usr/lib/os-release && break; sleep 0.1; done
                cmp page /usr/lib/os-release && echo served
                caisson rm -f web
                """);

        assertThat(printed.lines())
                .containsExactly(
                        "fd00:9::7/64",
                        "80/tcp -> 192.0.2.1:9000",
                        "81/tcp -> 192.0.2.1:9001",
                        "7000/tcp -> 0.0.0.0:free",
                        "7001/udp -> 0.0.0.0:free",
                        "of 81: 192.0.2.1:9001",
                        "7000/tcp 7001/udp 80/tcp 81/tcp ",
                        " PORT_UNKNOWN: port 82/tcp of container web is not published",
                        " USAGE",
                        "served",
                        "web");
    }

    @Test
    void names_are_searched_below_domains_and_found_by_alias() throws Exception {
        String printed = inNamespace("""
                ip addr add 192.0.2.1/24 dev lo
                dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= \
                  --bind-interfaces --listen-address=192.0.2.1 --local=/example.test/ --local=/test/ \
                  --host-record=printer.example.test,198.51.100.9 --host-record=a.b.example.test,198.51.100.10 &
                trap 'kill %1' EXIT
                caisson network create web >/dev/null
                caisson run -d --name db --network web --network-alias shop host sleep 1000 2>/dev/null >/dev/null
                ask() {
                  caisson run --rm --network web --dns 192.0.2.1 --dns-search example.test "$@" host -- sh -c \
                    'tail -n +2 /etc/resolv.conf; for name in printer shop a.b db.web none; do
                       getent ahostsv4 $name | sed -n "s/ *STREAM */ /p" | sed "s/^/$name /"; done' 2>/dev/null
                }
                for _ in $(seq 100); do ss -Hlnu sport = :53 | grep -q 192.0.2.1 && break; sleep 0.05; done
                ask --dns-option ndots:1 | sed -E 's/172[0-9.]+/ours/'
                ask --dns-option ndots:3 | sed -E 's/172[0-9.]+/ours/'
                caisson rm -f db >/dev/null
                """);

        assertThat(printed.lines())
                .containsExactly(
                        "search example.test",
                        "options ndots:1",
                        "printer 198.51.100.9 printer.example.test",
                        "shop ours shop",
                        "a.b 198.51.100.10 a.b.example.test",
                        "db.web ours db.web",
                        "search example.test",
                        "options ndots:3",
                        "printer 198.51.100.9 printer.example.test",
                        "shop ours shop",
                        "a.b 198.51.100.10 a.b.example.test",
                        "db.web ours db.web");
    }

    private String inNamespace(String script) throws IOException, InterruptedException {
        String words = CommandProcess.ofJvm(List.of()).stream()
                .map(word -> "'" + word + "'")
                .collect(Collectors.joining(" "));
        String own = "PATH=$PATH:/usr/sbin; export CAISSON_SERVE=off; cd " + directory + "; caisson() { " + words
                + " \"$@\"; }; ip link set lo up\n";
        var builder = new ProcessBuilder("unshare", "-n", "bash", "-c", own + script).redirectErrorStream(true);
        builder.environment().put("CAISSON_STATE", directory.resolve("state").toString());
        builder.environment()
                .put(
                        "CAISSON_DATA",
                        Files.createDirectories(directory.resolve("data")).toString());
        Process process = builder.start();
        process.getOutputStream().close();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }
}
