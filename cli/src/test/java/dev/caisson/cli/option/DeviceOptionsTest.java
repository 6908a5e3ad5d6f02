package dev.caisson.cli.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.caisson.cli.Main;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule.Access;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/// Docker's words for a device, translated.
class DeviceOptionsTest {
    private static final Set<Access> ALL = EnumSet.allOf(Access.class);

    private static ContainerSpec spec(String... devices) {
        CommandSpec run = CommandSpec.create();
        var wish = new RunOptions(run);
        var words = new String[2 * devices.length + 1];
        for (int i = 0; i < devices.length; i++) {
            words[2 * i] = "--device";
            words[2 * i + 1] = devices[i];
        }
        words[2 * devices.length] = "host";
        new CommandLine(run).parseArgs(words);
        return wish.spec();
    }

    private static HostDevice device(String source, String target, Set<Access> access) {
        return new HostDevice(Path.of(source), InRootPath.parse(target), access);
    }

    @Test
    void a_device_is_read_as_docker_reads_it() {
        assertThat(spec("/dev/a", "/dev/a:/dev/b", "/dev/a:rw", "/dev/a:/dev/c:r", "/dev/a:/dev/d:mwr")
                        .devices())
                .containsExactly(
                        device("/dev/a", "/dev/a", ALL),
                        device("/dev/a", "/dev/b", ALL),
                        device("/dev/a", "/dev/a", Set.of(Access.READ, Access.WRITE)),
                        device("/dev/a", "/dev/c", Set.of(Access.READ)),
                        device("/dev/a", "/dev/d", ALL));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "dev/a",
                "fuse",
                ":/dev/a",
                "/dev/a:",
                "/dev/a:rx",
                "/dev/a:rr",
                "/dev/a:dev/b",
                "/dev/a:/dev/../b",
                "/dev/a:/dev/b:",
                "/dev/a:/dev/b:x",
                "/dev/a:/dev/b:rwmr",
                "/dev/a:/dev/b:RW",
                "/dev/a:/dev/b:r:w",
                "/dev/a\u0000:/dev/b"
            })
    void what_is_no_device_is_refused_by_its_code(String text) {
        assertThatThrownBy(() -> spec(text)).isInstanceOfSatisfying(CommandException.class, e -> {
            assertThat(e.code()).isEqualTo("DEVICE_INVALID");
            assertThat(e).hasMessageContaining("--device");
        });
    }

    @Test
    void what_is_given_is_told() {
        assertThat(DeviceOptions.text(device("/dev/a", "/dev/b", Set.of(Access.WRITE, Access.READ))))
                .isEqualTo("the host's device /dev/a at /dev/b, rw");
    }

    /// The node has the host's numbers, and nothing is lost by reading them.
    @Test
    @Tag("root")
    void a_run_that_is_given_a_device_says_so() {
        assumeThat(Path.of("/dev/fuse")).exists();
        var err = new StringWriter();

        int status = Main.execute(
                new PrintWriter(new StringWriter()),
                new PrintWriter(err, true),
                Terminal.NONE,
                "run",
                "--rm",
                "--allow",
                "host-devices",
                "--device",
                "/dev/fuse:/dev/f:r",
                "host",
                "test",
                "-c",
                "/dev/f");

        assertThat(status).as(err.toString()).isZero();
        assertThat(err.toString().lines())
                .contains("caisson: given: the host's device /dev/fuse at /dev/f, r")
                .anySatisfy(line -> assertThat(line).startsWith("caisson: allowed: host-devices opens: "));
    }
}
