package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.HoldsThread;
import dev.caisson.linux.Pipes;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Which threads are taken for streams of callers, and what they read into.
@Timeout(value = 15, unit = TimeUnit.SECONDS)
class StreamThreadsTest {
    private static final int KEPT_CHUNKS = 16;
    private static final int FEW = 4;

    private final StreamThreads threads = new StreamThreads();

    @AfterEach
    void close() {
        threads.close();
    }

    private interface Held extends HoldsThread, AutoCloseable {
        @Override
        void close();
    }

    /// A file blocks in native code, which would hold a virtual thread's carrier: however many there are, each has a
    /// platform thread. Of the others as many are virtual as there are more than a few.
    @Test
    void what_blocks_in_native_code_has_a_thread_of_the_platform_and_of_the_others_a_few() throws Exception {
        try (var input = new FileInputStream("/dev/null");
                var output = new FileOutputStream("/dev/null");
                var memory = new ByteArrayInputStream(new byte[0])) {
            Held held = () -> {};
            for (Executor each : List.of(threads.of(input), threads.of(output), threads.of(held), threads.ofDisk())) {
                assertThat(virtualOf(each, FEW + 3)).isZero();
            }
            assertThat(virtualOf(threads.of(memory), FEW + 3)).isEqualTo(3);
        }
    }

    /// How many of so many tasks at one time are in virtual threads.
    private static int virtualOf(Executor threads, int count) throws Exception {
        var go = new CountDownLatch(1);
        var tasks = new ArrayList<CompletableFuture<Boolean>>();
        for (int i = 0; i < count; i++) {
            var task = new CompletableFuture<Boolean>();
            tasks.add(task);
            threads.execute(() -> {
                Thread own = Thread.currentThread();
                try {
                    go.await();
                    assertThat(own.isDaemon()).isTrue();
                    task.complete(own.isVirtual());
                } catch (InterruptedException | AssertionError e) {
                    task.completeExceptionally(e);
                }
            });
        }
        go.countDown();
        int virtual = 0;
        for (CompletableFuture<Boolean> task : tasks) {
            virtual += task.get() ? 1 : 0;
        }
        return virtual;
    }

    @Test
    void memory_is_used_again_and_no_more_of_it_is_kept_than_a_few() {
        Pipes.Chunk only = threads.takeChunk();
        assertThat(threads.takeChunk()).isNotSameAs(only);
        threads.giveBack(only);
        assertThat(threads.takeChunk()).isSameAs(only);

        var chunks = new ArrayList<Pipes.Chunk>();
        for (int i = 0; i < KEPT_CHUNKS + 5; i++) {
            chunks.add(threads.takeChunk());
        }
        Set<Pipes.Chunk> identities = Collections.newSetFromMap(new IdentityHashMap<>());
        identities.addAll(chunks);
        assertThat(identities).hasSize(KEPT_CHUNKS + 5);
        for (int round = 0; round < 3; round++) { // as many each time: what was not kept is not counted
            chunks.forEach(threads::giveBack);
            var again = new HashSet<Pipes.Chunk>();
            for (int i = 0; i < KEPT_CHUNKS + 5; i++) {
                again.add(threads.takeChunk());
            }
            again.retainAll(identities);
            assertThat(again).hasSize(KEPT_CHUNKS);
        }
    }

    @Test
    void a_closed_one_takes_nothing_on() {
        threads.close();

        assertThatThrownBy(() -> threads.ofDisk().execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
    }
}
