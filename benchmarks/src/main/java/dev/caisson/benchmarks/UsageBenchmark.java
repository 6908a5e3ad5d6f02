package dev.caisson.benchmarks;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.Meter;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
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

/// Reading all metrics, of one container's group and of 500, in a JVM that is warm. `benchmarks/usage` runs it.
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
    private static final int ROUNDS_TO_WARM = 30;
    private static final int ROUNDS = 40;

    /// Groups with meters, and what they were made in.
    private static final class Groups implements AutoCloseable {
        private final Hierarchy hierarchy = Hierarchy.detect();
        private final List<Cgroup> groups;
        /// That have not looked at their groups yet.
        private final List<Meter> meters;

        private Groups() {
            Limits limits = Limits.defaults().memory(Bytes.mebibytes(64));
            groups = IntStream.range(0, MANY)
                    .mapToObj(i -> hierarchy.create(PARENT, "group-" + i, limits))
                    .toList();
            meters = IntStream.range(0, MANY)
                    .mapToObj(i -> hierarchy.meter(PARENT, "group-" + i))
                    .toList();
        }

        @Override
        public void close() {
            meters.forEach(Meter::close);
            groups.forEach(Cgroup::remove);
            hierarchy.removeParent(PARENT);
            hierarchy.close();
        }
    }

    private static long read(Stream<Meter> meters) {
        return meters.map(Meter::read)
                .filter(usage -> usage.memory().isPresent())
                .count();
    }

    /// Groups that stay: what the kernel keeps of a file that was opened before is there.
    @State(Scope.Benchmark)
    public static class Standing {
        private @Nullable Groups groups;

        /// Makes the groups.
        @Setup(Level.Trial)
        public void make() {
            groups = new Groups();
        }

        private Groups groups() {
            return Objects.requireNonNull(groups);
        }

        /// Removes them.
        @TearDown(Level.Trial)
        public void remove() {
            groups().close();
        }
    }

    /// Groups that nobody has looked at.
    @State(Scope.Benchmark)
    public static class New {
        private @Nullable Groups groups;

        /// Makes the groups.
        @Setup(Level.Invocation)
        public void make() {
            groups = new Groups();
        }

        private Stream<Meter> meters() {
            return Objects.requireNonNull(groups).meters.stream();
        }

        /// Removes them.
        @TearDown(Level.Invocation)
        public void remove() {
            Objects.requireNonNull(groups).close();
        }
    }

    /// A look that keeps nothing open.
    @Benchmark
    public Usage oneOnce(Standing standing) {
        return standing.groups().groups.getFirst().usage();
    }

    /// A look with the files open.
    @Benchmark
    public Usage oneAgain(Standing standing) {
        return standing.groups().meters.getFirst().read();
    }

    /// The first look at all, in one thread.
    @Benchmark
    @BenchmarkMode(Mode.SingleShotTime)
    @Warmup(iterations = ROUNDS_TO_WARM)
    @Measurement(iterations = ROUNDS)
    public long newOnes(New groups) {
        return read(groups.meters());
    }

    /// The first look at all, in as many threads as there are processors: what `caisson stats` does.
    @Benchmark
    @BenchmarkMode(Mode.SingleShotTime)
    @Warmup(iterations = ROUNDS_TO_WARM)
    @Measurement(iterations = ROUNDS)
    public long newOnesInThreads(New groups) {
        return read(groups.meters().parallel());
    }

    /// Every further look, in one thread.
    @Benchmark
    public long manyAgain(Standing standing) {
        return read(standing.groups().meters.stream());
    }
}
