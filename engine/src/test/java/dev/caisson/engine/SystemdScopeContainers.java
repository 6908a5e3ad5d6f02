package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import dev.caisson.state.State;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// What [SystemdScopeTest] has its machine do, whose process 1 is systemd.
final class SystemdScopeContainers {
    private static final Path DISK = Path.of("/disk");
    private static final EngineOptions OPTIONS =
            new EngineOptions(Path.of("/run/caisson"), DISK.resolve("data"), CgroupDriver.SYSTEMD);

    /// That it ends is what counts; how soon depends on what else the machine below this one does.
    private static final Duration PATIENCE = Duration.ofSeconds(75);

    private SystemdScopeContainers() {}

    private static String scope() {
        return State.cgroupParent(OPTIONS.state()) + ".scope";
    }

    private static String scopeGroup() {
        return "system.slice/" + scope();
    }

    private static Path tree() {
        return Path.of("/sys/fs/cgroup", scopeGroup());
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0) {
            runUntilKilled(Path.of(arguments[2]));
            return;
        }
        Path root = BusyboxEngine.makeRoot(DISK.resolve("root"));
        try (var engine = Engine.open(OPTIONS)) {
            containersStandInTheScopeAndStayThere(engine, root);
            twoEnginesShareTheScope(root);
            assertThat(Files.isDirectory(tree())).isTrue();
        }
        theScopeIsGone();
        aKilledEngineLeavesNothing(root);
        System.out.println(VersionTwoContainers.HELD);
    }

    private static ContainerSpec shell(Path root, String script) {
        return ContainerSpec.of(Image.directory(root), "sh", "-c", script).memory(Bytes.mebibytes(32));
    }

    private static void containersStandInTheScopeAndStayThere(Engine engine, Path root) throws Exception {
        Container container = engine.start(shell(root, "sleep 600").name("one"), Streams.capture());
        String place = "0::/" + scopeGroup() + "/" + container.id().value();
        assertThat(group(container)).isEqualTo(place);
        assertThat(systemctl("is-active", scope())).isEqualTo("active");

        assertThat(systemctl("daemon-reload")).isEmpty();

        assertThat(group(container)).isEqualTo(place);
        assertThat(Files.readString(tree().resolve(container.id().value()).resolve("memory.max"))
                        .strip())
                .isEqualTo(Long.toString(32 << 20));
        assertThat(container.usage().group().memory().orElseThrow().limit()).isEqualTo(Bytes.mebibytes(32));
        try (var survey = new Survey(OPTIONS)) {
            assertThat(survey.read()).extracting(Survey.Sample::name).containsExactly("one");
        }
        container.kill();
        container.await();

        assertThat(engine.run(shell(root, "x=$(dd if=/dev/zero bs=1M count=60 | cat -v)"))
                        .verdict())
                .isEqualTo(Verdict.OUT_OF_MEMORY);
        Container tenants = engine.start(
                shell(root, "sleep 600")
                        .placement(new Placement.Tenant(
                                "a", Optional.of(Limits.unlimited().pids(50)))),
                Streams.capture());
        try (var survey = new Survey(OPTIONS)) {
            assertThat(survey.totals(survey.read()))
                    .extracting(Survey.Total::path)
                    .containsExactly(scopeGroup() + "/tenant-a");
        }
        tenants.kill();
        tenants.await();
    }

    private static void twoEnginesShareTheScope(Path root) throws Exception {
        try (var second = Engine.open(OPTIONS)) {
            assertThat(second.run(shell(root, "echo here")).stdout()).isEqualTo("here\n");
        }
    }

    private static void theScopeIsGone() throws Exception {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (Files.exists(tree()) && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
        assertThat(Files.exists(tree())).isFalse();
        String state = systemctl("is-active", scope());
        while (!state.equals("inactive") && System.nanoTime() < end) { // systemd is told a moment later
            TimeUnit.MILLISECONDS.sleep(200);
            state = systemctl("is-active", scope());
        }
        assertThat(state).isEqualTo("inactive");
    }

    private static void aKilledEngineLeavesNothing(Path root) throws Exception {
        Process process = new EngineProcess(SystemdScopeContainers.class, OPTIONS, root, List.of()).start();
        try (BufferedReader output = process.inputReader()) {
            assertThat(output.readLine()).isEqualTo(EngineProcess.OPENED);
            assertThat(systemctl("is-active", scope())).isEqualTo("active");
        } finally {
            process.destroyForcibly();
        }
        process.waitFor();
        theScopeIsGone();

        try (var next = Engine.open(OPTIONS)) {
            assertThat(next.run(shell(root, "echo again")).stdout()).isEqualTo("again\n");
            assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
        }
        theScopeIsGone();
    }

    private static void runUntilKilled(Path root) throws Exception {
        try (var engine = Engine.open(OPTIONS)) {
            Container container = engine.start(shell(root, "sleep 600"), Streams.capture());
            System.out.println(EngineProcess.OPENED);
            container.await();
        }
    }

    private static String group(Container container) throws IOException {
        return Files.readString(Path.of("/proc/" + container.pid() + "/cgroup")).strip();
    }

    private static String systemctl(String... arguments) throws IOException, InterruptedException {
        var command = new java.util.ArrayList<>(List.of("systemctl"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return said.strip();
    }
}
