package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Rlimit;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The last value that passes and the first that does not, of each bound.
class PolicyBoundsTest {
    record Bound(String code, UnaryOperator<ContainerSpec> last, UnaryOperator<ContainerSpec> first) {
        @Override
        public String toString() {
            return code;
        }
    }

    private static ContainerSpec mounts(ContainerSpec spec, int count) {
        ContainerSpec many = spec;
        for (int i = 0; i < count; i++) {
            many = many.mount(tmpfs("d" + i, 4096, 0));
        }
        return many;
    }

    private static ContainerSpec sysctls(ContainerSpec spec, int count) {
        ContainerSpec many = spec;
        for (int i = 0; i < count; i++) {
            many = many.sysctl("net.a." + i, "1");
        }
        return many;
    }

    private static Mount.Tmpfs tmpfs(String target, long bytes, int mode) {
        return new Mount.Tmpfs(InRootPath.of(target), Bytes.of(bytes), mode, false, false);
    }

    static Stream<Bound> bounds() {
        String name = "a" + "b".repeat(62);
        int most = 128 * 1024;
        return Stream.of(
                new Bound(
                        "TMPFS_SIZE", spec -> spec.mount(tmpfs("a", 4096, 0)), spec -> spec.mount(tmpfs("a", 4095, 0))),
                new Bound(
                        "TMPFS_MODE",
                        spec -> spec.mount(tmpfs("a", 4096, 01777)),
                        spec -> spec.mount(tmpfs("a", 4096, 02000))),
                new Bound(
                        "TMPFS_MODE",
                        spec -> spec.mount(tmpfs("a", 4096, 0)),
                        spec -> spec.mount(tmpfs("a", 4096, -1))),
                new Bound("MOUNTS_TOO_MANY", spec -> mounts(spec, 64), spec -> mounts(spec, 65)),
                new Bound("SYSCTLS_TOO_MANY", spec -> sysctls(spec, 256), spec -> sysctls(spec, 257)),
                new Bound(
                        "SHM_SIZE",
                        spec -> spec.sharedMemory(Bytes.of(4096)),
                        spec -> spec.sharedMemory(Bytes.of(4095))),
                new Bound("OUTPUT_LIMIT", spec -> spec.outputLimit(Bytes.of(1)), spec -> spec.outputLimit(Bytes.of(0))),
                new Bound("HOSTNAME_INVALID", spec -> spec.hostName(name), spec -> spec.hostName(name + "c" + "d")),
                new Bound(
                        "HOSTNAME_INVALID",
                        spec -> spec.hostName("a." + "b".repeat(62)),
                        spec -> spec.hostName("a." + "b".repeat(63))),
                new Bound("NAME_INVALID", spec -> spec.name("a".repeat(128)), spec -> spec.name("a".repeat(129))),
                new Bound(
                        "SYSCTL_REFUSED",
                        spec -> spec.sysctl("net.a.b", "x".repeat(1024)),
                        spec -> spec.sysctl("net.a.b", "x".repeat(1025))),
                new Bound(
                        "OOM_SCORE_INVALID",
                        spec -> spec.oomScoreAdjustment(1000),
                        spec -> spec.oomScoreAdjustment(1001)),
                new Bound(
                        "OOM_SCORE_TOO_LOW", spec -> spec.oomScoreAdjustment(100), spec -> spec.oomScoreAdjustment(99)),
                new Bound(
                        "RLIMIT_TOO_HIGH",
                        spec -> spec.rlimit(new Rlimit(Rlimit.Resource.NOFILE, 1, Samples.HARD_NOFILE)),
                        spec -> spec.rlimit(new Rlimit(Rlimit.Resource.NOFILE, 1, Samples.HARD_NOFILE + 1))),
                new Bound(
                        "DEADLINE_INVALID",
                        spec -> spec.wallClock(Duration.ofNanos(1)),
                        spec -> spec.wallClock(Duration.ZERO)),
                new Bound(
                        "DEADLINE_INVALID",
                        spec -> spec.cpuTime(Duration.ofNanos(1)),
                        spec -> spec.cpuTime(Duration.ZERO)),
                new Bound(
                        "TEXT_TOO_LONG",
                        spec -> spec.environment("A", "x".repeat(most - 3)),
                        spec -> spec.environment("A", "x".repeat(most - 2))));
    }

    private static List<String> codes(ContainerSpec spec) {
        return Samples.check(spec, Samples.host()).stream().map(Finding::code).toList();
    }

    @ParameterizedTest
    @MethodSource("bounds")
    void each_bound_is_where_it_is_said_to_be(Bound bound) {
        assertThat(codes(bound.last().apply(Samples.spec()))).isEmpty();
        assertThat(codes(bound.first().apply(Samples.spec()))).containsExactly(bound.code());
    }
}
