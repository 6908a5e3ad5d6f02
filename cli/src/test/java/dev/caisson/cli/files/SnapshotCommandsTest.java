package dev.caisson.cli.files;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.Terminal;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Snapshots on the command line.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SnapshotCommandsTest {
    private final String name = "snap-" + ProcessHandle.current().pid() + "-" + System.nanoTime();

    @AfterEach
    void remove() {
        caisson("rm", "-f", name, name + "-fork");
        caisson("snapshot", "rm", "-f", name);
    }

    private static Answer caisson(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int status = Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments);
        return new Answer(status, out.toString(), err.toString());
    }

    @Test
    void one_is_taken_listed_started_from_and_removed() {
        assertThat(caisson("run", "-d", "--name", name, "host", "--", "sleep", "1000")
                        .status())
                .isZero();
        assertThat(caisson("exec", name, "sh", "-c", "echo prepared >/srv/result")
                        .status())
                .isZero();

        assertThat(caisson("snapshot", "create", name, name)).isEqualTo(new Answer(0, name + "\n", ""));
        assertThat(caisson("snapshot", "create", name, name).err()).contains("SNAPSHOT_EXISTS");
        assertThat(caisson("snapshot", "create", name, "a/b").err()).contains("is not a name of a snapshot");
        assertThat(caisson("snapshot", "create", name).err()).contains("Missing required parameter: 'NAME'");
        assertThat(caisson("snapshot", "ls", "-q").out().lines()).contains(name);
        assertThat(caisson("snapshot", "ls", "--format", "{{.Name}} {{.Container}} {{.Image}} {{.Size}}")
                        .out()
                        .lines())
                .contains(name + " " + name + " host 9B");

        assertThat(caisson("run", "--rm", "--from-snapshot", name, "--", "grep", "-q", "prepared", "/srv/result"))
                .isEqualTo(new Answer(0, "", ""));
        assertThat(caisson("run", "--rm", "--from-snapshot", name, "grep", "-q", "other", "/srv/result"))
                .isEqualTo(new Answer(1, "", ""));
        assertThat(caisson("run", "--rm", "--from-snapshot", "nosuch", "true").err())
                .contains("SNAPSHOT_UNKNOWN");
        assertThat(caisson("run", "--rm").err()).contains("Missing required parameter: 'IMAGE'");
        assertThat(caisson("create", "--name", name + "-fork", "--from-snapshot", name, "true")
                        .status())
                .isZero();
        assertThat(caisson("snapshot", "inspect", "-f", "{{.Containers}} {{.Parent}}.", name)
                        .out())
                .isEqualTo("[" + name + "-fork] .\n");
        assertThat(caisson("system", "df", "-v").out()).containsPattern("\n" + name + " +1 +9B\n");
        assertThat(caisson("system", "df", "--format", "{{.Type}} {{.Active}}").out())
                .contains("Snapshots 1\n");
        assertThat(caisson("snapshot", "rm", name, "nosuch"))
                .isEqualTo(
                        new Answer(
                                1,
                                "",
                                "caisson: SNAPSHOT_IN_USE: the snapshot " + name + " is what " + name
                                        + "-fork was made of: remove these containers first\n"
                                        + "caisson: SNAPSHOT_UNKNOWN: no snapshot is called nosuch: see 'caisson snapshot ls'\n"));

        caisson("rm", "-f", name + "-fork");
        assertThat(caisson("snapshot", "prune", "-f").out())
                .contains("Deleted Snapshots:\n")
                .contains(name + "\n")
                .endsWith("Total reclaimed space: 9B\n");
        assertThat(caisson("snapshot", "rm", "-f", name)).isEqualTo(new Answer(0, "", ""));
    }
}
