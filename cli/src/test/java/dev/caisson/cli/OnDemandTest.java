package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A resident engine is started by the command that starts a container which needs it, and ends when nobody does. Each
/// test has a network namespace, directories and a clone of its own, and shares the copy of the host's files.
@Tag("root")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class OnDemandTest {
    private static final String OWN = """
            PATH=$PATH:/usr/sbin
            ip link set lo up
            mkdir -m 700 $CAISSON_DATA $CAISSON_DATA/images
            mkdir -p /var/lib/caisson/images && mount --bind /var/lib/caisson/images $CAISSON_DATA/images
            cd CLONE
            caisson() {
              if [[ -S $CAISSON_STATE/serve/socket ]]; then FRONT "$@"; else ./caisson "$@"; fi
            }
            engines() {
              local process
              for process in /proc/[0-9]*; do
                if grep -qzx "CAISSON_STATE=$CAISSON_STATE" $process/environ && grep -qzx serve $process/cmdline; then
                  echo ${process#/proc/}
                fi
              done 2>/dev/null
            }
            soon() { # COMMAND: until it succeeds
              for _ in {1..400}; do if "$@"; then return 0; fi; sleep 0.1; done
              echo "not in time: $*"
              cat $CAISSON_STATE/serve/log
              return 1
            }
            ended() { [[ -z $(engines) ]]; }
            found() { caisson exec --timeout 3s $1 getent hosts $2 >/dev/null 2>&1; }
            served() { curl -s -m 5 $1:8080 >/dev/null; }
            clean() {
              caisson rm -f $(caisson ps -aq) >/dev/null
              kill $(engines) 2>/dev/null
              soon ended
            }
            trap clean EXIT
            """;

    @TempDir
    private Path directory;

    @BeforeEach
    void make() throws Exception {
        ServedProcess.makeClone(directory, List.of("-Dcaisson.home=" + ServedProcess.home(directory)));
    }

    @Test
    void names_and_loopback_ports_work_from_a_shell_that_has_never_heard_of_it() throws Exception {
        String printed = inNamespace("""
                export SECRET=of-the-caller
                caisson network create web >/dev/null
                caisson run -d --network web --name db host -- sleep 1000 >/dev/null
                caisson run -d --network web --name web -p 8080:80 host -- python3 -m http.server 80 >/dev/null
                [[ -n $(ss -Hltn sport = :8080) ]] && echo listens
                soon found web db && echo found
                soon served 127.0.0.1 && soon served [::1] && echo served
                one=$(engines)
                grep -cz SECRET /proc/$one/environ
                [[ $(ps -o sid= -p $one) -eq $one && $(ps -o sid= -p $$) -ne $one ]] && echo session
                readlink /proc/$one/fd/1
                stat -c '%a %U' $CAISSON_STATE/serve $CAISSON_STATE/serve/log
                kill -9 $one
                soon ended
                caisson restart -t 0 web >/dev/null
                [[ $(engines) -ne $one ]] && soon found web db && soon served 127.0.0.1 && echo again
                """);

        assertThat(printed.lines())
                .containsExactly(
                        "listens", "found", "served", "0", "session", "/dev/null", "700 root", "600 root", "again");
    }

    @Test
    void two_commands_at_once_start_one() throws Exception {
        String printed = inNamespace("""
                caisson network create web >/dev/null
                ./caisson run -d --network web --name one host -- sleep 1000 >/dev/null &
                ./caisson run -d --network web --name two host -- sleep 1000 >/dev/null &
                wait %1 %2
                single() { [[ $(engines | wc -l) -eq 1 ]]; }
                soon single && soon found one two && soon found two one && echo both
                """);

        assertThat(printed.lines()).containsExactly("both");
    }

    @Test
    void none_is_started_for_who_does_not_need_it_or_want_it() throws Exception {
        String printed = inNamespace("""
                caisson network create web >/dev/null
                caisson run -d host -- sleep 1000 >/dev/null
                caisson run -d --network bridge host -- sleep 1000 >/dev/null
                caisson run --rm --network web host -- true
                CAISSON_SERVE=off caisson run -d --network web host -- sleep 1000 2>&1 >/dev/null | grep -c 'by name'
                CAISSON_SERVE=off caisson run -d --network web -p 127.0.0.1:8080:80 host -- sleep 1000 2>&1 | grep -o PORT_REFUSED
                ended && echo none
                """);

        assertThat(printed.lines()).containsExactly("1", "PORT_REFUSED", "none");
    }

    @Test
    void it_stays_for_its_containers_and_ends_after_them() throws Exception {
        String printed = inNamespace("""
                caisson network create web >/dev/null
                ./caisson serve --on-demand --idle 1s 2>log &
                soon test -S $CAISSON_STATE/serve/socket
                caisson run -d --network web --name one host -- sleep 1000 >/dev/null
                sleep 3
                found one one && echo there
                caisson stop -t 0 one >/dev/null
                soon ended && echo ended
                [[ ! -e $CAISSON_STATE/serve/socket ]] && echo closed
                cat log
                """);

        assertThat(printed.lines().toList().subList(0, 3)).containsExactly("there", "ended", "closed");
        assertThat(printed.lines().skip(3)).singleElement().asString().startsWith("caisson: serving commands below");
    }

    @Test
    void one_that_is_started_by_hand_takes_its_place_when_its_commands_have_ended() throws Exception {
        String printed = inNamespace("""
                caisson network create web >/dev/null
                caisson run -d --network web --name one host -- sleep 1000 >/dev/null
                first=$(engines)
                caisson run --rm host -- sh -c 'sleep 4; echo not interrupted' &
                sleep 1
                ./caisson serve 2>by-hand &
                soon grep -qs serving by-hand || cat by-hand
                replaced() { local now; now=$(engines); [[ $now =~ ^[0-9]+$ && $now -ne $first ]]; }
                soon replaced && soon found one one && echo replaced
                ./caisson serve; echo $?
                wait %1
                """);

        assertThat(printed.lines().toList().subList(0, 2)).containsExactly("not interrupted", "replaced");
        assertThat(printed).contains("SERVE_RUNNING").endsWith("125\n");
    }

    @Test
    void its_log_is_short() throws Exception {
        Path log = directory.resolve("log");
        Files.write(log, new byte[(int) IdleWatch.MOST_LOG_BYTES]);
        IdleWatch.shorten(log);
        assertThat(log).hasSize(IdleWatch.MOST_LOG_BYTES);

        Files.write(log, new byte[(int) IdleWatch.MOST_LOG_BYTES + 1]);
        IdleWatch.shorten(log);
        assertThat(log).isEmptyFile();
    }

    private String inNamespace(String script) throws IOException, InterruptedException {
        String own = OWN.replace("CLONE", directory.toString())
                .replace("FRONT", String.join(" ", ServedProcess.front(directory)));
        var builder = new ProcessBuilder("timeout", "200", "unshare", "-n", "-m", "bash", "-c", own + script)
                .redirectErrorStream(true);
        builder.environment().put("CAISSON_STATE", directory.resolve("state").toString());
        builder.environment().put("CAISSON_DATA", directory.resolve("data").toString());
        builder.environment().remove("CAISSON_SERVE");
        Process process = builder.start();
        process.getOutputStream().close();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }
}
