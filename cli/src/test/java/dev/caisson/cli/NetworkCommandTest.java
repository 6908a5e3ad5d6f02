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
import org.junit.jupiter.api.io.TempDir;

/// `caisson network` from the outside, in a network namespace of the test's own.
@Tag("root")
class NetworkCommandTest {
    @TempDir
    private Path directory;

    @Test
    void networks_are_made_listed_inspected_and_removed() throws Exception {
        String printed = inNamespace("""
                set -e
                caisson network create --subnet 10.9.0.0/24 --ip-range 10.9.0.128/25 --gateway 10.9.0.9 --internal \
                  --opt mtu=1400 -o icc=false --label team=core --label plain -d bridge one > id
                caisson network create --ipv6 two > /dev/null
                caisson network ls --format '{{.Name}} {{.Driver}} {{.Internal}} {{.IPv6}}'
                echo quiet $(caisson network ls -q --no-trunc --filter label=team=core --filter name=on) is $(cat id)
                caisson network ls --filter type=builtin -q
                caisson network inspect one -f '{{.Name}} {{.Internal}} {{range .IPAM.Config}}{{.Subnet}} {{.IPRange}} {{.Gateway}}{{end}} {{json .Labels}} {{json .Options}}'
                caisson inspect -f '{{.Name}} {{.Driver}}' two none-such 2>/dev/null || echo $?
                caisson inspect --type volume two 2>&1 | cut -d: -f2 | head -1
                ip -br addr show type bridge | tr -s ' ' | cut -d' ' -f3 | sort
                caisson network rm one
                caisson network rm -f none-such
                caisson network prune -f --filter label=none
                caisson network prune -f
                caisson network ls -q
                ip -o link | wc -l
                """);

        List<String> lines = printed.lines().toList();
        assertThat(lines.subList(0, 2)).containsExactly("one bridge true false", "two bridge false true");
        String[] quiet = lines.get(2).split(" ", -1);
        assertThat(quiet[1]).hasSize(64).isEqualTo(quiet[3]);
        assertThat(lines.get(3))
                .startsWith("one true 10.9.0.0/24 10.9.0.128/25 10.9.0.9")
                .contains("{\"team\":\"core\",\"plain\":\"\"}")
                .contains("\"com.docker.network.bridge.enable_icc\":\"false\"")
                .contains("\"com.docker.network.driver.mtu\":\"1400\"");
        assertThat(lines.subList(4, lines.size()))
                .containsExactly(
                        "two bridge",
                        "1",
                        " VOLUME_UNKNOWN",
                        "10.9.0.9/24",
                        "172.28.0.1/22",
                        "one",
                        "Deleted Networks:",
                        "two",
                        "",
                        "1");
    }

    @Test
    void events_tell_of_networks_and_who_comes_and_goes() throws Exception {
        String printed = inNamespace("""
                set -e
                caisson network create one > one
                caisson network create two > two
                caisson create --name box --network one host -- sh -c 'sleep 1.2; exit 3' 2>/dev/null > id
                caisson network connect two box 2>/dev/null
                caisson network disconnect two box
                caisson start box > /dev/null 2>&1
                caisson wait box
                caisson network rm two 2>&1 > /dev/null
                caisson events --since 10m --until 0s --filter type=network \
                  --format '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}'
                caisson rm box > /dev/null
                echo ends $(caisson events --since 10m --until 0s -f network=one -f event=disconnect --format '{{.Action}}')
                test "$(caisson events --since 10m --until 0s -f network=one -f event=create --format '{{.Actor.ID}}')" = $(cat one)
                test "$(caisson events --since 10m --until 0s -f network=$(cut -c-12 one) -f event=connect \
                  --format '{{.Actor.Attributes.container}}')" = $(cat id)
                caisson events --since 10m --until 0s -f container=box -f event=die \
                  --format '{{.Actor.Attributes.execDuration}} {{.Actor.Attributes.exitCode}}'
                """);

        assertThat(printed.lines())
                .containsExactly(
                        "3",
                        "create one bridge",
                        "create two bridge",
                        "connect two bridge",
                        "disconnect two bridge",
                        "connect one bridge",
                        "disconnect one bridge",
                        "destroy two bridge",
                        "ends disconnect",
                        "1 3");
    }

    @Test
    void options_and_filters_are_dockers() throws Exception {
        String printed = inNamespace("""
                set -e
                caisson network create -d bridge --attachable --scope local --ipam-driver default                   -o com.docker.network.bridge.enable_ip_masquerade=true                   -o com.docker.network.bridge.host_binding_ipv4=0.0.0.0 --label x=1 --label y --ipv4 ab > id
                caisson network create a > /dev/null
                list() { echo $(caisson network ls --format '{{.Name}}' "$@"); }
                list --filter name=a
                list --filter name=^a$
                list --filter name='('
                list --filter id=$(cut -c 5-20 id)
                caisson network ls --filter label=x --format '{{.Name}} {{.IPv4}} {{.Label "x"}} {{.Label "none"}}'
                caisson network inspect -v -f '{{.Name}}' a
                caisson network prune -f --filter until=1h
                caisson network prune -f --filter label!=x
                caisson network prune -f --filter label!=z --filter label=x=2
                list
                caisson network prune -f --filter until=0s
                list
                for option in --scope=swarm --ipv4=false --ipam-driver=other --ipam-opt=k=v --aux-address=h=10.9.0.7                     --config-only --config-from=a --ingress --opt=com.docker.network.bridge.name=br9                     --opt=com.docker.network.bridge.enable_ip_masquerade=false; do
                  caisson network create $option c 2>&1 | cut -d: -f2,3 || true
                done
                list
                """);

        assertThat(printed.lines())
                .containsExactly(
                        "a ab",
                        "a",
                        "",
                        "ab",
                        "ab true 1",
                        "a",
                        "Deleted Networks:",
                        "a",
                        "",
                        "ab",
                        "Deleted Networks:",
                        "ab",
                        "",
                        "",
                        " OPTION_REFUSED: --scope",
                        " OPTION_REFUSED: --ipv4",
                        " OPTION_REFUSED: --ipam-driver",
                        " OPTION_REFUSED: --ipam-opt",
                        " OPTION_REFUSED: --aux-address",
                        " OPTION_REFUSED: --config-only",
                        " OPTION_REFUSED: --config-from",
                        " OPTION_REFUSED: --ingress",
                        " OPTION_REFUSED: --opt com.docker.network.bridge.name",
                        " OPTION_REFUSED: --opt com.docker.network.bridge.enable_ip_masquerade",
                        "");
    }

    @Test
    void a_container_is_connected_and_disconnected() throws Exception {
        String printed = inNamespace("""
                export CAISSON_SERVE=off
                caisson network create --subnet 10.9.0.0/24 one >/dev/null
                caisson run -d --name web --network bridge host -- sleep 1000 >/dev/null
                caisson network connect --alias shop --ip 10.9.0.7 one web
                caisson exec web ip -o -4 addr show eth1 | xargs | cut -d' ' -f4
                caisson inspect -f '{{.NetworkSettings.Networks.one.Aliases}}' web
                caisson network disconnect default web
                caisson exec web ip -o link | cut -d: -f2 | cut -d@ -f1 | xargs
                caisson network connect --ip 10.9.0.7 nix web || echo $?
                caisson network connect --ip 10.9.0 one web || echo $?
                caisson network connect --link db bridge web || echo $?
                caisson network connect one web || echo $?
                caisson network disconnect bridge web || echo $?
                caisson network disconnect -f bridge web && echo not
                caisson network rm one || echo $?
                caisson rm -f web
                """);

        List<String> lines = printed.lines().toList();
        assertThat(lines.stream().filter(line -> !line.contains("caisson: ")))
                .containsExactly("10.9.0.7/24", "[shop web]", "lo eth1", "1", "1", "1", "1", "1", "not", "1", "web");
        assertThat(lines.stream().filter(line -> line.contains("caisson: ")).map(line -> line.split(": ", -1)[1]))
                .containsExactly(
                        "note",
                        "NETWORK_NOT_FOUND",
                        "OPTION_REFUSED",
                        "LINK_REFUSED",
                        "NETWORK_REFUSED",
                        "NOT_CONNECTED",
                        "NETWORK_IN_USE");
    }

    @Test
    void a_container_is_linked_by_a_name_of_its_own() throws Exception {
        String printed = inNamespace("""
                export CAISSON_SERVE=off
                caisson network create --opt icc=false --subnet 10.9.0.0/24 apart >/dev/null
                caisson run -d --name db --network apart --expose 80 host -- python3 -m http.server 80 >/dev/null
                caisson run -d --name web --network apart --link db:database host -- sleep 1000 >/dev/null
                caisson exec web sh -c 'grep database /etc/hosts | tr "\t" " " | cut -d" " -f1,2,4; echo $DATABASE_PORT'
                caisson exec web python3 -c 'import urllib.request as u
                for i in range(50):
                    try: print(u.urlopen("http://database/etc/hostname").status); break
                    except OSError as e: last = e; __import__("time").sleep(0.1)
                else: print(last)'
                caisson inspect -f '{{.HostConfig.Links}} {{.NetworkSettings.Networks.apart.Links}}' web
                caisson run --rm --network apart --link db:-a host -- true || echo $?
                caisson run --rm --network apart --link nobody host -- true || echo $?
                caisson run --rm --network bridge --link db host -- true || echo $?
                caisson run --rm --network none --link db host -- true || echo $?
                caisson rm -f web db
                """);

        assertThat(printed.lines().filter(line -> !line.contains("caisson: ")))
                .containsExactly(
                        "10.9.0.2 database db",
                        "tcp://10.9.0.2:80",
                        "200",
                        "[/db:/web/database] [db:database]",
                        "125",
                        "125",
                        "125",
                        "125",
                        "web",
                        "db");
        assertThat(printed.lines().filter(line -> line.contains("caisson: ")).map(line -> line.split(": ", -1)[1]))
                .filteredOn(code -> !code.equals("note"))
                .containsExactly("OPTION_REFUSED", "LINK_REFUSED", "LINK_REFUSED", "OPTION_REFUSED");
    }

    @Test
    void what_is_wrong_is_said_by_name_and_nothing_is_made() throws Exception {
        String printed = inNamespace("""
                caisson network create --gateway 10.9.0.1 one || echo $?
                caisson network create --subnet 10.9.0.1/24 one || echo $?
                caisson network create --opt colour=red one || echo $?
                caisson network create -d overlay one || echo $?
                caisson network inspect one || echo $?
                caisson network ls --filter colour=red || echo $?
                caisson network create a > /dev/null; caisson network create a || echo $?
                ip -o link show type bridge | wc -l
                """);

        assertThat(printed.lines().filter(line -> line.contains("caisson: ")).map(line -> line.split(": ", -1)[1]))
                .containsExactly(
                        "USAGE", "ARGUMENT_INVALID", "USAGE", "USAGE", "NETWORK_NOT_FOUND", "USAGE", "NETWORK_EXISTS");
        assertThat(printed.lines().toList().getLast()).isEqualTo("1");
    }

    @Test
    void a_plan_shows_the_networks_and_makes_nothing() throws Exception {
        String printed = inNamespace("""
                caisson network create --subnet 10.9.0.0/24 back > /dev/null
                caisson network create --internal --subnet 10.8.0.0/24 db > /dev/null
                caisson plan run --network db --network back --ip 10.8.0.7 --mac-address 02:00:00:00:00:09 \
                  -p 8080:80 -p 443 --egress api.example.com:443 --allow host-services=5432 --network-bandwidth in=1gbit host -- true > plan
                sed -n '/^   network/,/^   host/p' plan
                caisson plan run --network db --network back --dns 192.0.2.53 --format json host -- true |
                  grep -o '"network":{"container".*'
                caisson plan run host -- true | grep '^   network'
                ip -o link show type bridge | wc -l; ip -o link show type veth | wc -l
                """);

        List<String> lines = printed.lines().toList();
        assertThat(lines)
                .startsWith("   network   db: 10.8.0.7/24 on eth0 (02:00:00:00:00:09), gateway 10.8.0.1, internal")
                .contains(
                        "   ports     0.0.0.0:8080->80/tcp, 443/tcp at a free port",
                        "   egress    api.example.com:443, and its networks",
                        "   names     asked at 127.0.0.11",
                        "   bandwidth in=1gbit on each",
                        "   host      services at 5432/tcp",
                        "   network   loopback alone");
        assertThat(lines.get(1))
                .startsWith("   network   back: 10.9.0.2/24 on eth1 (")
                .endsWith("), gateway 10.9.0.1, default route");
        assertThat(lines.get(7))
                .contains("\"network\":\"db\",\"device\":\"eth0\"", "\"addresses\":[\"10.8.0.2/24\"]")
                .contains("\"internal\":true,\"routed\":false", "\"egress\":\"all\"")
                .endsWith("\"servers\":[\"127.0.0.11\"]}}");
        assertThat(lines.subList(lines.size() - 2, lines.size())).containsExactly("2", "0");
    }

    @Test
    void an_image_has_the_default_network_and_the_hosts_files_have_loopback_alone() throws Exception {
        String printed = inNamespace("""
                mkdir -p root/bin root/etc && cp /bin/busybox root/bin/ && ln -s busybox root/bin/ip
                run() { caisson run --rm "$@"; }
                links() { cut -d: -f2 | cut -d@ -f1 | xargs; }
                echo $(run host -- ip -o link | links)
                CAISSON_NETWORK=none run dir:root -- ip -o link | links
                ip -o link show type bridge | wc -l
                unset CAISSON_NETWORK
                run dir:root -- ip -o link | links
                run --network none dir:root -- ip -o link | links
                caisson network create --subnet 10.9.0.0/24 web >/dev/null
                CAISSON_NETWORK=web run dir:root -- ip -o -4 addr show eth0 | xargs | cut -d' ' -f4
                caisson network ls --format '{{.Name}}'
                run -p 80 host -- true || echo $?
                caisson network rm bridge web >/dev/null
                caisson plan run dir:root -- ip | grep -c 'eth0 .*route to'
                caisson network ls -q | wc -l
                rm -rf $CAISSON_DATA/images
                """);

        assertThat(printed.lines().filter(line -> !line.contains("caisson: ")))
                .containsExactly("lo", "lo", "0", "lo eth0", "lo", "10.9.0.2/24", "bridge", "web", "125", "1", "0");
        assertThat(printed).contains("OPTION_REFUSED");
    }

    @Test
    void a_host_that_gives_no_network_says_how_to_run_without() throws Exception {
        String printed = inNamespace("""
                mkdir -p root/bin root/etc && cp /bin/busybox root/bin/
                unset CAISSON_NETWORK
                words="setpriv --bounding-set -net_admin"
                caisson() { $words ENGINE "$@"; }
                caisson run --rm dir:root -- busybox true || echo $?
                caisson run --rm --network none dir:root -- busybox true && echo without
                """.replace("ENGINE", words()));

        assertThat(printed.lines().toList())
                .first()
                .asString()
                .startsWith("caisson: NETWORK_UNAVAILABLE")
                .contains("--network none");
        assertThat(printed.lines().skip(1)).containsExactly("125", "without");
    }

    private static String words() {
        return CommandProcess.ofJvm(List.of()).stream()
                .map(word -> "'" + word + "'")
                .collect(Collectors.joining(" "));
    }

    private String inNamespace(String script) throws IOException, InterruptedException {
        Path data = Files.createDirectories(directory.resolve("data"));
        String own = "PATH=$PATH:/usr/sbin; cd " + directory + "; caisson() { " + words()
                + " \"$@\"; }; ip link set lo up\n";
        var builder = new ProcessBuilder("unshare", "-n", "bash", "-c", own + script).redirectErrorStream(true);
        builder.environment().put("CAISSON_STATE", directory.resolve("state").toString());
        builder.environment().put("CAISSON_DATA", data.toString());
        Process process = builder.start();
        process.getOutputStream().close();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }
}
