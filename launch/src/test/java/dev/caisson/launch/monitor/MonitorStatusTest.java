package dev.caisson.launch.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.PlanCodec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// What counts as a status, byte by byte as native/monitor.h has it.
class MonitorStatusTest {
    private static final int BYTES = 152;
    private static final int SUM_AT = 144;
    private static final int RUNNING = 4;

    private static byte[] status(int magic, int version, int length, int phase) {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(magic).putInt(version).putInt(length).putInt(0);
        out.putInt(phase).putInt(11).putInt(12).putInt(3).putInt(2).putInt(0).putInt(-1);
        out.putLong(48, 1_000).putLong(56, 2_000);
        return summed(out.array());
    }

    private static byte[] summed(byte[] bytes) {
        long hash = 0xcbf29ce484222325L;
        for (int at = 0; at < SUM_AT; at++) {
            hash = (hash ^ Byte.toUnsignedLong(bytes[at])) * 0x100000001b3L;
        }
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(SUM_AT, hash);
        return bytes;
    }

    private static byte[] good() {
        return status(PlanCodec.MAGIC, 1, BYTES, RUNNING);
    }

    @Test
    void a_whole_status_is_the_state_of_the_container() {
        MonitorState state = MonitorStatus.decode(good()).orElseThrow();

        assertThat(state.phase()).isEqualTo(MonitorState.Phase.RUNNING);
        assertThat(state.monitorPid()).isEqualTo(11);
        assertThat(state.pid()).isEqualTo(12);
        assertThat(state.generation()).isEqualTo(3);
        assertThat(state.restarts()).isEqualTo(2);
        assertThat(state.end()).isEmpty();
        assertThat(state.started().orElseThrow().toEpochMilli()).isEqualTo(2_000);
    }

    @Test
    void one_that_was_read_while_it_changed_is_no_status() {
        for (int at = 0; at < BYTES; at++) {
            for (int bit = 1; bit < 256; bit <<= 1) {
                byte[] bytes = good();
                bytes[at] ^= (byte) bit;
                assertThat(MonitorStatus.decode(bytes))
                        .as("byte %d, bit %d", at, bit)
                        .isEmpty();
            }
        }
    }

    @Test
    void one_that_was_cut_or_has_more_is_no_status() {
        for (int length = 0; length <= BYTES + 1; length++) {
            if (length != BYTES) {
                assertThat(MonitorStatus.decode(Arrays.copyOf(good(), length)))
                        .as("%d bytes", length)
                        .isEmpty();
            }
        }
    }

    @Test
    void one_of_another_version_is_no_status() {
        assertThat(MonitorStatus.decode(status(PlanCodec.MAGIC + 1, 1, BYTES, RUNNING)))
                .isEmpty();
        assertThat(MonitorStatus.decode(status(PlanCodec.MAGIC, 2, BYTES, RUNNING)))
                .isEmpty();
        assertThat(MonitorStatus.decode(status(PlanCodec.MAGIC, 1, BYTES + 8, RUNNING)))
                .isEmpty();
        assertThat(MonitorStatus.decode(status(PlanCodec.MAGIC, 1, BYTES, 0))).isEmpty();
        assertThat(MonitorStatus.decode(status(PlanCodec.MAGIC, 1, BYTES, 9))).isEmpty();
    }
}
