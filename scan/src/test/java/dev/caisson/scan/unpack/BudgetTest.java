package dev.caisson.scan.unpack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a file may unpack to.
class BudgetTest {
    private static final int FREE = 16 << 20;
    private static final int RATIO = 250;
    private static final int DEEPEST = 8;

    private final Budget budget = new Budget();

    /// The ways in which a stream is read, each of which counts.
    enum Way {
        ONE {
            @Override
            long take(InputStream in, int most) throws IOException {
                return in.read() < 0 ? 0 : 1;
            }
        },
        PART {
            @Override
            long take(InputStream in, int most) throws IOException {
                return Math.max(0, in.read(new byte[most], 0, most));
            }
        },
        SKIP {
            @Override
            long take(InputStream in, int most) throws IOException {
                return in.skip(most);
            }
        };

        abstract long take(InputStream in, int most) throws IOException;

        void all(InputStream in, long bytes) throws IOException {
            for (long left = bytes; left > 0; ) {
                long taken = take(in, (int) Math.min(left, 1 << 20));
                assertThat(taken).isPositive();
                left -= taken;
            }
        }
    }

    private static InputStream zeros(int length) {
        return new ByteArrayInputStream(new byte[length]);
    }

    @ParameterizedTest
    @EnumSource
    void each_byte_that_is_unpacked_counts_however_it_is_read(Way way) throws IOException {
        InputStream in = budget.unpacked(zeros(FREE + 1));
        way.all(in, FREE);
        assertThatThrownBy(() -> way.take(in, 1))
                .isInstanceOfSatisfying(
                        IOException.class,
                        failure -> assertThat(Budget.isExceeded(failure)).isTrue())
                .hasMessageContaining("250 times");
    }

    @ParameterizedTest
    @EnumSource
    void each_byte_of_the_file_itself_allows_its_share_however_it_is_read(Way way) throws IOException {
        way.all(budget.packed(zeros(10)), 10);
        InputStream in = budget.unpacked(zeros(FREE + 10 * RATIO + 1));
        Way.PART.all(in, FREE + 10 * RATIO);
        assertThatThrownBy(() -> in.read())
                .isInstanceOfSatisfying(
                        IOException.class,
                        failure -> assertThat(Budget.isExceeded(failure)).isTrue());
    }

    @Test
    void two_files_of_one_archive_share_what_there_is() throws IOException {
        Way.PART.all(budget.unpacked(zeros(FREE)), FREE);
        assertThatThrownBy(() -> budget.unpacked(zeros(1)).read()).isInstanceOf(IOException.class);
    }

    @Test
    void the_end_of_a_stream_counts_nothing() throws IOException {
        Way.PART.all(budget.unpacked(zeros(FREE)), FREE);
        InputStream empty = budget.unpacked(zeros(0));
        assertThat(List.of(empty.read(), empty.read(new byte[1], 0, 1))).containsExactly(-1, -1);
        assertThat(empty.skip(1)).isZero();
    }

    @Test
    void archives_lie_in_each_other_to_a_bound_and_beside_each_other_without() throws IOException {
        for (int i = 0; i < 3 * DEEPEST; i++) {
            budget.enter();
            budget.leave();
        }
        for (int i = 0; i < DEEPEST; i++) {
            budget.enter();
        }
        assertThatThrownBy(budget::enter)
                .isInstanceOfSatisfying(
                        IOException.class,
                        failure -> assertThat(Budget.isExceeded(failure)).isFalse())
                .hasMessageContaining("8 archives");
        budget.leave();
        budget.enter();
    }
}
