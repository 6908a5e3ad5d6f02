package dev.caisson.cli.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.HostAudit.HostJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RemoteHostsTest {
    @TempDir
    Path directory = Path.of("");

    private RemoteHosts standIn(String script) throws IOException {
        Path program = Files.writeString(directory.resolve("ssh"), "#!/bin/sh\n" + script + "\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        return new RemoteHosts(program.toString());
    }

    @Test
    void each_host_is_asked_for_its_facts_without_a_terminal_or_a_password() throws IOException {
        List<HostJson> hosts = standIn("echo \"$@\"").gather(List.of("ssh://root@web1:2222", "ssh://web2.example.org"));

        assertThat(hosts).extracting(HostJson::host).containsExactly("root@web1:2222", "web2.example.org");
        assertThat(hosts.getFirst().json().strip())
                .isEqualTo("-T -oBatchMode=yes -oConnectTimeout=10 -p2222 -- root@web1 caisson audit --save-facts -");
        assertThat(hosts).allMatch(host -> host.problem().isEmpty());
    }

    @Test
    void a_host_that_fails_is_told_beside_the_others() throws IOException {
        HostJson host = standIn("exit 255").gather(List.of("ssh://web1")).getFirst();

        assertThat(host.problem()).contains("status 255");
    }

    @Test
    void what_a_host_complains_of_is_told_in_one_line_that_steers_no_terminal() throws IOException {
        HostJson host = standIn(
                        "yes complaint | head -c 9000000 >&2; printf '\\033[31mno such program\\n' >&2; exit 127")
                .gather(List.of("ssh://web1"))
                .getFirst();

        assertThat(host.problem()).contains("status 127", "no such program").hasSizeLessThan(3000);
        assertThat(host.problem().codePoints()).noneMatch(Character::isISOControl);
    }

    @Test
    void a_host_that_sends_without_end_is_not_read_to_the_end() throws IOException {
        HostJson host =
                standIn("exec cat /dev/zero").gather(List.of("ssh://web1")).getFirst();

        assertThat(host.problem()).contains("32 MiB");
        assertThat(host.json()).isEmpty();
    }

    @Test
    @Timeout(20)
    void a_connection_that_stays_open_behind_it_is_not_waited_for() throws IOException {
        HostJson host =
                standIn("sleep 50 >&2 & exit 255").gather(List.of("ssh://web1")).getFirst();

        assertThat(host.problem()).contains("status 255");
    }

    @Test
    void what_ssh_could_take_for_an_option_is_refused() throws IOException {
        RemoteHosts hosts = standIn("true");

        for (String bad : List.of("ssh://-oProxyCommand=x", "web1", "ssh://a b", "ssh://-x@web", "http://web")) {
            assertThatThrownBy(() -> hosts.gather(List.of(bad)))
                    .as(bad)
                    .isInstanceOfSatisfying(
                            AuditException.class,
                            problem -> assertThat(problem.reason()).isEqualTo(AuditException.Code.OPTION_INVALID));
        }
    }
}
