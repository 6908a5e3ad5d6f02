package dev.caisson.benchmarks;

import dev.caisson.cgroup.Bytes;
import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.Limits;
import dev.caisson.cgroup.Meter;
import dev.caisson.cgroup.Usage;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Reading all metrics, of one container's group and of 500. `benchmarks/usage` runs it.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xmx256m"})
public class UsageBenchmark {
    private static final String PARENT = "caisson-benchmark-usage";
    private static final int MANY = 500;

    private Hierarchy hierarchy = Hierarchy.detect();
    private List<Cgroup> groups = List.of();
    private List<Meter> meters = List.of();

    /// Makes the groups.
    @Setup(Level.Trial)
    public void make() {
        Limits limits = Limits.defaults().memory(Bytes.mebibytes(64));
        groups = IntStream.range(0, MANY)
                .mapToObj(i -> hierarchy.create(PARENT, "group-" + i, limits))
                .toList();
        meters = groups.stream().map(Cgroup::meter).toList();
    }

    /// Removes them.
    @TearDown(Level.Trial)
    public void remove() {
        meters.forEach(Meter::close);
        hierarchy.removeStale(PARENT, _ -> true);
        hierarchy.removeParent(PARENT);
        hierarchy.close();
    }

    /// The first look at a group.
    @Benchmark
    public Usage oneOnce() {
        return groups.getFirst().usage();
    }

    /// Every further look.
    @Benchmark
    public Usage oneAgain() {
        return meters.getFirst().read();
    }

    /// The first look at all, in one thread.
    @Benchmark
    public long manyOnce() {
        return groups.stream()
                .map(Cgroup::usage)
                .filter(usage -> usage.memory().isPresent())
                .count();
    }

    /// Every further look, in one thread.
    @Benchmark
    public long manyAgain() {
        return meters.stream()
                .map(Meter::read)
                .filter(usage -> usage.memory().isPresent())
                .count();
    }
}
