package dev.caisson.cli.option;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.spec.ContainerSpec;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/// No option of a run is taken and then does nothing: each changes what is asked for, or is refused by name.
class EveryOptionTest {
    private static final String DISK = "/dev/loop0";
    /// An option to its value; a new option is to be given one here.
    private static final Map<String, String> VALUES = Map.ofEntries(
            Map.entry("--name", "x"),
            Map.entry("--env", "A=1"),
            Map.entry("--env-file", "src/test/resources/variables.env"),
            Map.entry("--label-file", "src/test/resources/variables.env"),
            Map.entry("--volume", "/srv:/x"),
            Map.entry("--mount", "type=tmpfs,target=/x"),
            Map.entry("--tmpfs", "/x"),
            Map.entry("--workspace", "x:/x"),
            Map.entry("--volumes-from", "no-such-container"),
            Map.entry("--secret", "x"),
            Map.entry("--device", "/dev/fuse"),
            Map.entry("--workdir", "/x"),
            Map.entry("--user", "1"),
            Map.entry("--group-add", "1"),
            Map.entry("--hostname", "x"),
            Map.entry("--entrypoint", "x"),
            Map.entry("--cap-add", "NET_ADMIN"),
            Map.entry("--cap-drop", "CHOWN"),
            Map.entry("--security-opt", "seccomp=strict"),
            Map.entry("--seccomp-mode", "quiet"),
            Map.entry("--seccomp-learned", "x"),
            Map.entry("--sysctl", "net.core.somaxconn=1"),
            Map.entry("--stop-signal", "USR1"),
            Map.entry("--stop-timeout", "3"),
            Map.entry("--timeout", "3s"),
            Map.entry("--cpu-time", "3s"),
            Map.entry("--network", "host"),
            Map.entry("--ipc", "host"),
            Map.entry("--uts", "host"),
            Map.entry("--label", "a=b"),
            Map.entry("--init", "false"),
            Map.entry("--allow", "privileged"),
            Map.entry("--memory", "64m"),
            Map.entry("--memory-swap", "-1"),
            Map.entry("--memory-reservation", "32m"),
            Map.entry("--memory-swappiness", "30"),
            Map.entry("--cpus", "0.5"),
            Map.entry("--cpu-quota", "20000"),
            Map.entry("--cpu-period", "40000"),
            Map.entry("--cpu-shares", "5"),
            Map.entry("--cpuset-cpus", "0"),
            Map.entry("--cpuset-mems", "0"),
            Map.entry("--pids-limit", "5"),
            Map.entry("--blkio-weight", "300"),
            Map.entry("--blkio-weight-device", DISK + ":300"),
            Map.entry("--device-read-bps", DISK + ":1m"),
            Map.entry("--device-write-bps", DISK + ":1m"),
            Map.entry("--device-read-iops", DISK + ":5"),
            Map.entry("--device-write-iops", DISK + ":5"),
            Map.entry("--hugetlb", "2MB=4m"),
            Map.entry("--device-cgroup-rule", "c 1:11 r"),
            Map.entry("--ulimit", "nofile=5"),
            Map.entry("--shm-size", "1m"),
            Map.entry("--storage-opt", "size=8m"),
            Map.entry("--oom-score-adj", "400"),
            Map.entry("--output-limit", "5"),
            Map.entry("--cgroup-parent", "x"),
            Map.entry("--tenant", "a"));

    static Stream<String> options() {
        CommandSpec run = CommandSpec.create();
        new RunOptions(run);
        return run.options().stream().map(OptionSpec::longestName);
    }

    @ParameterizedTest
    @MethodSource("options")
    void an_option_changes_what_is_asked_for_or_is_refused_by_name(String option) throws Exception {
        String value = VALUES.get(option);
        if (value != null && value.startsWith(DISK) && !Files.exists(Path.of(DISK))) {
            return; // a machine without loop devices
        }
        Map<String, String> asked;
        try {
            asked = asked(value == null ? option : option + "=" + value);
        } catch (CommandException e) {
            // There is no container whose volumes it could have.
            assertThat(e.code()).isEqualTo(option.equals("--volumes-from") ? "MOUNT_INVALID" : "OPTION_REFUSED");
            assertThat(e.getMessage()).startsWith(option);
            return;
        }
        assertThat(asked).isNotEqualTo(asked());
    }

    /// All that the options say, by the accessors of the spec.
    private static Map<String, String> asked(String... words) throws ReflectiveOperationException {
        CommandSpec run = CommandSpec.create();
        var options = new RunOptions(run);
        new CommandLine(run)
                .parseArgs(Stream.concat(Stream.of(words), Stream.of("host", "true"))
                        .toArray(String[]::new));
        ContainerSpec spec = options.spec();
        var asked = new TreeMap<String, String>();
        for (Method accessor : ContainerSpec.class.getMethods()) {
            if (accessor.getParameterCount() == 0
                    && accessor.getDeclaringClass() == ContainerSpec.class
                    && !Modifier.isStatic(accessor.getModifiers())
                    && !List.of("hashCode", "toString").contains(accessor.getName())) {
                asked.put(accessor.getName(), String.valueOf(accessor.invoke(spec)));
            }
        }
        asked.put("remove", "" + options.remove());
        asked.put("terminal", "" + options.terminal());
        return asked;
    }
}
