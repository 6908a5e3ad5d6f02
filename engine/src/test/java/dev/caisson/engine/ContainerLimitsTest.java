package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.image.Image;
import dev.caisson.launch.LayerMedium;
import dev.caisson.launch.Verifier;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import dev.caisson.spec.Usage;
import dev.caisson.spec.WritableLayer;
import dev.caisson.state.State;
import dev.caisson.state.StateException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Limits of a container from the wish to the kernel, while it runs and after it.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ContainerLimitsTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("limits"), Path.of("/var/lib/caisson-test"));

    private Engine engine;
    private String parent;
    private Hierarchy hierarchy;

    @BeforeEach
    void open() {
        engine = Engine.open(OPTIONS);
        parent = State.cgroupParent(OPTIONS.state());
        hierarchy = Hierarchy.detect();
    }

    @AfterEach
    void close() throws IOException {
        engine.close();
        BusyboxEngine.removeTree(OPTIONS.state());
        assertThat(hierarchy.leftovers(parent)).isEmpty();
        assertThat(hierarchy.findParent(parent)).isEmpty();
        hierarchy.close();
    }

    private static ContainerSpec shell(String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script);
    }

    private Container asleep(ContainerSpec spec) throws InterruptedException {
        return engine.start(spec.name("limited"), Streams.capture());
    }

    private List<Verifier.Check> unlikePlanned() {
        return Verification.of("limited", OPTIONS).checks().stream()
                .filter(check -> !check.asPlanned())
                .toList();
    }

    @Test
    void limits_of_a_running_container_are_replaced_and_verified() throws Exception {
        Container container = asleep(shell("sleep 60").memory(Bytes.mebibytes(64)));
        assertThat(unlikePlanned()).isEmpty();

        container.update(Limits.defaults().memory(Bytes.mebibytes(32)).pids(9).cpus("0.5"));

        assertThat(unlikePlanned()).isEmpty();
        assertThat(Verification.of("limited", OPTIONS).checks())
                .extracting(Verifier.Check::subject)
                .contains("limit memory", "limit pids", "limit cpus");
        Usage usage = container.usage().group();
        assertThat(usage.memory().orElseThrow().limit()).isEqualTo(Bytes.mebibytes(32));
        assertThat(usage.pids().orElseThrow().limit()).isEqualTo(9);
    }

    @Test
    void a_limit_that_the_kernel_refuses_leaves_the_former_ones() throws Exception {
        Container container = asleep(
                shell("head -c 24m /dev/zero > /tmp/fill; echo full; sleep 60").memory(Bytes.mebibytes(64)));
        for (int i = 0;
                i < 100 && container.usage().writable().orElseThrow().used().count() < 20 << 20;
                i++) {
            TimeUnit.MILLISECONDS.sleep(50);
        }

        assertThatThrownBy(() -> container.update(
                        Limits.defaults().memory(Bytes.mebibytes(8)).pids(7)))
                .isInstanceOf(CgroupException.class);

        assertThat(container.usage().group().memory().orElseThrow().limit()).isEqualTo(Bytes.mebibytes(64));
        assertThat(container.usage().group().pids().orElseThrow().limit()).isEqualTo(512);
        assertThat(unlikePlanned()).isEmpty();
    }

    @Test
    void a_paused_container_uses_no_time_and_runs_on() throws Exception {
        Container container = asleep(shell("while :; do :; done"));
        container.pause();
        assertThat(container.isPaused()).isTrue();
        var before = container.usage().group().cpu().total();
        TimeUnit.MILLISECONDS.sleep(200);
        assertThat(container.usage().group().cpu().total()).isEqualTo(before);

        container.resume();
        TimeUnit.MILLISECONDS.sleep(200);

        assertThat(container.isPaused()).isFalse();
        assertThat(container.usage().group().cpu().total()).isGreaterThan(before);
    }

    @Test
    void a_container_that_has_ended_takes_no_limits_and_leaves_no_record() throws Exception {
        Container container = asleep(shell("sleep 60"));
        container.kill();
        container.await();

        assertThatThrownBy(() -> container.update(Limits.unlimited()))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo("CONTAINER_NOT_RUNNING"));
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
    }

    @Test
    void a_limit_is_not_taken_back_by_leaving_it_out() throws Exception {
        Container container =
                asleep(shell("sleep 60").limits(Limits.defaults().memoryReservation(Bytes.mebibytes(32))));

        assertThatThrownBy(() -> container.update(Limits.defaults()))
                .isInstanceOfSatisfying(
                        CgroupException.class, e -> assertThat(e.reason()).isEqualTo(CgroupException.Code.FIXED_LIMIT));
        assertThat(unlikePlanned()).isEmpty();
    }

    @Test
    void device_rules_hold_for_the_container_and_a_change_of_them_is_told() throws Exception {
        Limits limits = Limits.defaults().devices(DeviceRule.parse("c 10:229 rw"));
        Container container = asleep(shell("head -c 1 /dev/urandom > /dev/null || exit 3; sleep 60")
                .limits(limits)
                .allow(Allowance.HOST_DEVICES));

        container.update(limits.memory(Bytes.mebibytes(64)));

        assertThat(unlikePlanned()).isEmpty();
        assertThat(Verification.of("limited", OPTIONS).checks())
                .filteredOn(check -> check.subject().equals("limit devices"))
                .singleElement()
                .satisfies(check -> assertThat(check.found()).contains("c 10:229 rw, c 136:* rwm"));
        Path rules = Path.of("/sys/fs/cgroup/devices", parent, container.id().value(), "devices.deny");
        if (Files.exists(rules)) {
            Files.writeString(rules, "c 1:8 r");
            assertThat(unlikePlanned()).extracting(Verifier.Check::subject).containsExactly("limit devices");
        }
        container.kill();
        assertThat(container.await().verdict()).isEqualTo(Verdict.KILLED);
    }

    @Test
    void a_container_that_is_paused_when_it_is_killed_ends() throws Exception {
        Container container = asleep(shell("sleep 60"));
        container.kill();

        try {
            container.pause();
        } catch (EngineException e) {
            assertThat(e.code()).isEqualTo("CONTAINER_NOT_RUNNING"); // its group is gone already
        }

        assertThat(container.await().verdict()).isEqualTo(Verdict.KILLED);
        assertThatThrownBy(container::pause)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo("CONTAINER_NOT_RUNNING"))
                .hasMessageContaining("has ended");
    }

    @Test
    void a_paused_container_can_be_killed() throws Exception {
        Container container = asleep(shell("sleep 60"));
        container.pause();

        container.kill();

        assertThat(container.await().verdict()).isEqualTo(Verdict.KILLED);
    }

    @ParameterizedTest
    @EnumSource(names = {"MEMORY", "DISK"})
    void the_writable_layer_is_bounded_and_measured(WritableLayer.Place place) throws Exception {
        WritableLayer layer = WritableLayer.STANDARD.size(Bytes.mebibytes(8)).place(place);
        Container container = asleep(
                shell("head -c 3m /dev/zero > /tmp/some; echo done; sleep 60").writableLayer(layer.inodes(64)));
        LayerMedium medium = container.plan().medium();
        assertThat(medium == LayerMedium.MEMORY).isEqualTo(place == WritableLayer.Place.MEMORY);
        WritableUse use = container.usage().writable().orElseThrow();
        for (int i = 0; i < 100 && use.used().count() < 3 << 20; i++) {
            TimeUnit.MILLISECONDS.sleep(20);
            use = container.usage().writable().orElseThrow();
        }
        // an ext4 file system counts what is left of its file beside its tables
        assertThat(use.size()).isBetween(Bytes.mebibytes(medium == LayerMedium.IMAGE ? 7 : 8), Bytes.mebibytes(8));
        assertThat(use.used()).isBetween(Bytes.mebibytes(3), Bytes.mebibytes(4));
        assertThat(use.mostInodes()).isEqualTo(64);
        assertThat(unlikePlanned()).isEmpty();
        container.kill();

        RunResult full = engine.run(shell("head -c 9m /dev/zero > /tmp/big").writableLayer(layer));
        RunResult many = engine.run(
                shell("i=0; while : > /tmp/$i; do i=$((i+1)); done; echo $i").writableLayer(layer.inodes(64)));

        assertThat(full.stderr()).contains("No space left on device");
        assertThat(full.verdict()).isEqualTo(Verdict.EXIT);
        assertThat(many.stderr()).contains("No space left on device");
    }

    @Test
    void a_layer_on_disk_can_be_larger_than_memory_and_leaves_nothing() throws Exception {
        RunResult result = engine.run(shell("head -c 100m /dev/zero > /tmp/big && wc -c < /tmp/big")
                .memory(Bytes.mebibytes(32))
                .writableLayer(WritableLayer.STANDARD.size(Bytes.mebibytes(160))));

        assertThat(result.stdout()).as(result.stderr()).isEqualTo("104857600\n");
        assertThat(DiskTraces.loopDevices()).isEmpty();
        assertThat(DiskTraces.files(OPTIONS.data())).isEmpty();
    }

    @Test
    void a_layer_larger_than_the_disk_is_refused() {
        assertThatThrownBy(() ->
                        engine.run(shell("true").writableLayer(WritableLayer.STANDARD.size(Bytes.gibibytes(100_000)))))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo("STORAGE_FULL"));
    }

    @Test
    void a_layer_with_fewer_files_than_its_file_system_is_refused() {
        assertThatThrownBy(() -> engine.run(shell("true")
                        .writableLayer(WritableLayer.STANDARD
                                .size(Bytes.gibibytes(1))
                                .inodes(100)
                                .place(WritableLayer.Place.DISK))))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo("STORAGE_INODES"));
    }

    @Test
    void what_is_copied_of_an_output_is_bounded() throws Exception {
        var output = new ByteArrayOutputStream();
        Container flood = engine.start(
                shell("yes"),
                new Streams.Copy(Optional.empty(), output, OutputStream.nullOutputStream(), Bytes.kibibytes(64)));

        assertThat(flood.await().verdict()).isEqualTo(Verdict.OUTPUT);
        assertThat(output.size()).isEqualTo(64 << 10);
    }

    @Test
    void a_tenant_bounds_its_containers_together_and_goes_with_the_last() throws Exception {
        var tenant = new Placement.Tenant(
                "a",
                Optional.of(Limits.unlimited()
                        .memory(Bytes.mebibytes(48))
                        .memorySwap(Bytes.mebibytes(48))
                        .pids(40)));
        Container first = asleep(
                shell("head -c 30m /dev/zero | tail >/dev/null; sleep 60").placement(tenant));
        assertThat(unlikePlanned()).isEmpty();
        assertThat(Verification.of("limited", OPTIONS).checks())
                .filteredOn(check -> check.subject().equals("memory limit"))
                .singleElement()
                .extracting(Verifier.Check::found)
                .asString()
                .contains("lower at")
                .contains("tenant-a");

        RunResult second = engine.run(shell("head -c 60m /dev/zero | tail >/dev/null")
                .placement(new Placement.Tenant("a", Optional.empty())));

        assertThat(second.verdict()).isEqualTo(Verdict.OUT_OF_MEMORY);
        assertThat(hierarchy.findParent(parent + "/tenant-a")).isPresent();
        first.kill();
        first.await();
        assertThat(hierarchy.findParent(parent + "/tenant-a")).isEmpty();
        assertThatThrownBy(() -> engine.run(shell("true").placement(new Placement.Tenant("a", Optional.empty()))))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo("TENANT_UNKNOWN"));
    }

    @Test
    void a_parent_of_the_users_is_neither_made_nor_removed() throws Exception {
        ContainerSpec spec = shell("true").placement(new Placement.Parent("test-jobs/nightly"));
        assertThatThrownBy(() -> engine.run(spec))
                .isInstanceOfSatisfying(
                        CgroupException.class,
                        e -> assertThat(e.sentence()).contains("mkdir -p").contains("test-jobs/nightly"));
        hierarchy.createParent(
                "test-jobs/nightly",
                Limits.unlimited().memory(Bytes.mebibytes(100)).memorySwap(Bytes.mebibytes(100)));
        try {
            assertThat(engine.run(spec).isOk()).isTrue();
            assertThat(hierarchy.leftovers("test-jobs/nightly")).isEmpty();
            assertThat(hierarchy.findParent("test-jobs/nightly")).isPresent();
        } finally {
            hierarchy.removeParent("test-jobs/nightly");
            hierarchy.removeParent("test-jobs");
        }
    }

    @Test
    void best_effort_is_shown_by_verify() throws Exception {
        Limits limits = Limits.defaults().ioWeight(500);
        try {
            hierarchy.check(limits);
            return; // a disk of this machine shares by weight
        } catch (CgroupException e) {
            assertThatThrownBy(() -> engine.run(shell("true").limits(limits)))
                    .isInstanceOfSatisfying(
                            CgroupException.class,
                            refused -> assertThat(refused.reason()).isEqualTo(CgroupException.Code.UNENFORCEABLE));
        }

        Container container = asleep(shell("sleep 60").limits(limits.bestEffort(true)));

        assertThat(container.unenforced())
                .singleElement()
                .satisfies(lack -> assertThat(lack.limit()).isEqualTo("blkio-weight"));
        assertThat(Verification.of("limited", OPTIONS).checks())
                .filteredOn(check -> check.subject().equals("limit blkio-weight"))
                .anySatisfy(check -> assertThat(check.found()).startsWith("not enforced: "));
    }
}
