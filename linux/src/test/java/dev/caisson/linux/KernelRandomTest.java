package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HashSet;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class KernelRandomTest {
    @Test
    void bytes_come_whole_and_never_twice() {
        var seen = new HashSet<String>();
        for (int i = 0; i < 1000; i++) {
            byte[] bytes = KernelRandom.bytes(8);
            assertThat(bytes).hasSize(8);
            assertThat(seen.add(HexFormat.of().formatHex(bytes))).isTrue();
        }
        assertThat(KernelRandom.bytes(256)).hasSize(256);
    }

    @Test
    void more_than_the_kernel_gives_at_once_is_refused() {
        assertThatIllegalArgumentException().isThrownBy(() -> KernelRandom.bytes(257));
        assertThatIllegalArgumentException().isThrownBy(() -> KernelRandom.bytes(0));
    }
}
