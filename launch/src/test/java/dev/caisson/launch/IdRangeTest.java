package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class IdRangeTest {
    @Test
    void ranges_follow_each_other_without_overlap() {
        for (int index = 1; index < IdRange.RANGES; index++) {
            IdRange range = IdRange.numbered(index);

            assertThat(range.base())
                    .isEqualTo(IdRange.numbered(index - 1).base()
                            + IdRange.numbered(index - 1).count());
            assertThat(range.index()).isEqualTo(index);
        }
    }

    @Test
    void the_last_range_ends_below_what_systemd_keeps_and_below_the_sign() {
        IdRange last = IdRange.numbered(IdRange.RANGES - 1);

        assertThat((long) last.base() + last.count()).isLessThanOrEqualTo(0x7ffe_0000L);
    }

    @Test
    void nothing_else_is_a_range() {
        assertThatIllegalArgumentException().isThrownBy(() -> new IdRange(0, IdRange.WIDTH));
        assertThatIllegalArgumentException().isThrownBy(() -> new IdRange(-65_536, IdRange.WIDTH));
        assertThatIllegalArgumentException().isThrownBy(() -> new IdRange(IdRange.FIRST + 1, IdRange.WIDTH));
        assertThatIllegalArgumentException().isThrownBy(() -> new IdRange(IdRange.FIRST, IdRange.WIDTH + 1));
        assertThatIllegalArgumentException().isThrownBy(() -> IdRange.numbered(IdRange.RANGES));
        assertThatIllegalArgumentException().isThrownBy(() -> IdRange.numbered(-1));
    }
}
