package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.image.Image;
import dev.caisson.launch.Verifier;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Mount;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.Placement;
import dev.caisson.state.GateGroups;
import dev.caisson.state.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The control group of a gate's process.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class GateGroupTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("gate-group"), OwnDirectories.data("gate-group"));
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);
    private static final long FIRST_ID = 0x6fc0_0000L;

    @TempDir
    private Path scratch;

    private NetworkBed bed;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("web")));
        try (SecretValue value = SecretValue.generate(40)) {
            GatedStore.make(STORE, scratch, value);
        }
    }

    @AfterEach
    void close() throws Exception {
        bed.close();
        BusyboxEngine.removeTree(STORE);
    }

    private static ContainerSpec spec() {
        return GatedStore.gated(ContainerSpec.of(Image.host(), "sleep", "1000"));
    }

    private static Optional<Cgroup> group(Hierarchy hierarchy, Container container, String parent) {
        return hierarchy.find(parent, GateGroups.name(container.id().value()));
    }

    private static String own() {
        return State.cgroupParent(OPTIONS.state());
    }

    @Test
    void a_gate_s_process_is_bounded_beside_its_container_and_verify_says_so() throws Exception {
        try (Hierarchy hierarchy = Hierarchy.detect();
                Engine engine = Engine.open(OPTIONS)) {
            Container container = engine.start(spec(), Streams.capture());
            try (container) {
                Cgroup group = group(hierarchy, container, own()).orElseThrow();

                assertThat(group.processes()).hasSize(1);
                long pid = group.processes().getFirst();
                assertThat(group.holds(pid)).isTrue();
                assertThat(group.holds(ProcessHandle.current().pid())).isFalse();
                assertThat(Files.readString(Path.of("/proc/" + pid + "/status")))
                        .contains("Uid:\t" + (FIRST_ID + pid) + "\t");
                assertThat(group.effectiveLimits().memory().own()).isEqualTo(Bytes.mebibytes(384));
                assertThat(group.effectiveLimits().pids().own()).isEqualTo(192);
                List<Verifier.Check> checks = gates(container);
                assertThat(checks).extracting(Verifier.Check::subject).contains("gates, control group");
                assertThat(checks).hasSizeGreaterThan(3).allMatch(Verifier.Check::asPlanned);

                group.update(GateGroup.LIMITS.memory(Bytes.mebibytes(400)), group.settings(GateGroup.LIMITS));
                assertThat(gates(container))
                        .filteredOn(check -> !check.asPlanned())
                        .isNotEmpty()
                        .allMatch(check -> check.subject().startsWith("gates, limit memory"));
            }
            assertThat(group(hierarchy, container, own())).isEmpty();
        }
    }

    private static List<Verifier.Check> gates(Container container) {
        return Verification.of(container.id().value(), OPTIONS).checks().stream()
                .filter(check -> check.subject().startsWith("gates, "))
                .toList();
    }

    @Test
    void a_tenant_pays_for_the_gates_of_its_containers_and_its_group_goes_with_the_last() throws Exception {
        var tenant = new Placement.Tenant("payer", Optional.of(Limits.defaults().memory(Bytes.mebibytes(900))));
        try (Hierarchy hierarchy = Hierarchy.detect();
                Engine engine = Engine.open(OPTIONS)) {
            String parent = own() + "/tenant-payer";
            try (Container container = engine.start(spec().placement(tenant), Streams.capture())) {
                Cgroup group = group(hierarchy, container, parent).orElseThrow();
                assertThat(group.processes()).hasSize(1);
                assertThat(group.holds(group.processes().getFirst())).isTrue();
            }
            assertThat(hierarchy.leftovers(own())).isEmpty();
        }
    }

    @Test
    void a_process_that_uses_too_much_memory_is_ended_and_its_container_s_events_say_why() throws Exception {
        try (Hierarchy hierarchy = Hierarchy.detect();
                Engine engine = Engine.open(OPTIONS);
                LifeEvents events = LifeEvents.open(OPTIONS);
                Container container = engine.start(spec(), Streams.capture())) {
            Cgroup group = group(hierarchy, container, own()).orElseThrow();
            long pid = group.processes().getFirst();

            leaveNothing(group);
            long begun = System.nanoTime();
            for (int asked = 0; ProcessHandle.of(pid).isPresent() && asked < 60; asked++) {
                GateProcessesTest.ask(engine, container);
            }

            assertThat(ProcessHandle.of(pid)).isEmpty();
            assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(120));
            assertThat(ended(events, container)).containsEntry("reason", "out of memory");
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!GateProcessesTest.ask(engine, container).equals("502")) {
                assertThat(System.nanoTime() - until).isNegative();
            }
            assertThat(gates(container)).allMatch(Verifier.Check::asPlanned);
        }
    }

    /// Sets a limit that the process has nearly reached.
    private static void leaveNothing(Cgroup group) {
        long most = group.usage().memory().orElseThrow().current().count();
        for (int more = 0; ; more++) {
            try {
                group.update(
                        GateGroup.LIMITS.memory(Bytes.of(most + more * 65_536L)), group.settings(GateGroup.LIMITS));
                return;
            } catch (CgroupException e) { // it uses more by now
                assertThat(more).isLessThan(64);
            }
        }
    }

    private static Map<String, String> ended(LifeEvents events, Container container) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (true) {
            for (LifeEvent event : events.next()) {
                if (event.action().equals("gate_ended")
                        && event.id().equals(container.id().value())) {
                    return event.attributes();
                }
            }
            assertThat(System.nanoTime() - until).isNegative();
            Thread.sleep(20);
        }
    }

    @Test
    void no_program_runs_if_the_group_cannot_be_made() throws Exception {
        String parent = "gates-of-test-" + ProcessHandle.current().pid();
        Path ran = scratch.resolve("ran");
        try (Hierarchy hierarchy = Hierarchy.detect();
                Engine engine = Engine.open(OPTIONS)) {
            Assumptions.assumeTrue(hierarchy.hasUnified(), "a tree of version 2 counts groups");
            hierarchy.createParent(parent, Limits.unlimited());
            try {
                ContainerSpec spec = GatedStore.gated(ContainerSpec.of(Image.host(), "sh", "-c", "echo ran > /out/ran"))
                        .mount(new Mount.Bind(scratch, InRootPath.of("out"), false, false))
                        .allow(Allowance.HOST_PATHS)
                        .placement(new Placement.Parent(parent));
                Files.writeString(unified().resolve(parent).resolve("cgroup.max.descendants"), "1");

                assertThatThrownBy(() -> engine.run(spec))
                        .isInstanceOfSatisfying(
                                EngineException.class, e -> assertThat(e.code()).isEqualTo("GATE_GROUP"))
                        .hasMessageContaining("EAGAIN");

                assertThat(ran).doesNotExist();
                assertThat(hierarchy.leftovers(parent)).isEmpty();
                Files.writeString(unified().resolve(parent).resolve("cgroup.max.descendants"), "2");
                assertThat(engine.run(spec).exitCode()).isZero();
                assertThat(ran).exists();
            } finally {
                hierarchy.removeParent(parent);
            }
        }
    }

    private static Path unified() throws IOException {
        return Files.readAllLines(Path.of("/proc/mounts")).stream()
                .map(line -> line.split(" ", -1))
                .filter(fields -> fields[2].equals("cgroup2"))
                .map(fields -> Path.of(fields[1]))
                .findFirst()
                .orElseThrow();
    }
}
