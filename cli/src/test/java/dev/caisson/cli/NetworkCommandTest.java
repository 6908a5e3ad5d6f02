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
                .containsExactly("10.9.0.9/24", "172.28.0.1/22", "one", "Deleted Networks:", "two", "", "1");
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

    private String inNamespace(String script) throws IOException, InterruptedException {
        Path data = Files.createDirectories(directory.resolve("data"));
        String words = CommandProcess.ofJvm(List.of()).stream()
                .map(word -> "'" + word + "'")
                .collect(Collectors.joining(" "));
        String own =
                "PATH=$PATH:/usr/sbin; cd " + directory + "; caisson() { " + words + " \"$@\"; }; ip link set lo up\n";
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
