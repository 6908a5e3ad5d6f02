package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileLocksTest {
    private static final int MORE_THAN_CARRIERS = 2 * Runtime.getRuntime().availableProcessors() + 2;

    private Fd open(Path directory) {
        return FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
    }

    @Test
    void virtual_threads_that_wait_for_a_lock_let_the_one_that_has_it_go_on(@TempDir Path directory) throws Exception {
        var locked = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var had = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        threads.add(Thread.startVirtualThread(() -> {
            try (Fd own = open(directory)) {
                FileLocks.lock(own);
                locked.countDown();
                goOn.await();
                had.incrementAndGet();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }));
        assertThat(locked.await(10, TimeUnit.SECONDS)).isTrue();
        var waiting = new CountDownLatch(1);
        for (int i = 0; i < MORE_THAN_CARRIERS; i++) {
            boolean shared = i % 2 == 0;
            threads.add(Thread.startVirtualThread(() -> {
                try (Fd own = open(directory)) {
                    waiting.countDown();
                    if (shared) {
                        FileLocks.lockShared(own);
                    } else {
                        FileLocks.lock(own);
                    }
                    had.incrementAndGet();
                }
            }));
        }
        assertThat(waiting.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(had).hasValue(0);
        goOn.countDown();

        for (Thread one : threads) {
            assertThat(one.join(Duration.ofSeconds(10))).isTrue();
        }
        assertThat(had).hasValue(1 + MORE_THAN_CARRIERS);
    }

    @Test
    void a_thread_that_is_interrupted_gets_its_lock_and_stays_interrupted(@TempDir Path directory) throws Exception {
        try (Fd first = open(directory)) {
            FileLocks.lock(first);
            var interrupted = new AtomicInteger();
            Thread second = Thread.startVirtualThread(() -> {
                Thread.currentThread().interrupt();
                try (Fd own = open(directory)) {
                    FileLocks.lock(own);
                    interrupted.set(Thread.currentThread().isInterrupted() ? 1 : 2);
                }
            });
            assertThat(second.join(Duration.ofMillis(50))).isFalse();
            FileLocks.unlock(first);
            assertThat(second.join(Duration.ofSeconds(10))).isTrue();
            assertThat(interrupted).hasValue(1);
        }
    }
}
