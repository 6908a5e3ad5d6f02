package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// The end of a container: it waits for who takes its output, and comes once.
class ContainerEndTest extends BusyboxEngine {
    /// Takes nothing before it is released.
    private static OutputStream heldBy(CountDownLatch release) {
        return new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
        };
    }

    private Container startHeld(CountDownLatch release, String script) throws InterruptedException {
        return engine.start(
                busybox("sh", "-c", script),
                new Streams.Copy(Optional.empty(), heldBy(release), OutputStream.nullOutputStream()));
    }

    @Test
    void who_takes_output_slowly_has_more_time_after_an_exit_than_after_a_kill() throws Exception {
        var release = new CountDownLatch(1);
        try (Container killed = startHeld(release, "echo x; sleep 100")) {
            TimeUnit.SECONDS.sleep(1);
            killed.kill();
            assertThat(killed.await(Duration.ofSeconds(7)))
                    .hasValueSatisfying(result -> assertThat(result.verdict()).isEqualTo(Verdict.KILLED));

            Container exited = startHeld(release, "echo x");
            assertThat(exited.await(Duration.ofSeconds(5))).isEmpty();
            release.countDown();
            assertThat(exited.await().verdict()).isEqualTo(Verdict.OK);
        } finally {
            release.countDown();
        }
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
