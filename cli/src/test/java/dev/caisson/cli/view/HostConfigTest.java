package dev.caisson.cli.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.spec.ContainerId;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The options that a container was made with, as `inspect` tells them.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class HostConfigTest {
    private final String name = "config-" + ContainerId.random().shortForm();

    @AfterEach
    void remove() {
        Answer.caisson("rm", "-f", name);
    }

    private void created(String options) {
        var words = new java.util.ArrayList<>(List.of("create", "--name", name));
        words.addAll(List.of(options.split(" ")));
        words.addAll(List.of("host", "true"));
        Answer answer = Answer.caisson(words.toArray(String[]::new));
        assertThat(answer.status()).as(answer.err()).isZero();
    }

    private String inspected(String fields) {
        return Answer.caisson("inspect", "-f", "{{with .HostConfig}}" + fields + "{{end}}", name)
                .out()
                .strip();
    }

    @Test
    void limits_have_dockers_names_and_units() {
        created("-m 64m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 20");

        assertThat(inspected("{{.Memory}} {{.MemoryReservation}} {{.NanoCpus}} {{.CpuShares}} {{.CpusetCpus}}"))
                .isEqualTo("67108864 33554432 500000000 512 0");
        assertThat(inspected("{{.PidsLimit}} {{.OomKillDisable}}")).isEqualTo("20 false");

        assertThat(Answer.caisson("update", "--cpus", "0.25", name).status()).isZero();
        assertThat(inspected("{{.NanoCpus}} {{.Memory}}")).isEqualTo("250000000 67108864");
    }

    @Test
    void what_has_no_limit_is_a_number_below_all_others() {
        created("-m 64m --memory-swap -1 --pids-limit -1");

        assertThat(inspected("{{.Memory}} {{.MemorySwap}} {{.PidsLimit}}")).isEqualTo("67108864 -1 -1");
    }

    @Test
    void privileges_and_files_are_told() {
        created(
                "--cap-drop ALL --cap-add CHOWN --group-add 7 --oom-score-adj 600 --ulimit nofile=100:200"
                        + " --tmpfs /scratch:size=1m --shm-size 2m --security-opt seccomp=unconfined --allow unconfined-seccomp");

        assertThat(inspected("{{.CapAdd}} {{.GroupAdd}} {{.OomScoreAdj}} {{.ShmSize}}"))
                .isEqualTo("[CAP_CHOWN] [7] 600 2097152");
        assertThat(inspected("{{range .Ulimits}}{{.Name}} {{.Soft}} {{.Hard}}{{end}}"))
                .isEqualTo("nofile 100 200");
        assertThat(inspected("{{json .SecurityOpt}}")).isEqualTo("[\"no-new-privileges\",\"seccomp=unconfined\"]");
        assertThat(inspected("{{range $path, $options := .Tmpfs}}{{$path}} {{$options}}{{end}}"))
                .startsWith("/scratch size=1048576,mode=");
    }
}
