package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.CpuQuota;
import dev.caisson.spec.SeccompChoice;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The engine spends on a container no more processor time than the container's own share.
class CpuPaceTest extends BusyboxEngine {
    private static final double SHARE = 0.1;
    private static final Duration LONG = Duration.ofSeconds(6);
    /// Beside what is counted: the garbage collector, the compiler, the kernel's part of waking threads.
    private static final double RATIO = 2;

    private static final int UNSHARE = System.getProperty("os.arch").equals("aarch64") ? 97 : 272;

    enum Flood {
        EMPTY_LINES_TO_A_LOG("yes ''", true, false),
        EMPTY_LINES_TO_A_CONSUMER("yes ''", false, false),
        SINGLE_BYTES("while :; do echo; done", true, false),
        /// Nothing but denied calls: a program that starts a process for each makes too few of them.
        DENIED_CALLS("exec perl -e 'fork for 1 .. 3; syscall(%d, 0x40000000) while 1'".formatted(UNSHARE), false, true);

        private final String script;
        private final boolean kept;
        private final boolean watched;

        Flood(String script, boolean kept, boolean watched) {
            this.script = script;
            this.kept = kept;
            this.watched = watched;
        }
    }

    private ContainerSpec spec(Flood flood) {
        ContainerSpec spec = flood.watched
                ? ContainerSpec.of(Image.host(), "sh", "-c", flood.script)
                        .seccomp(new SeccompChoice.Watched(new SeccompChoice.Standard(), SeccompChoice.Watch.TELL))
                : busybox("sh", "-c", flood.script);
        return spec.outputLimit(Bytes.UNLIMITED).limits(spec.limits().cpus(CpuQuota.cpus("" + SHARE)));
    }

    private static Duration ownCpu() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow();
    }

    @ParameterizedTest
    @EnumSource
    void a_flood_costs_the_engine_no_more_than_the_containers_share(Flood flood) throws Exception {
        ContainerSpec spec = spec(flood);
        Streams streams =
                new Streams.Copy(Optional.empty(), OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
        // What runs for the first time is interpreted and compiled.
        engine.run(spec.wallClock(Duration.ofSeconds(2)), flood.kept ? streams.kept() : streams);

        Duration before = ownCpu();
        RunResult result = engine.run(spec.wallClock(LONG), flood.kept ? streams.kept() : streams);
        Duration spent = ownCpu().minus(before);

        KeptContainer.all(OPTIONS).forEach(KeptContainer::remove);
        assertThat(result.verdict()).isEqualTo(Verdict.WALL_CLOCK);
        assertThat(spent.toMillis()).isLessThan((long) (RATIO * SHARE * LONG.toMillis()));
    }
}
