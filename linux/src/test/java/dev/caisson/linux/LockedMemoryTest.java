package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/// Memory of secrets, of which pages are used again.
class LockedMemoryTest {
    private static final int SIZE = 32;

    private static byte[] all(LockedMemory memory) {
        byte[] all = new byte[memory.size()];
        memory.get(0, all, 0, all.length);
        return all;
    }

    private static byte[] ones(int size) {
        byte[] ones = new byte[size];
        Arrays.fill(ones, (byte) 1);
        return ones;
    }

    @Test
    void memory_that_is_used_again_is_zero() {
        for (int size : new int[] {1, SIZE, 4096, 4097, 100_000}) {
            for (int i = 0; i < 20; i++) {
                try (var memory = LockedMemory.allocate(size)) {
                    assertThat(all(memory)).containsOnly(0);
                    memory.put(0, ones(size), 0, size);
                }
            }
        }
    }

    @Test
    void each_has_a_page_of_its_own() {
        Set<LockedMemory> open = new HashSet<>();
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 20; i++) {
                var memory = LockedMemory.allocate(SIZE);
                memory.put(0, i);
                open.add(memory);
            }
            assertThat(open).extracting(memory -> memory.integer(0)).doesNotHaveDuplicates();
            open.forEach(LockedMemory::close);
            open.forEach(LockedMemory::close); // a second time, which gives no page back twice
            open.clear();
        }
        LockedMemory.releaseSpare();
        try (var memory = LockedMemory.allocate(SIZE)) {
            assertThat(all(memory)).containsOnly(0);
        }
    }

    @Test
    void nobody_reads_it_once_it_is_given_back() {
        var memory = LockedMemory.allocate(SIZE);
        memory.close();
        try (var next = LockedMemory.allocate(SIZE)) {
            next.put(0, ones(SIZE), 0, SIZE);
            assertThatThrownBy(() -> all(memory)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> memory.put(0, 7)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> memory.integer(0)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> memory.holds(0, new byte[SIZE], 0, SIZE))
                    .isInstanceOf(IllegalStateException.class);
            assertThat(all(next)).containsOnly(1);
        }
    }

    @Test
    void what_is_searched_is_zero_at_first_and_not_read_once_it_is_given_back() {
        for (int i = 0; i < 20; i++) {
            var memory = LockedMemory.allocateSearched(SIZE);
            assertThat(all(memory)).containsOnly(0);
            memory.put(0, ones(SIZE), 0, SIZE);
            assertThat(memory.holds(0, ones(SIZE), 0, SIZE)).isTrue();
            assertThat(memory.holds(0, new byte[SIZE], 0, SIZE)).isFalse();
            memory.close();
            memory.close();
            assertThatThrownBy(() -> memory.integer(0)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> memory.holds(0, ones(SIZE), 0, SIZE)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> all(memory)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void who_reads_while_it_is_given_back_sees_no_other_value() throws InterruptedException {
        for (int i = 0; i < 200; i++) {
            var memory = LockedMemory.allocate(SIZE);
            var foreign = new AtomicBoolean();
            Thread reader = Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        for (byte one : all(memory)) {
                            foreign.compareAndSet(false, one != 0);
                        }
                    }
                } catch (IllegalStateException e) {
                    // it was given back
                }
            });
            memory.close();
            try (var next = LockedMemory.allocate(SIZE)) {
                next.put(0, ones(SIZE), 0, SIZE);
                reader.join();
            }
            assertThat(foreign).isFalse();
        }
    }
}
