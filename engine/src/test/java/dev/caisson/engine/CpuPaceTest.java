package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.image.ProgressListener;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.CpuQuota;
import dev.caisson.spec.Denial;
import dev.caisson.spec.SeccompChoice;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The engine spends on a container no more processor time than the container's own share.
class CpuPaceTest extends BusyboxEngine {
    private static final double SHARE = 0.1;
    private static final Duration LONG = Duration.ofSeconds(6);
    /// Beside what is counted: the garbage collector, the kernel's part of waking threads.
    private static final double RATIO = 2;

    private static final int UNSHARE = System.getProperty("os.arch").equals("aarch64") ? 97 : 272;

    /// One answer costs the engine more than this: two system calls, and its part of a look for the next call. Without
    /// the pace there would be 64 answers in 50 ms.
    private static final Duration LEAST_FOR_AN_ANSWER = Duration.ofNanos(12_000);

    enum Flood {
        EMPTY_LINES_TO_A_LOG("yes ''", true),
        EMPTY_LINES_TO_A_CONSUMER("yes ''", false),
        SINGLE_BYTES("while :; do echo; done", true);

        private final String script;
        private final boolean kept;

        Flood(String script, boolean kept) {
            this.script = script;
            this.kept = kept;
        }
    }

    private ContainerSpec spec(Flood flood) {
        ContainerSpec spec = busybox("sh", "-c", flood.script);
        return spec.outputLimit(Bytes.UNLIMITED).limits(spec.limits().cpus(CpuQuota.cpus("" + SHARE)));
    }

    @ParameterizedTest
    @EnumSource
    void a_flood_costs_the_engine_no_more_than_the_containers_share(Flood flood) throws Exception {
        ContainerSpec spec = spec(flood);
        Streams streams =
                new Streams.Copy(Optional.empty(), OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
        // What runs for the first time is interpreted and compiled.
        engine.run(spec.wallClock(Duration.ofSeconds(2)), flood.kept ? streams.kept() : streams);

        Duration before = OwnThreads.cpuWithoutCompiler();
        RunResult result = engine.run(spec.wallClock(LONG), flood.kept ? streams.kept() : streams);
        Duration spent = OwnThreads.cpuWithoutCompiler().minus(before);

        KeptContainer.all(OPTIONS).forEach(KeptContainer::remove);
        assertThat(result.verdict()).isEqualTo(Verdict.WALL_CLOCK);
        assertThat(spent.toMillis()).isLessThan((long) (RATIO * SHARE * LONG.toMillis()));
    }

    /// The container itself may ask as fast as it can: a program that starts a process for each call makes too few.
    @Test
    void denied_calls_are_answered_no_faster_than_the_share_pays_for() throws Exception {
        String asks = "fork for 1 .. 3; syscall(%d, 0x40000000) while 1".formatted(UNSHARE);
        Duration time = Duration.ofSeconds(4);
        Optional<CpuQuota> least = Optional.of(CpuQuota.cpus("0.01"));
        Streams streams = Streams.capture();

        try (Container container = engine.start(
                ContainerSpec.of(Image.host(), "perl", "-e", asks)
                        .seccomp(new SeccompChoice.Watched(new SeccompChoice.Standard(), SeccompChoice.Watch.TELL))
                        .wallClock(time),
                streams,
                ProgressListener.none(),
                made -> {
                    made.pace().follow(least);
                    made.pace().spend(Duration.ofMillis(250).toNanos()); // what may be spent ahead
                })) {
            RunResult result = container.await();

            long answers = result.denials().stream().mapToLong(Denial::count).sum();
            assertThat(answers).isBetween(1L, (long) (0.01 * time.toNanos() / LEAST_FOR_AN_ANSWER.toNanos()));
        }
    }
}
