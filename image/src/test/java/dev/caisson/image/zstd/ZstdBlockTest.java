package dev.caisson.image.zstd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Offsets of a zstd block, RFC 8878, section 3.1.1.5.
class ZstdBlockTest {
    private static final int MOST = 1000;

    /// Uses 13, then 12, then 11 as offsets, so that these are the last ones, 11 the latest.
    private static ZstdBlock block() {
        var block = new ZstdBlock();
        for (int offset = 13; offset >= 11; offset--) {
            assertThat(block.offset(offset + 3, false, MOST)).isEqualTo(offset);
        }
        return block;
    }

    private static int[] lastThree(ZstdBlock block) {
        int first = block.offset(1, false, MOST);
        int second = block.offset(2, false, MOST);
        // the second is the latest by now, and the first the one before it
        return new int[] {first, second, block.offset(3, false, MOST)};
    }

    @ParameterizedTest
    @CsvSource({
        "1, false, 11, 11 12 13",
        "2, false, 12, 12 11 13",
        "3, false, 13, 13 11 12",
        "4, false, 1, 1 11 12",
        "1, true, 12, 12 11 13",
        "2, true, 13, 13 11 12",
        "3, true, 10, 10 11 12",
        "4, true, 1, 1 11 12",
        "103, false, 100, 100 11 12",
        "103, true, 100, 100 11 12",
    })
    void small_values_are_the_last_offsets_and_these_move_up(int value, boolean bare, int offset, String after) {
        ZstdBlock block = block();
        assertThat(block.offset(value, bare, MOST)).isEqualTo(offset);
        String[] words = after.split(" ", 3);
        assertThat(lastThree(block))
                .containsExactly(Integer.parseInt(words[0]), Integer.parseInt(words[1]), Integer.parseInt(words[2]));
    }

    @Test
    void the_first_offsets_are_1_4_and_8() {
        assertThat(lastThree(new ZstdBlock())).containsExactly(1, 4, 8);
    }

    /// Literals that are kept as they are: as many as the header says must be in the block.
    @Test
    void literals_that_are_cut_off_are_damaged() {
        byte[] history = new byte[1000];
        byte[] whole = {5 << 3, 'a', 'b', 'c', 'd', 'e', 0};
        assertThat(new ZstdBlock().decode(whole, whole.length, history, 10, 1000, 100))
                .isEqualTo(15);
        assertThat(new String(history, 10, 5, StandardCharsets.US_ASCII)).isEqualTo("abcde");
        for (int count = 6; count < 32; count++) {
            byte[] cut = whole.clone();
            cut[0] = (byte) (count << 3);
            assertThatThrownBy(() -> new ZstdBlock().decode(cut, cut.length, history, 10, 1000, 100))
                    .isInstanceOf(ZstdException.class)
                    .hasMessageContaining("a block is cut off");
        }
        byte[] twoBytes = {1 << 2 | 7 << 4, 0, 'a', 'b', 'c', 'd', 'e', 'f'};
        assertThatThrownBy(() -> new ZstdBlock().decode(twoBytes, twoBytes.length, history, 10, 1000, 100))
                .isInstanceOf(ZstdException.class)
                .hasMessageContaining("a block is cut off");
    }

    /// One byte, many times.
    @Test
    void a_literal_may_be_repeated() {
        byte[] history = new byte[1000];
        byte[] block = {(byte) (1 | 31 << 3), 'z', 0};
        assertThat(new ZstdBlock().decode(block, block.length, history, 3, 1000, 100))
                .isEqualTo(34);
        assertThat(new String(history, 3, 31, StandardCharsets.US_ASCII)).isEqualTo("z".repeat(31));
        assertThat(history[2] + history[34]).isZero();
        assertThatThrownBy(() -> new ZstdBlock().decode(block, block.length, history, 3, 1000, 30))
                .hasMessageContaining("too many literals");
        byte[] more = {(byte) (1 | 31 << 3), 'z', 0, 0};
        assertThatThrownBy(() -> new ZstdBlock().decode(more, more.length, history, 3, 1000, 100))
                .hasMessageContaining("something follows the literals");
    }

    @Test
    void an_offset_leads_back_and_no_further_than_the_window() {
        assertThat(new ZstdBlock().offset(103, false, 100)).isEqualTo(100);
        assertThatThrownBy(() -> new ZstdBlock().offset(104, false, 100)).hasMessageContaining("out of the window");
        assertThatThrownBy(() -> new ZstdBlock().offset(3, true, 100)).hasMessageContaining("out of the window");
        assertThatThrownBy(() -> new ZstdBlock().offset(1L << 33, false, 100))
                .hasMessageContaining("out of the window");
    }
}
