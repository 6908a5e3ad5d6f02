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

/// Volumes on the command line.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class VolumeCommandsTest {
    private final String name = "test-" + ProcessHandle.current().pid() + "-" + System.nanoTime();

    @AfterEach
    void remove() {
        caisson("rm", "-f", "-v", name + "-a", name + "-b");
        caisson("volume", "rm", "-f", name);
    }

    private static Answer caisson(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        int status = Main.execute(new PrintWriter(out), new PrintWriter(err), Terminal.NONE, arguments);
        return new Answer(status, out.toString(), err.toString());
    }

    @Test
    void what_is_pruned_is_added_up() {
        caisson("volume", "create", "--opt", "size=32m", "--label", "of=" + name, name);

        Answer pruned = caisson("volume", "prune", "-a", "-f", "--filter", "label=of=" + name);
        assertThat(pruned.out())
                .startsWith("Deleted Volumes:\n" + name + "\n\n")
                .matches("(?s).*\nTotal reclaimed space: [0-9.]+(?:k|M)?B\n")
                .doesNotContain("space: 0B");
        assertThat(caisson("volume", "prune", "-a", "-f", "--filter", "label=of=" + name))
                .isEqualTo(new Answer(0, "Total reclaimed space: 0B\n", ""));
    }

    @Test
    void one_is_made_listed_used_and_removed() {
        assertThat(caisson("volume", "create", "--opt", "size=32m", "--label", "of=" + name, name))
                .isEqualTo(new Answer(0, name + "\n", ""));
        // a name that is taken gives the volume of that name, as in Docker; other options for it are refused
        assertThat(caisson("volume", "create", name)).isEqualTo(new Answer(0, name + "\n", ""));
        assertThat(caisson("volume", "create", "-o", "size=64m", name).err()).contains("VOLUME_EXISTS");
        assertThat(caisson("volume", "create", "--driver", "nfs", "x1").status())
                .isEqualTo(1);
        assertThat(caisson("volume", "create", "-o", "device=/dev/sda", "x1").err())
                .contains("--allow host-paths");

        assertThat(caisson("run", "--rm", "-v", name + ":/x", "host", "sh", "-c", "echo 42 >/x/out"))
                .isEqualTo(new Answer(0, "", ""));
        assertThat(caisson("run", "--rm", "-v", name + ":/x:ro", "host", "grep", "-qx", "42", "/x/out"))
                .isEqualTo(new Answer(0, "", ""));

        assertThat(caisson("volume", "ls", "--filter", "label=of=" + name, "--format", "{{.Name}} {{.Size}}")
                        .out())
                .isEqualTo(name + " 33.55MB\n");
        assertThat(caisson("volume", "ls", "-q", "-f", "dangling=true", "-f", "name=" + name)
                        .out())
                .isEqualTo(name + "\n");
        assertThat(caisson(
                                "volume",
                                "inspect",
                                "-f",
                                "{{.Driver}} {{.Bound.Bytes}} {{.Anonymous}} {{index .Labels \"of\"}}",
                                name)
                        .out())
                .isEqualTo("local 33554432 false " + name + "\n");
        assertThat(caisson("inspect", "-f", "{{.Name}} {{.UsageData.RefCount}}", name))
                .isEqualTo(new Answer(0, name + " 0\n", ""));
        assertThat(caisson("volume", "rm", name, "nosuch"))
                .isEqualTo(new Answer(
                        1,
                        name + "\n",
                        "caisson: VOLUME_UNKNOWN: no volume has the name nosuch: create it with"
                                + " 'caisson volume create nosuch'\n"));
    }

    @Test
    void volumes_are_filtered_and_removed_as_docker_s_are() {
        String anonymous = caisson("volume", "create", "--label", "b=1", "--label", "a=2", "--label", "of=" + name)
                .out()
                .strip();
        caisson("volume", "create", "--label", "of=" + name, name);
        String pattern = name.substring(0, name.length() - 1) + "[" + name.charAt(name.length() - 1) + "]$";

        assertThat(caisson("volume", "ls", "-q", "-f", "name=" + pattern).out()).isEqualTo(name + "\n");
        assertThat(caisson("volume", "ls", "-q", "-f", "name=^" + name.substring(1))
                        .out())
                .isEmpty();
        assertThat(caisson("volume", "ls", "-q", "-f", "name=[").out()).isEmpty();
        assertThat(caisson("volume", "inspect", "-f", "{{json .Labels}}", anonymous)
                        .out())
                .isEqualTo("{\"a\":\"2\",\"b\":\"1\",\"of\":\"" + name + "\"}\n");

        assertThat(caisson("volume", "ls", "-f", "name=" + anonymous, "--format", "{{.Label \"b\"}}|{{.Label \"c\"}}")
                        .out())
                .isEqualTo("1|\n");
        assertThat(caisson("volume", "prune", "-f", "--filter", "all=maybe").err())
                .contains("OPTION_REFUSED", "maybe");
        assertThat(caisson("volume", "prune", "-f", "--filter", "all=false", "--filter", "label=of=" + name)
                        .out())
                .contains(anonymous)
                .doesNotContain("\n" + name + "\n");
        assertThat(caisson("volume", "prune", "-f", "--filter", "all=1", "--filter", "label=of=" + name)
                        .out())
                .contains("\n" + name + "\n");
    }

    @Test
    void containers_have_them_show_them_and_pass_them_on() {
        assertThat(caisson("create", "--name", name + "-a", "-v", name + ":/x", "-v", "/new", "host", "true")
                        .status())
                .isZero();

        assertThat(caisson(
                                "inspect",
                                "-f",
                                "{{range .Mounts}}{{.Type}} {{.Destination}} {{.Driver}} {{.RW}},{{end}}",
                                name + "-a")
                        .out())
                .isEqualTo("volume /x local true,volume /new local true,\n");
        assertThat(caisson("volume", "rm", name).err())
                .contains("VOLUME_IN_USE")
                .contains(name + "-a");
        assertThat(caisson("ps", "-a", "--filter", "volume=" + name, "--format", "{{.Names}}")
                        .out())
                .isEqualTo(name + "-a\n");
        assertThat(caisson(
                                "create",
                                "--name",
                                name + "-b",
                                "--volumes-from",
                                name + "-a:ro",
                                "-v",
                                "/x",
                                "host",
                                "true")
                        .status())
                .isZero();
        assertThat(caisson("inspect", "-f", "{{range .Mounts}}{{.Destination}} {{.RW}},{{end}}", name + "-b")
                        .out())
                .isEqualTo("/x true,/new false,\n");
        assertThat(caisson("ps", "-a", "--filter", "volume=/new", "--format", "{{.Names}}")
                        .out())
                .contains(name + "-a\n", name + "-b\n");
        assertThat(caisson("system", "df").out()).contains("Local Volumes");
    }

    @Test
    void a_mount_makes_a_volume_with_bounds_and_shows_one_directory_of_it() {
        String made = "type=volume,src=" + name + ",dst=/x,volume-opt=size=32m,volume-label=of=" + name;
        assertThat(caisson(
                        "run",
                        "--rm",
                        "--mount",
                        made,
                        "host",
                        "sh",
                        "-c",
                        "mkdir -p /x/a/b; echo 42 >/x/a/b/f; ln -s a /x/l"))
                .isEqualTo(new Answer(0, "", ""));
        assertThat(caisson("volume", "ls", "-q", "--filter", "label=of=" + name).out())
                .isEqualTo(name + "\n");
        assertThat(caisson("volume", "inspect", "-f", "{{.Bound.Bytes}}", name).out())
                .isEqualTo((32 << 20) + "\n");

        String part = "src=" + name + ",dst=/y,volume-subpath=";
        assertThat(caisson("run", "--rm", "--mount", part + "a/b", "host", "sh", "-c", "test $(cat /y/f) = 42"))
                .isEqualTo(new Answer(0, "", ""));
        assertThat(caisson("run", "--rm", "--mount", part + "/a,readonly", "host", "sh", "-c", "touch /y/no")
                        .status())
                .isEqualTo(1);
        for (String none : new String[] {"c", "l", "l/b", "a/b/f"}) {
            assertThat(caisson("run", "--rm", "--mount", part + none, "host", "true")
                            .err())
                    .as(none)
                    .contains("MOUNT_SUBPATH", "/" + none + " of the volume " + name);
        }
        assertThat(caisson("run", "--rm", "--mount", made.replace("32m", "64m"), "host", "true")
                        .err())
                .contains("VOLUME_EXISTS", "32 MiB");
        String other = part + "a,volume-opt=size=64m"; // the second mount of the volume
        assertThat(caisson("run", "--rm", "--mount", made, "--mount", other, "host", "true")
                        .err())
                .contains("VOLUME_EXISTS", "32 MiB");
        assertThat(caisson("run", "--rm", "--mount", made, "host", "true").status())
                .isZero();
        assertThat(caisson("volume", "rm", name).status()).isZero();
    }
}
