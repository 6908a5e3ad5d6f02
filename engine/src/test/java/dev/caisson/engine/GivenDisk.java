package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule.Access;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/// A machine's own disk, given to a container for reading alone, where a program of the kernel has the rules.
final class GivenDisk {
    private static final String NAME = "given";

    private GivenDisk() {}

    /// @param start a container that runs a script with a shell
    static void isReadAndNotWritten(Engine engine, ContainerSpec start, EngineOptions options)
            throws IOException, InterruptedException {
        Path disk = Path.of(Files.readAllLines(Path.of("/proc/mounts")).stream()
                .filter(line -> line.contains(" /disk "))
                .findFirst()
                .orElseThrow()
                .split(" ", -1)[0]);
        ContainerSpec reader = start.name(NAME)
                .allow(Allowance.HOST_DEVICES)
                .device(new HostDevice(disk, InRootPath.parse("/dev/given"), Set.of(Access.READ)));

        Container container = engine.start(reader, Streams.capture());
        assertThat(Verification.of(NAME, options).checks())
                .filteredOn(check -> check.subject().contains("device"))
                .filteredOn(check -> !check.subject().startsWith("/"))
                .hasSize(2)
                .allMatch(check -> check.asPlanned())
                .anyMatch(check -> check.subject().equals("device /dev/given"))
                .anyMatch(check -> check.found().startsWith("devices.program b "));

        assertThat(container.await().stdout()).isEqualTo("5\nnot opened\n");
    }

    static String script() {
        return "head -c 5 /dev/given | wc -c; (exec 3<> /dev/given) 2> /dev/null || echo not opened; sleep 3";
    }
}
