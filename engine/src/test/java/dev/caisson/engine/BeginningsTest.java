package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Network;
import dev.caisson.spec.Placement;
import dev.caisson.state.State;
import dev.caisson.state.StateException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// An engine that launches again and again has the next container's first process ready.
class BeginningsTest extends BusyboxEngine {
    @Test
    void the_second_launch_has_the_third_one_begun() throws Exception {
        shell("true");
        assertThat(waiting()).isEmpty();

        shell("true");
        long next = onlyWaiting();
        try (Started third = start(busybox("sleep", "100"))) {
            assertThat(third.container().pid()).isEqualTo(next);
            assertThat(third.container().phaseMicros()).hasSize(13).anyMatch(micros -> micros > 0);
            assertThat(onlyWaiting()).isNotEqualTo(next);
        }
    }

    @Test
    void what_waits_shares_no_namespace_with_the_host_and_holds_its_socket_alone() throws Exception {
        long next = ready();

        for (String namespace : List.of("user", "mnt", "pid", "net", "ipc", "uts")) {
            assertThat(Files.readSymbolicLink(Path.of("/proc/" + next + "/ns/" + namespace)))
                    .as(namespace)
                    .isNotEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/" + namespace)));
        }
        Set<String> left = Set.of("/dev/null", "socket:");
        long begun = System.nanoTime();
        while (!open(next).equals(left) && System.nanoTime() - begun < TimeUnit.SECONDS.toNanos(10)) {
            Thread.sleep(1); // it may not have closed all that it was born with
        }
        assertThat(open(next)).isEqualTo(left);
    }

    private static Set<String> open(long process) throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/" + process + "/fd"))) {
            return open.map(BeginningsTest::target).collect(Collectors.toSet());
        }
    }

    @Test
    void one_that_was_killed_meanwhile_is_replaced() throws Exception {
        Traces before = readyTraces();
        long next = onlyWaiting();
        FailpointEngine.signal("KILL", next);
        while (!Files.readString(Path.of("/proc/" + next + "/stat")).contains(") Z ")) {
            Thread.sleep(1);
        }

        RunResult result = shell("echo here");

        assertThat(result.verdict()).isEqualTo(Verdict.OK);
        assertThat(result.stdout()).isEqualTo("here\n");
        assertThat(onlyWaiting()).isNotEqualTo(next);
        assertThat(Traces.of(OPTIONS)).isEqualTo(before);
    }

    @Test
    void one_that_shares_a_namespace_does_not_take_it() throws Exception {
        long next = ready();
        ContainerSpec sharing =
                busybox("sleep", "100").share(ContainerSpec.SharedNamespace.IPC).allow(Allowance.HOST_IPC);

        try (Started started = start(sharing)) {
            assertThat(Files.readSymbolicLink(
                            Path.of("/proc/" + started.container().pid() + "/ns/ipc")))
                    .isEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/ipc")));
            assertThat(onlyWaiting()).isEqualTo(next);
        }
    }

    @Test
    void one_on_another_network_does_not_take_it() throws Exception {
        long next = ready();
        ContainerSpec onHost = busybox("sleep", "100").network(Network.ofHost()).allow(Allowance.HOST_NETWORK);

        try (Started started = start(onHost)) {
            assertThat(Files.readSymbolicLink(
                            Path.of("/proc/" + started.container().pid() + "/ns/net")))
                    .isEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/net")));
            assertThat(onlyWaiting()).isEqualTo(next);
        }
    }

    @Test
    void one_in_a_group_of_a_users_does_not_take_it() throws Exception {
        long next = ready();
        String parent = "test-beginnings-" + ProcessHandle.current().pid();
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            hierarchy.createParent(parent, Limits.defaults());
            try (Started started = start(busybox("sleep", "100").placement(new Placement.Parent(parent)))) {
                assertThat(group(started.container().pid())).contains("/" + parent + "/");
                assertThat(onlyWaiting()).isEqualTo(next);
            } finally {
                hierarchy.removeParent(parent);
            }
        }
    }

    @Test
    void a_tenants_container_stands_in_the_tenants_group() throws Exception {
        long next = ready();

        ContainerSpec spec = busybox("true").name("given");
        assertThatThrownBy(() -> engine.run(spec.placement(new Placement.Tenant("nobody", Optional.empty()))))
                .isInstanceOfSatisfying(
                        StateException.class, e -> assertThat(e.code()).isEqualTo("TENANT_UNKNOWN"));

        assertThat(onlyWaiting()).isEqualTo(next);
        assertThat(engine.run(spec).verdict()).as("its name was given back").isEqualTo(Verdict.OK);
    }

    @Test
    void a_closed_engine_leaves_none() throws Exception {
        long next = ready();
        String group = State.cgroupParent(OPTIONS.state());
        assertThat(groups(group)).isNotEmpty();

        engine.close();

        assertThat(Path.of("/proc/" + next)).doesNotExist();
        assertThat(groups(group)).isEmpty();
        assertThat(Traces.of(OPTIONS).groups()).isEmpty();
        assertThat(Traces.of(OPTIONS).records()).isEmpty();
    }

    /// The caller gets to know why it was not launched, with what went wrong after that.
    @Test
    void a_failure_has_the_one_of_its_removal_with_it() {
        var options = new EngineOptions(directory.resolve("state"), OPTIONS.data());
        try (var own = new Engine(options, new Probe() {
            @Override
            public void reached(Moment moment) {
                if (moment == Moment.GROUP_MADE || moment == Moment.RANGE_GIVEN_BACK) {
                    throw new IllegalStateException("at " + moment);
                }
            }

            @Override
            public OptionalInt pauseBefore() {
                return OptionalInt.empty();
            }
        })) {
            assertThatThrownBy(() -> own.run(busybox("true")))
                    .hasStackTraceContaining("at GROUP_MADE")
                    .hasStackTraceContaining("at RANGE_GIVEN_BACK");
        }
    }

    @Test
    void one_that_was_made_ahead_has_the_limits_of_its_own_spec() throws Exception {
        ready();

        RunResult result = engine.run(busybox(
                        "sh",
                        "-c",
                        "cd /sys/fs/cgroup; cat pids/pids.max memory/memory.limit_in_bytes || cat pids.max memory.max")
                .memory("64m")
                .pids(7));

        assertThat(result.stdout()).isEqualTo("7\n" + (64 << 20) + "\n");
    }

    @Test
    void one_that_was_made_ahead_and_cannot_be_launched_is_removed() throws Exception {
        var failing = new AtomicBoolean();
        engine.close();
        try (var own = new Engine(OPTIONS, new Probe() {
            @Override
            public void reached(Moment moment) {
                if (failing.get() && moment == Moment.GROUP_MADE) {
                    throw new IllegalStateException("at " + moment);
                }
            }

            @Override
            public OptionalInt pauseBefore() {
                return OptionalInt.empty();
            }
        })) {
            own.run(busybox("true"));
            own.run(busybox("true"));
            Traces before = Traces.settled(OPTIONS);
            failing.set(true);

            assertThatThrownBy(() -> own.run(busybox("true"))).hasStackTraceContaining("at GROUP_MADE");

            assertThat(Traces.awaited(OPTIONS, before)).isEqualTo(before); // one more was made ahead
            failing.set(false);
            assertThat(own.run(busybox("true")).verdict()).isEqualTo(Verdict.OK);
        }
        assertThat(Traces.of(OPTIONS).groups()).isEmpty();
    }

    /// In each tree of control groups.
    private static List<Path> groups(String name) throws IOException {
        try (Stream<Path> trees = Files.walk(Path.of("/sys/fs/cgroup"), 1)) {
            return trees.map(tree -> tree.resolve(name)).filter(Files::exists).toList();
        }
    }

    /// A container that runs until it is closed.
    private record Started(Container container) implements AutoCloseable {
        @Override
        public void close() {
            container.kill();
            try {
                container.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private Started start(ContainerSpec spec) throws InterruptedException {
        return new Started(engine.start(spec, Streams.capture()));
    }

    private long ready() throws InterruptedException {
        shell("true");
        shell("true");
        return onlyWaiting();
    }

    private Traces readyTraces() throws Exception {
        ready();
        return Traces.of(OPTIONS);
    }

    private long onlyWaiting() throws InterruptedException {
        // The kernel may be at it still.
        for (int i = 0; i < 1000 && waiting().isEmpty(); i++) {
            Thread.sleep(5);
        }
        assertThat(waiting()).hasSize(1);
        return waiting().getFirst();
    }

    /// Children of this process in a group of a container's that no container has.
    private List<Long> waiting() {
        List<Long> running = engine.containers().stream()
                .map(container -> (long) container.pid())
                .toList();
        try (Stream<ProcessHandle> children = ProcessHandle.current().children()) {
            return children.map(ProcessHandle::pid)
                    .filter(pid -> !running.contains(pid))
                    .filter(pid -> group(pid).contains(State.cgroupParent(OPTIONS.state())))
                    .toList();
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().replaceAll("\\[\\d+]$", "");
        } catch (NoSuchFileException e) {
            return "closed meanwhile";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String group(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/cgroup"));
        } catch (IOException e) {
            return ""; // it has ended
        }
    }
}
