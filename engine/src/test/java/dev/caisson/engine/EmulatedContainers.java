package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.launch.Step;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.CpuList;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// Runs in the machine of [EmulatedEngineTest]: containers with what a whole kernel has.
final class EmulatedContainers {
    private static final String NAME = "emulated";

    /// Says when it sees a process that came in from outside, and whether it could kill that.
    private static final String KILLS_WHO_COMES = """
            while :; do
              for p in /proc/[0-9]*; do
                if grep -q 'out[s]ider' $p/cmdline 2>/dev/null; then
                  if kill -9 ${p#/proc/} 2>/dev/null; then echo killed; else echo refused; fi
                  exit
                fi
              done
              sleep 0.1
            done
            """;

    private EmulatedContainers() {}

    public static void main(String[] arguments) throws Exception {
        Path disk = Path.of("/disk");
        Path root = BusyboxEngine.makeRoot(disk.resolve("root"));
        var options = new EngineOptions(Path.of("/run/caisson"), disk.resolve("data"));
        try (var engine = Engine.open(options)) {
            processorsPressureAndDevices(engine, shell(root, "cat /proc/self/status; while :; do :; done"), options);
            GivenDisk.isReadAndNotWritten(engine, shell(root, GivenDisk.script()), options);
            ContainerSpec confined = shell(root, KILLS_WHO_COMES);
            assertThat(outcome(engine, confined)).isEqualTo("refused\n");
            assertThat(outcome(engine, confined.newPrivileges(true).allow(Allowance.NEW_PRIVILEGES)))
                    .isEqualTo("killed\n");
        }
        System.out.println(VersionTwoContainers.HELD);
    }

    private static ContainerSpec shell(Path root, String script) {
        return ContainerSpec.of(Image.directory(root), "sh", "-c", script);
    }

    private static void processorsPressureAndDevices(Engine engine, ContainerSpec busy, EngineOptions options)
            throws InterruptedException {
        Limits limits =
                Limits.defaults().cpuset(CpuList.parse("1")).cpus("0.1").devices(DeviceRule.parse("c 10:229 rw"));

        Container container =
                engine.start(busy.name(NAME).limits(limits).allow(Allowance.HOST_DEVICES), Streams.capture());
        TimeUnit.SECONDS.sleep(1);

        assertThat(container
                        .usage()
                        .group()
                        .pressure()
                        .orElseThrow()
                        .cpu()
                        .some()
                        .total())
                .isPositive();
        assertThat(Verification.of(NAME, options).checks())
                .allMatch(check -> check.asPlanned())
                .anyMatch(check -> check.found().startsWith("devices.program c 10:229 rw"))
                .anyMatch(check -> check.found().equals("cpuset.cpus 1"));
        container.kill();
        assertThat(container.await().stdout()).contains("Cpus_allowed_list:\t1\n");
    }

    /// A process of the container's own root user, in its namespaces but not below its process 1, comes in.
    private static String outcome(Engine engine, ContainerSpec spec) throws IOException, InterruptedException {
        Container container = engine.start(spec, Streams.capture());
        assertThat(container.plan().has(Step.RestrictScope.class)).isNotEqualTo(spec.newPrivileges());
        Process outsider = new ProcessBuilder(
                        "nsenter",
                        "--target=" + container.pid(),
                        "--user",
                        "--pid",
                        "--mount",
                        "/bin/sh",
                        "-c",
                        "sleep 30; : outsider")
                .start();
        try {
            return container.await().stdout();
        } finally {
            outsider.destroyForcibly();
        }
    }
}
