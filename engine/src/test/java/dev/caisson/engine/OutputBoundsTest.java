package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Bytes;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// How much of a container's output is passed on and kept in memory.
class OutputBoundsTest {
    @Test
    void a_limit_is_passed_on_to_its_last_byte_and_no_further() {
        var limit = new OutputLimit(Bytes.of(10));

        assertThat(limit.take(4)).isEqualTo(4);
        assertThat(limit.take(6)).isEqualTo(6);
        assertThat(limit.take(1)).isZero();
        assertThat(new OutputLimit(Bytes.of(5)).take(8)).isEqualTo(5);
    }

    @Test
    void a_budget_is_given_out_to_its_last_byte_and_taken_back() {
        var budget = new CaptureBudget(Bytes.of(10));

        assertThat(budget.take(11)).isFalse();
        assertThat(budget.take(10)).isTrue();
        assertThat(budget.left()).isEqualTo(Bytes.of(0));
        assertThat(budget.take(1)).isFalse();
        budget.giveBack(3);
        assertThat(budget.left()).isEqualTo(Bytes.of(3));
        assertThat(budget.take(3)).isTrue();
        assertThat(budget.take(1)).isFalse();
    }

    @Test
    void what_is_captured_is_what_came_in_its_order() {
        var captured = new CapturedBytes(new CaptureBudget(Bytes.mebibytes(8)), () -> {});
        byte[] block = new byte[1000];
        for (int i = 0; i < 2000; i++) {
            java.util.Arrays.fill(block, (byte) i);
            captured.accept(block, block.length - i % 7);
        }

        byte[] all = captured.captured().bytes();
        int at = 0;
        for (int i = 0; i < 2000; i++) {
            for (int end = at + block.length - i % 7; at < end; at++) {
                assertThat(all[at]).isEqualTo((byte) i);
            }
        }
        assertThat(all).hasSize(at);
    }

    @Test
    void captured_output_takes_its_memory_from_the_budget_and_gives_all_of_it_back() {
        var budget = new CaptureBudget(Bytes.mebibytes(1));
        var over = new AtomicInteger();
        var captured = new CapturedBytes(budget, over::incrementAndGet);

        captured.accept("some".getBytes(StandardCharsets.UTF_8), 4);
        assertThat(budget.left().count()).isLessThan(1 << 20);
        assertThat(over).hasValue(0);
        for (int i = 0; i < 32; i++) {
            captured.accept(new byte[64 << 10], 64 << 10);
        }

        assertThat(over.get()).isPositive();
        assertThat(captured.captured().text()).startsWith("some").hasSizeBetween(1 << 19, 1 << 20);
        captured.release();
        assertThat(budget.left()).isEqualTo(Bytes.mebibytes(1));
        captured.accept(new byte[1], 1);
        assertThat(captured.captured().bytes()).isEmpty();
        assertThat(budget.left()).as("what comes behind it takes nothing").isEqualTo(Bytes.mebibytes(1));
        captured.release();
        assertThat(captured.captured().bytes()).isEmpty();
        assertThat(budget.left()).isEqualTo(Bytes.mebibytes(1));
    }

    /// A result that its caller keeps is a second copy, and a third one would be more than a small heap has.
    @Test
    void what_a_result_has_is_not_kept_in_pieces_too() throws InterruptedException {
        var pieces = new ArrayList<WeakReference<byte[]>>();
        var captured = new CapturedBytes(new CaptureBudget(Bytes.mebibytes(1)), () -> {}, size -> {
            byte[] piece = new byte[size];
            pieces.add(new WeakReference<>(piece));
            return piece;
        });
        captured.accept(new byte[3000], 3000);

        RunResult.Captured result = captured.captured();

        for (int i = 0; i < 100 && pieces.stream().anyMatch(piece -> piece.get() != null); i++) {
            System.gc();
            Thread.sleep(10);
        }
        assertThat(pieces).hasSize(2).allMatch(piece -> piece.get() == null);
        assertThat(captured.captured()).isSameAs(result);
        assertThat(result.bytes()).hasSize(3000);
    }

    /// Pieces that double, from one KiB to a quarter MiB: what is little takes little, and what is much no copies.
    @Test
    void captured_output_grows_by_pieces_that_double_up_to_a_bound() {
        var budget = new CaptureBudget(Bytes.mebibytes(8));
        var captured = new CapturedBytes(budget, () -> {});
        var sizes = new ArrayList<Long>();
        byte[] kibibyte = new byte[1 << 10];
        long before = budget.left().count();
        for (int i = 0; i < 1280; i++) {
            captured.accept(kibibyte, kibibyte.length);
            long left = budget.left().count();
            if (left < before) {
                sizes.add((before - left) >> 10);
            }
            before = left;
        }

        assertThat(sizes).containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 64L, 128L, 256L, 256L, 256L, 256L, 256L);
    }

    /// A budget may be more than the heap has left.
    @Test
    void where_the_heap_has_no_room_it_is_full_and_takes_nothing_from_the_budget() {
        var budget = new CaptureBudget(Bytes.mebibytes(1));
        var over = new AtomicInteger();
        var captured = new CapturedBytes(budget, over::incrementAndGet, size -> {
            if (size > 2048) {
                throw new OutOfMemoryError("of the test");
            }
            return new byte[size];
        });
        captured.accept(new byte[3072], 3072);
        assertThat(over).hasValue(0);
        captured.accept(new byte[10], 10);
        captured.accept(new byte[10], 10);

        assertThat(over).hasValue(2);
        assertThat(captured.captured().bytes()).hasSize(3072);
        assertThat(budget.left().count()).isEqualTo((1 << 20) - 3072);
    }

    /// An array has no more: with a piece that is used again and again, so that this needs no memory.
    @Test
    void no_more_is_captured_than_one_array_can_have() {
        var budget = new CaptureBudget(Bytes.gibibytes(8));
        var over = new AtomicInteger();
        byte[] largest = new byte[256 << 10];
        var captured = new CapturedBytes(
                budget, over::incrementAndGet, size -> size < largest.length ? new byte[size] : largest);
        byte[] block = new byte[256 << 10];
        int blocks = 0;
        while (over.get() == 0 && blocks < 9000) {
            captured.accept(block, block.length);
            blocks++;
        }

        assertThat(blocks * (long) block.length).isBetween((2L << 30) - (2 << 20), (2L << 30) - 1);
        captured.release();
        assertThat(budget.left()).isEqualTo(Bytes.gibibytes(8));
    }

    @Test
    void of_a_budget_that_many_take_from_at_once_nothing_is_given_out_twice() throws InterruptedException {
        var budget = new CaptureBudget(Bytes.of(2_000_000));
        var taken = new AtomicInteger();
        var go = new CountDownLatch(1);
        var all = new ArrayList<Thread>();
        for (int i = 0; i < 4; i++) {
            all.add(Thread.ofPlatform().start(() -> {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                while (budget.take(1)) {
                    taken.incrementAndGet();
                }
            }));
        }
        go.countDown();
        for (Thread each : all) {
            each.join();
        }

        assertThat(taken).hasValue(2_000_000);
        assertThat(budget.left()).isEqualTo(Bytes.of(0));
    }
}
