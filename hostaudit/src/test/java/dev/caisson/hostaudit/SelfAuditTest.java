package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Severity;
import dev.caisson.audit.Status;
import dev.caisson.engine.Container;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Streams;
import dev.caisson.hostaudit.collect.Collector;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Caisson's own containers judged by the same checks as all others.
@Tag("root")
@Timeout(120)
class SelfAuditTest {
    private static final Path STATE =
            Path.of("/run/caisson-test-audit-" + ProcessHandle.current().pid());
    private Path root = Path.of("");
    private Optional<Engine> engine = Optional.empty();

    @BeforeEach
    void start() throws IOException {
        root = Files.createTempDirectory(Path.of("/var/tmp"), "caisson-hostaudit");
        Files.createDirectories(root.resolve("bin"));
        Files.copy(Path.of("/bin/busybox"), root.resolve("bin/busybox"));
        Files.createLink(root.resolve("bin/sleep"), root.resolve("bin/busybox"));
        for (String empty : List.of("etc", "tmp")) {
            Files.createDirectory(root.resolve(empty));
        }
        engine = Optional.of(Engine.open(new EngineOptions(STATE, Path.of("/var/lib/caisson-test"))));
    }

    private void run(String name, UnaryOperator<ContainerSpec> options) throws Exception {
        ContainerSpec plain =
                ContainerSpec.of(Image.directory(root), "sleep", "60").name(name);
        awaitProgram(engine.orElseThrow().start(options.apply(plain), Streams.capture()));
    }

    /// Between the start and the program lies a moment in which init's child has no filter yet.
    private static void awaitProgram(Container container) throws Exception {
        Path children = Path.of("/proc/" + container.pid() + "/task/" + container.pid() + "/children");
        while (true) {
            String child = Files.readString(children).strip();
            if (!child.isEmpty()
                    && Files.readString(Path.of("/proc/" + child + "/comm"))
                            .strip()
                            .equals("sleep")) {
                return;
            }
            Thread.sleep(5);
        }
    }

    @AfterEach
    void close() {
        engine.ifPresent(Engine::close);
        Dockerd.remove(root);
        Dockerd.remove(STATE);
    }

    @Test
    void containers_of_caisson_pass_the_checks_of_containers() throws Exception {
        run("one", spec -> spec.cpus("0.5").readOnlyRoot(true));
        run("two", spec -> spec.cpus("0.5").readOnlyRoot(true));

        List<Finding> findings = audit();

        assertThat(findings)
                .extracting(finding -> finding.check().name())
                .contains("host-net", "filter-too-wide", "uids-shared", "userns-shared", "claim-contradicted");
        assertThat(failures(findings)).isEmpty();
    }

    @Test
    void what_a_container_of_caisson_has_without_any_option_leaves_two_wishes() throws Exception {
        run("one", spec -> spec);

        assertThat(failures(audit())).containsExactlyInAnyOrder("cpu-unbounded", "root-writable-live");
    }

    private static List<String> failures(List<Finding> findings) {
        return findings.stream()
                .filter(finding -> finding.status() == Status.FAIL || finding.status() == Status.NOT_EVALUATED)
                .map(finding -> finding.check().name())
                .toList();
    }

    private static List<Finding> audit() {
        HostAuditRequest request = new HostAuditRequest(
                Optional.empty(),
                Path.of("/"),
                Optional.of(STATE),
                Optional.empty(),
                Optional.empty(),
                2,
                true,
                System.currentTimeMillis() / 1000,
                LocalDate.of(2026, 11, 25),
                Severity.HIGH,
                Optional.empty(),
                Optional.empty());
        return HostAudit.judge(Collector.collect(request.scope()), request).findings().stream()
                .filter(finding -> List.of("caisson/one", "caisson/two")
                        .contains(finding.subject().name()))
                .toList();
    }
}
