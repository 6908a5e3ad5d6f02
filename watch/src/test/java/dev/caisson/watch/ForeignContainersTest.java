package dev.caisson.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files as dockerd 26 and podman 5 write them.
class ForeignContainersTest {
    private static final String WEB = "6f1c0a".repeat(10) + "beef";
    private static final String OLD = "aa00bb".repeat(10) + "cafe";
    private static final String PASSING = "77ab12".repeat(10) + "abba";
    private static final String ROOTED = "31cd45".repeat(10) + "1dea";
    private static final String POD = "0d9e8f".repeat(10) + "f00d";

    @TempDir
    Path root;

    @BeforeEach
    void engines() throws IOException {
        docker(WEB, "web", 4711);
        docker(OLD, "old", 4712);
        docker("b".repeat(64), "stopped", 0);
        write("var/lib/docker/containers/not-a-container/other", "");
        write("var/lib/containers/storage/overlay-containers/containers.json", """
                [{"id": "POD", "names": ["pod", "alias"], "image": "i", "layer": "l", "metadata": "{}"},
                 {"id": "eeee", "names": ["gone"]}]""".replace("POD", POD));
        write("run/containers/storage/overlay-containers/" + POD + "/userdata/pidfile", "4713\n");
        write("var/lib/containers/storage/overlay-containers/volatile-containers.json", """
                [{"id": "PASSING", "names": ["passing"], "flags": {"Volatile": true}}]""".replace(
                        "PASSING", PASSING));
        write("run/containers/storage/overlay-containers/" + PASSING + "/userdata/pidfile", "4714\n");
        write("run/containers/storage/overlay-containers/" + ROOTED + "/userdata/pidfile", "4715\n");
        cgroup(4714, "7:pids:/libpod_parent/libpod-" + PASSING + "\n0::/\n");
        cgroup(4715, "0::/machine.slice/libpod-" + ROOTED + ".scope/container\n");
        cgroup(4711, "0::/system.slice/docker-" + WEB + ".scope\n");
        cgroup(4712, "0::/user.slice/session-1.scope\n");
        cgroup(4713, "7:pids:/libpod_parent/libpod-" + POD + "\n0::/\n");
    }

    @Test
    void a_running_container_is_found_by_its_name_and_by_the_beginning_of_its_id() {
        var containers = new ForeignContainers(root);

        assertThat(containers.find("web")).containsExactly(4711);
        assertThat(containers.find(WEB.substring(0, 12))).containsExactly(4711);
        assertThat(containers.find("pod")).containsExactly(4713);
        assertThat(containers.find("alias")).containsExactly(4713);
        assertThat(containers.find(POD)).containsExactly(4713);
    }

    @Test
    void one_that_goes_at_its_end_and_one_with_a_directory_for_its_root_are_found() {
        var containers = new ForeignContainers(root);

        assertThat(containers.find("passing")).containsExactly(4714);
        assertThat(containers.find(PASSING)).containsExactly(4714);
        assertThat(containers.find(ROOTED.substring(0, 12))).containsExactly(4715);
    }

    @Test
    void what_is_too_short_not_running_or_unknown_is_not_found() {
        var containers = new ForeignContainers(root);

        assertThat(containers.find(WEB.substring(0, 5))).isEmpty();
        assertThat(containers.find("stopped")).isEmpty();
        assertThat(containers.find("gone")).isEmpty();
        assertThat(containers.find("nobody")).isEmpty();
        assertThat(new ForeignContainers(root.resolve("var")).find("web")).isEmpty();
    }

    /// An engine that was killed leaves the pid in its files, and the kernel gives it to another process.
    @Test
    void a_pid_that_is_another_processs_by_now_is_no_container() {
        assertThat(new ForeignContainers(root).find("old")).isEmpty();
        assertThat(new ForeignContainers(root).find(OLD)).isEmpty();
    }

    @Test
    void a_file_that_is_no_json_is_an_error_that_names_it() throws IOException {
        write("var/lib/docker/containers/" + WEB + "/config.v2.json", "{\"Name\":" + "[".repeat(200_000));

        assertThatThrownBy(() -> new ForeignContainers(root).find("web"))
                .isInstanceOf(WatchException.class)
                .hasMessageContaining("config.v2.json is nested deeper");
    }

    private void docker(String id, String name, int pid) throws IOException {
        write(
                "var/lib/docker/containers/" + id + "/config.v2.json",
                """
                {"ID": "IDENTITY", "Name": "/NAME", "Config": {"Cmd": ["a"]}, "State": {"Running": true, "Pid": PID}}""".replace("IDENTITY", id).replace("NAME", name).replace("PID", Integer.toString(pid)));
    }

    private void cgroup(int pid, String groups) throws IOException {
        write("proc/" + pid + "/cgroup", groups);
    }

    private void write(String file, String text) throws IOException {
        Files.createDirectories(root.resolve(file).getParent());
        Files.writeString(root.resolve(file), text);
    }
}
