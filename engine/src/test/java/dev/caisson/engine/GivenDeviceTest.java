package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.engine.Probe.Moment;
import dev.caisson.image.Image;
import dev.caisson.launch.HostException;
import dev.caisson.launch.Verifier;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.LoopDevices;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.DeviceRule.Access;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Devices of the host in a container: a disk of this test's own, whose content is a file.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class GivenDeviceTest {
    private static final Set<Access> ALL = EnumSet.allOf(Access.class);
    private static final String NODE = "node";
    private static final int CHARACTER = 0020600;
    private static final int BLOCK = 0060600;
    private static final long FUSE = 10 << 8 | 229;
    private static final String WRITES = "echo new > /dev/given && echo wrote || echo refused";

    @TempDir
    private Path directory;

    private EngineOptions options;
    private Fd file;
    private LoopDevices.Attached disk;

    @BeforeEach
    void make() throws IOException {
        options = new EngineOptions(directory.resolve("state"), Path.of("/var/lib/caisson-test"));
        Path content = directory.resolve("disk");
        byte[] blocks = Arrays.copyOf("the host's\n".getBytes(StandardCharsets.UTF_8), 1 << 20);
        Files.write(content, blocks);
        file = FileSystem.open(content.toString(), FileSystem.O_RDWR);
        disk = LoopDevices.attach(file);
    }

    @AfterEach
    void remove() {
        disk.close();
        file.close();
    }

    private ContainerSpec given(Set<Access> access, String script) {
        return given(Path.of(disk.path()), access, script);
    }

    private static ContainerSpec given(Path source, Set<Access> access, String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script)
                .allow(Allowance.HOST_DEVICES)
                .device(new HostDevice(source, InRootPath.parse("/dev/given"), access));
    }

    @Test
    void the_containers_root_reads_and_writes_a_device_that_only_the_hosts_root_may_use() throws Exception {
        try (Engine engine = Engine.open(options)) {
            RunResult result = engine.run(given(ALL, """
                            head -n 1 /dev/given
                            stat -c %u /dev/given
                            echo new | dd of=/dev/given conv=fsync status=none
                            """));

            assertThat(result.stdout()).as(result.stderr()).isEqualTo("the host's\n0\n");
        }
        assertThat(new String(FileSystem.read(file, 4), StandardCharsets.UTF_8)).isEqualTo("new\n");
    }

    @Test
    void nothing_can_be_done_but_what_was_given() throws Exception {
        try (Engine engine = Engine.open(options)) {
            assertThat(engine.run(given(Set.of(Access.READ), "head -n 1 /dev/given; " + WRITES))
                            .stdout())
                    .isEqualTo("the host's\nrefused\n");
            assertThat(engine.run(given(Set.of(Access.WRITE), "head -c 1 /dev/given || echo unread; " + WRITES))
                            .stdout())
                    .isEqualTo("unread\nwrote\n");
            assertThat(engine.run(given(Set.of(Access.MAKE), "head -c 1 /dev/given || echo unread; " + WRITES))
                            .stdout())
                    .isEqualTo("unread\nrefused\n");
        }
    }

    @Test
    void another_device_is_not_opened_and_no_node_is_made() throws Exception {
        try (Engine engine = Engine.open(options)) {
            RunResult result = engine.run(given(ALL, """
                    stat -c %t:%T /dev/given
                    mknod /dev/more b 7 0 2> /dev/null || echo none
                    mknod /tmp/more b 7 0 2> /dev/null || echo none
                    chmod 666 /dev/given && chown 5 /dev/given && stat -c '%a %u' /dev/given
                    """));

            assertThat(result.stdout().lines().skip(1)).containsExactly("none", "none", "666 5");
        }
        assertThat(Files.getAttribute(Path.of(disk.path()), "unix:uid")).isEqualTo(0);
    }

    @Test
    void the_kernel_is_asked_what_was_given() throws Exception {
        Limits limits = Limits.defaults().devices(DeviceRule.parse("c 1:11 r"));
        try (Engine engine = Engine.open(options)) {
            Container container = engine.start(
                    given(Set.of(Access.READ), "sleep 60").name("given").limits(limits), Streams.capture());

            List<Verifier.Check> checks = Verification.of("given", options).checks();
            assertThat(checks).allMatch(Verifier.Check::asPlanned);
            String number = disk.path().substring("/dev/loop".length());
            assertThat(checks)
                    .filteredOn(check -> check.subject().equals("device /dev/given"))
                    .extracting(Verifier.Check::found)
                    .containsExactly("b 7:" + number);
            assertThat(checks)
                    .filteredOn(check -> check.subject().equals("limit devices"))
                    .singleElement()
                    .satisfies(check -> assertThat(check.found()).contains("b 7:" + number + " r,", "c 1:11 r,"));
            container.kill();
            container.await();
        }
    }

    @Test
    void a_device_that_is_exchanged_after_the_policy_looked_is_not_given() throws Exception {
        Path home = directory.toRealPath();
        try (Fd parent = FileSystem.open(home.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            assertExchangeIsTold("DEVICE_CHANGED", parent, () -> FileSystem.makeNode(parent, NODE, CHARACTER, 0x101));
            assertExchangeIsTold("DEVICE_CHANGED", parent, () -> FileSystem.makeNode(parent, NODE, BLOCK, FUSE));
            assertExchangeIsTold("DEVICE_CHANGED", parent, () -> FileSystem.makeNode(parent, NODE, 0100600, 0));
            assertExchangeIsTold("DEVICE_SOURCE", parent, () -> FileSystem.makeSymbolicLink(parent, NODE, "/dev/null"));
            assertExchangeIsTold("DEVICE_SOURCE", parent, () -> {});
        }
    }

    private void assertExchangeIsTold(String code, Fd parent, Runnable exchange) {
        FileSystem.makeNode(parent, NODE, CHARACTER, FUSE);
        Probe probe = new Probe() {
            @Override
            public void reached(Moment moment) {
                if (moment == Moment.LAYERS_OPEN) {
                    FileSystem.removeFile(parent, NODE);
                    exchange.run();
                }
            }

            @Override
            public OptionalInt pauseBefore() {
                return OptionalInt.empty();
            }
        };
        try (Engine engine = new Engine(options, probe)) {
            Path node = Path.of(FileSystem.path(parent), NODE);
            assertThatThrownBy(() -> engine.run(given(node, ALL, "true")))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.code()).isEqualTo(code));
        }
        FileSystem.removeTree(parent, NODE);
    }
}
