package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Caches that one build uses at a time.
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class CacheLockTest {
    private static final String ONE = "0123456789abcdef01234567";
    private static final String OTHER = "1123456789abcdef01234567";
    private static final Duration A_WHILE = Duration.ofMillis(300);

    @TempDir
    private Path data;

    @Test
    void a_cache_that_another_build_uses_is_entered_once_that_has_left_it() throws Exception {
        var entered = new CountDownLatch(1);
        CacheLock first = CacheLock.take(data, ONE);
        Thread second = Thread.ofPlatform().start(() -> {
            try (CacheLock lock = CacheLock.take(data, ONE)) {
                assertThat(lock).isNotNull();
                entered.countDown();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            assertThat(entered.await(A_WHILE.toMillis(), TimeUnit.MILLISECONDS)).isFalse();
        } finally {
            first.close();
        }
        assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(second.join(Duration.ofSeconds(10))).isTrue();
    }

    @Test
    void another_cache_is_entered_at_once() throws Exception {
        try (CacheLock one = CacheLock.take(data, ONE);
                CacheLock other = CacheLock.take(data, OTHER)) {
            assertThat(one).isNotSameAs(other);
        }
    }

    @Test
    void a_build_that_waits_can_be_ended_and_leaves_the_cache_to_others() throws Exception {
        CacheLock first = CacheLock.take(data, ONE);
        var interrupted = new CountDownLatch(1);
        Thread second = Thread.ofPlatform().start(() -> {
            try (CacheLock lock = CacheLock.take(data, ONE)) {
                assertThat(lock).isNull();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
        });
        second.interrupt();
        assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
        first.close();
        CacheLock.take(data, ONE).close();
    }
}
