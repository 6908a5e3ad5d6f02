package dev.caisson.launch.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.PlanCodec;
import dev.caisson.seccomp.SeccompData;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// The file of a monitor about calls that were denied, byte by byte as native/monitor.h has it.
@SuppressWarnings("ByteBufferBackingArray") // every buffer is one of Wire's
class DeniedCallsTest {
    private static final int HEADER = 24;
    private static final int KIND = 136;
    private static final int MOST = 64;
    private static final int OF_PROBE = 256;
    private static final int OF_EXEC = 512;
    private static final int MACHINE = 0xc000003e;

    private static ByteBuffer file(int count) {
        ByteBuffer out = Wire.buffer(HEADER + MOST * KIND);
        out.putInt(0, PlanCodec.MAGIC).putInt(8, count).putLong(16, 5L << 32 | 9);
        for (int i = 0; i < MOST; i++) {
            int at = HEADER + i * KIND;
            out.putLong(at, 3L << 32 | i)
                    .putInt(at + 16, 100 + i)
                    .putInt(at + 20, MACHINE)
                    .putInt(at + 24, i == 2 ? -1 : i + 1)
                    .putInt(at + 28, i == 1 ? OF_PROBE | 1 : i == 2 ? OF_EXEC | 3 : 7)
                    .putLong(at + 32, 4L << 32 | i);
            for (int argument = 0; argument < 6; argument++) {
                out.putLong(at + 40 + 8 * argument, (10L + argument) << 32 | i);
            }
        }
        return out;
    }

    private static SeccompData call(int i) {
        return new SeccompData(
                100 + i,
                MACHINE,
                4L << 32 | i,
                10L << 32 | i,
                11L << 32 | i,
                12L << 32 | i,
                13L << 32 | i,
                14L << 32 | i,
                15L << 32 | i);
    }

    @Test
    void kinds_are_read_in_their_order_with_who_made_them() {
        DeniedCalls calls = DeniedCalls.decode(file(3).array()).orElseThrow();

        assertThat(calls.others()).isEqualTo(5L << 32 | 9);
        assertThat(calls.kinds())
                .containsExactly(
                        new DeniedCalls.Kind(DeniedCalls.Source.PROGRAM, call(0), 1, 3L << 32),
                        new DeniedCalls.Kind(DeniedCalls.Source.HEALTH_CHECK, call(1), 2, 3L << 32 | 1),
                        new DeniedCalls.Kind(
                                DeniedCalls.Source.EXEC, call(2), DeniedCalls.Kind.WANTED_LISTENER, 3L << 32 | 2));
    }

    @Test
    void as_many_kinds_as_fit_are_read_and_no_more() {
        assertThat(DeniedCalls.decode(file(MOST).array()).orElseThrow().kinds())
                .hasSize(MOST)
                .last()
                .extracting(DeniedCalls.Kind::first)
                .isEqualTo(call(MOST - 1));
        assertThat(DeniedCalls.decode(file(0).array()).orElseThrow().kinds()).isEmpty();
        assertThat(DeniedCalls.decode(file(MOST + 1).array())).isEmpty();
        assertThat(DeniedCalls.decode(file(-1).array())).isEmpty();
    }

    @Test
    void what_is_no_whole_file_is_none() {
        byte[] whole = file(1).array();
        assertThat(DeniedCalls.MOST_BYTES).isEqualTo(whole.length);
        for (int length : new int[] {0, HEADER, whole.length - 1, whole.length + 1}) {
            assertThat(DeniedCalls.decode(Arrays.copyOf(whole, length)))
                    .as("%d bytes", length)
                    .isEmpty();
        }
        assertThat(DeniedCalls.decode(file(1).putInt(0, PlanCodec.MAGIC + 1).array()))
                .isEmpty();
    }
}
