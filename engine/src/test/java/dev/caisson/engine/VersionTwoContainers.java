package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import dev.caisson.state.State;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// What [VersionTwoEngineTest] has its machine do: limits of containers from the wish to the kernel and to the verdict.
final class VersionTwoContainers {
    static final String HELD = "held";
    /// Where the test that starts the machine links a JVM for it.
    static final Path JAVA = Path.of("target/small-java").toAbsolutePath();

    private static final String STATE = "/run/caisson";

    private VersionTwoContainers() {}

    public static void main(String[] arguments) throws Exception {
        Path disk = Path.of("/disk");
        Path root = BusyboxEngine.makeRoot(disk.resolve("root"));
        var options = new EngineOptions(Path.of(STATE), disk.resolve("data"));
        try (var hierarchy = Hierarchy.detect()) {
            assertThat(hierarchy.world()).isEqualTo(Hierarchy.World.V2);
            try (var engine = Engine.open(options)) {
                limitsAreSeenInside(engine, root);
                aJavaProgramSeesThem(engine, root);
                verdictsAreToldApart(engine, root);
                aRunningContainerIsChangedPausedAndMeasured(engine, root, options);
                GivenDisk.isReadAndNotWritten(engine, shell(root, GivenDisk.script()), options);
                aTenantBoundsItsContainers(engine, root);
                buffersOfSocketsAreInTheMemoryLimit(engine);
            }
            String parent = State.cgroupParent(options.state());
            assertThat(hierarchy.leftovers(parent)).isEmpty();
            assertThat(hierarchy.findParent(parent)).isEmpty();
        }
        System.out.println(HELD);
    }

    private static ContainerSpec shell(Path root, String script) {
        return ContainerSpec.of(Image.directory(root), "sh", "-c", script);
    }

    private static void limitsAreSeenInside(Engine engine, Path root) throws InterruptedException {
        RunResult result = engine.run(shell(root, "cd /sys/fs/cgroup; cat memory.max pids.max cpu.max memory.low")
                .limits(Limits.defaults()
                        .memory(Bytes.mebibytes(64))
                        .pids(30)
                        .cpus("0.5")
                        .memoryReservation(Bytes.mebibytes(16))));

        assertThat(result.stdout().lines()).containsExactly("67108864", "30", "50000 100000", "16777216");
    }

    private static void aJavaProgramSeesThem(Engine engine, Path root) throws IOException, InterruptedException {
        Runtimes.copyJava(JAVA, root).check(engine, Image.directory(root));
    }

    private static void verdictsAreToldApart(Engine engine, Path root) throws InterruptedException {
        assertThat(engine.run(shell(root, "x=$(dd if=/dev/zero bs=1M count=60 | cat -v)")
                                .memory(Bytes.mebibytes(32)))
                        .verdict())
                .isEqualTo(Verdict.OUT_OF_MEMORY);
        assertThat(engine.run(shell(root, "for i in 1 2 3 4 5 6 7 8; do sleep 9 & done; exit 1")
                                .pids(5))
                        .verdict())
                .isEqualTo(Verdict.PIDS);
    }

    private static void aRunningContainerIsChangedPausedAndMeasured(Engine engine, Path root, EngineOptions options)
            throws InterruptedException {
        Container container = engine.start(shell(root, "while :; do :; done").name("two"), Streams.capture());
        container.update(Limits.defaults().memory(Bytes.mebibytes(48)).pids(9));
        assertThat(container.usage().group().memory().orElseThrow().limit()).isEqualTo(Bytes.mebibytes(48));
        container.pause();
        var before = container.usage().group().cpu().total();
        TimeUnit.MILLISECONDS.sleep(200);
        assertThat(container.usage().group().cpu().total()).isEqualTo(before);
        container.resume();
        try (var survey = new Survey(options)) {
            assertThat(survey.read()).extracting(Survey.Sample::name).isEqualTo(List.of("two"));
        }
        container.kill();
        assertThat(container.await().verdict()).isEqualTo(Verdict.KILLED);
    }

    /// Fills connections that nobody reads from, each as far as it takes, and prints how many MiB they took.
    private static void buffersOfSocketsAreInTheMemoryLimit(Engine engine) throws InterruptedException {
        String script = "use Socket; use Fcntl; my @all; my $block = 'x' x 1048576; my $bytes = 0;"
                + " socket my $l, PF_INET, SOCK_STREAM, 0 or die; bind $l, sockaddr_in(0, INADDR_LOOPBACK) or die;"
                + " listen $l, 99 or die; for (1 .. 60) { socket my $s, PF_INET, SOCK_STREAM, 0 or last;"
                + " connect $s, getsockname $l or last; accept my $a, $l or last; push @all, $s, $a;"
                + " fcntl $s, F_SETFL, O_NONBLOCK; while (my $n = syswrite $s, $block) { $bytes += $n } }"
                + " print $bytes >> 20";
        ContainerSpec spec = ContainerSpec.onHost("perl", "-e", script);

        RunResult small = engine.run(spec.memory(Bytes.mebibytes(32)));
        RunResult large = engine.run(spec.memory(Bytes.mebibytes(400)));

        assertThat(large.stdout()).as(large.stderr()).isNotEmpty();
        assertThat(Integer.parseInt(large.stdout())).isGreaterThan(64);
        assertThat(large.peakMemory()).isGreaterThan(Bytes.mebibytes(64));
        if (small.verdict() == Verdict.OK) {
            assertThat(Integer.parseInt(small.stdout())).isLessThan(40);
        } else {
            assertThat(small.verdict()).isEqualTo(Verdict.OUT_OF_MEMORY);
        }
    }

    private static void aTenantBoundsItsContainers(Engine engine, Path root) throws InterruptedException {
        Limits ceiling = Limits.unlimited().memory(Bytes.mebibytes(24)).memorySwap(Bytes.mebibytes(24));

        RunResult result = engine.run(shell(root, "x=$(dd if=/dev/zero bs=1M count=60 | cat -v)")
                .placement(new Placement.Tenant("a", Optional.of(ceiling))));

        assertThat(result.isOk()).isFalse();
        // a group is charged before the one above refuses, in batches of 64 pages, and its peak tells that
        assertThat(result.peakMemory()).isBetween(Bytes.mebibytes(16), Bytes.mebibytes(25));
    }
}
