package dev.caisson.cli.files;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import dev.caisson.cli.Main;
import dev.caisson.cli.caller.Terminal;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Workspaces on the command line.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class WorkspaceCommandsTest {
    private final String name = "test-" + ProcessHandle.current().pid() + "-" + System.nanoTime();

    @TempDir
    private Path host;

    @AfterEach
    void remove() {
        caisson("workspace", "rm", "-f", name);
    }

    private static Answer caisson(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int status = Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments);
        return new Answer(status, out.toString(), err.toString());
    }

    @Test
    void steps_share_one_and_the_host_reads_it() throws Exception {
        assertThat(caisson("workspace", "create", "--size", "32m", "--inodes", "1000", name))
                .isEqualTo(new Answer(0, name + "\n", ""));
        Files.writeString(host.resolve("in"), "20\n");
        assertThat(caisson("workspace", "cp", host.resolve("in").toString(), name + ":/")
                        .status())
                .isZero();
        String script = "expr $(cat /in/in) + 22 >/work/out; ! touch /in/x 2>/dev/null";
        String[] run = {
            "run", "--rm", "--workspace", name + ":/work", "--workspace", name + ":/in:ro", "host", "sh", "-c", script
        };
        assertThat(caisson(run)).isEqualTo(new Answer(0, "", ""));

        assertThat(caisson(
                                "workspace",
                                "cp",
                                name + ":/out",
                                host.resolve("out").toString())
                        .status())
                .isZero();

        assertThat(host.resolve("out")).hasContent("42\n");
        assertThat(caisson("workspace", "ls", "-q").out().lines()).contains(name);
        assertThat(caisson("workspace", "ls").out()).containsPattern(name + " +33\\.55MB .* no\n");
        assertThat(caisson("workspace", "ls", "--format", "{{.Name}} {{.InUse}}")
                        .out())
                .contains(name + " no\n");
        assertThat(caisson("workspace", "inspect", name).out())
                .contains("\"name\":\"" + name + "\",\"size\":33554432,")
                .contains("\"inodes\":1000,");
    }

    /// Others may have some at the same time.
    @Test
    void what_they_take_is_a_row_of_the_disk_use() {
        caisson("workspace", "create", "--size", "32m", name);
        assertThat(caisson("system", "df", "--format", "{{.Type}} {{.TotalCount}}")
                        .out())
                .containsPattern("\nWorkspaces [1-9]");
        assertThat(caisson("system", "df", "-v").out())
                .contains("\nWorkspaces:\nWORKSPACE NAME ")
                .containsPattern("\n" + name + " +0 +[0-9.]+[kM]B\n");

        caisson("create", "--name", name, "--workspace", name + ":/work", "host", "true");

        assertThat(caisson("system", "df", "--format", "{{.Type}} {{.Active}}").out())
                .containsPattern("\nWorkspaces [1-9]");
        assertThat(caisson("system", "df", "-v").out()).containsPattern("\n" + name + " +1 +[0-9.]+[kM]B\n");
        caisson("rm", "-f", name);
    }

    @Test
    void what_a_container_has_is_not_removed_and_what_is_not_there_is_named() {
        assertThat(caisson("workspace", "create", "--size", "32m", name).status())
                .isZero();
        assertThat(caisson("create", "--name", name, "--workspace", name + ":/work", "host", "true")
                        .status())
                .isZero();
        Answer refused = caisson("workspace", "rm", name);
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).startsWith("caisson: WORKSPACE_IN_USE: the container " + name + " has the workspace");
        assertThat(caisson("workspace", "ls", "--format", "{{.Name}} {{.InUse}}")
                        .out())
                .contains(name + " yes\n");

        assertThat(caisson("rm", "-f", name).status()).isZero();

        assertThat(caisson("workspace", "rm", name)).isEqualTo(new Answer(0, name + "\n", ""));
        assertThat(caisson("workspace", "rm", name).err()).startsWith("caisson: WORKSPACE_UNKNOWN: ");
        assertThat(caisson("workspace", "rm", "-f", name)).isEqualTo(new Answer(0, "", ""));
        assertThat(caisson("run", "--rm", "--workspace", name + ":/work", "host", "true")
                        .err())
                .startsWith("caisson: WORKSPACE_UNKNOWN: ");
        assertThat(caisson("run", "--rm", "--workspace", "a/b:/work", "host", "true")
                        .err())
                .startsWith("caisson: MOUNT_INVALID: ");
        assertThat(caisson("run", "--rm", "--workspace", name, "host", "true").err())
                .startsWith("caisson: MOUNT_INVALID: ");
    }
}
