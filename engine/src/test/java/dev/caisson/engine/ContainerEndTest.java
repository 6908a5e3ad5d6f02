package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerSpec;
import java.io.FileOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// The end of a container: its output may be held by somebody outside, and it comes once.
class ContainerEndTest extends BusyboxEngine {
    /// Opens a container's output as a process outside could that it was given to.
    private static FileOutputStream outputOf(Container container) throws Exception {
        return new FileOutputStream("/proc/" + container.pid() + "/fd/1");
    }

    @Test
    void output_that_somebody_outside_holds_is_waited_for_longer_after_an_exit_than_after_a_kill() throws Exception {
        Container killed = engine.start(busybox("sleep", "100"), Streams.capture());
        Container exited = engine.start(busybox("sh", "-c", "echo early; sleep 1"), Streams.capture());
        try (FileOutputStream outside = outputOf(killed);
                FileOutputStream also = outputOf(exited)) {
            assertThat(outside.getFD().valid()).isTrue();
            killed.kill();
            assertThat(killed.await(Duration.ofSeconds(8)))
                    .hasValueSatisfying(result -> assertThat(result.verdict()).isEqualTo(Verdict.KILLED));

            TimeUnit.SECONDS.sleep(4); // more than a kill is given
            assertThat(exited.await(Duration.ZERO)).isEmpty();
            also.write("late".getBytes(StandardCharsets.US_ASCII));
        }
        RunResult result = exited.await();
        assertThat(result.verdict()).isEqualTo(Verdict.OK);
        assertThat(result.stdout()).isEqualTo("early\nlate");
    }

    @Test
    void a_container_is_removed_once_however_often_its_end_is_told() throws Exception {
        var removed = new AtomicInteger();
        engine.close();
        engine = new Engine(OPTIONS, new Probe() {
            @Override
            public void reached(Moment moment) {
                if (moment == Moment.DESCRIPTORS_CLOSED) {
                    removed.incrementAndGet();
                }
            }

            @Override
            public OptionalInt pauseBefore() {
                return OptionalInt.empty();
            }
        });
        ContainerSpec spec = busybox("true");
        Container container = engine.start(spec, Streams.capture());
        assertThat(container.await().isOk()).isTrue();

        container.finish();
        container.breakDown(new EngineException("ENGINE_BROKEN", "of the test"));

        assertThat(container.await().isOk()).isTrue();
        assertThat(removed).hasValue(1);
        assertThat(shell("true").isOk()).isTrue();
    }
}
