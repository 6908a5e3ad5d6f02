package dev.caisson.launch.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.caisson.launch.PlanCodec;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// The files of a monitor about health checks and programs that were adopted, byte by byte as native/monitor.h has
/// them.
@SuppressWarnings("ByteBufferBackingArray") // every buffer is one of Wire's
class HealthLogTest {
    private static final int PROBE = 24 + 4096;
    private static final int CHANGES_AT = 16 + 5 * PROBE;
    private static final int HEALTH_BYTES = CHANGES_AT + 8 + 8 * 16;
    private static final int EXEC_BYTES = 16 + 32 * 56;

    private static ByteBuffer health(int count, int changes) {
        ByteBuffer out = Wire.buffer(HEALTH_BYTES);
        out.putInt(0, PlanCodec.MAGIC).putInt(8, 3).putInt(12, count).putInt(CHANGES_AT, changes);
        for (int i = 0; i < 5; i++) {
            int at = 16 + i * PROBE;
            out.putLong(at, 1_000 + i)
                    .putLong(at + 8, 2_000 + i)
                    .putInt(at + 16, i - 1)
                    .putInt(at + 20, 4);
            out.put(at + 24, ("out" + i + "more").getBytes(StandardCharsets.UTF_8));
        }
        for (int i = 0; i < 8; i++) {
            int at = CHANGES_AT + 8 + i * 16;
            out.putLong(at, 3_000 + i).putInt(at + 8, i % 2 == 0 ? 512 : 1024);
        }
        return out;
    }

    private static HealthLog decoded(ByteBuffer bytes) {
        return HealthLog.decode(bytes.array()).orElseThrow();
    }

    @Test
    void probes_and_changes_are_read_in_their_order() {
        HealthLog log = decoded(health(2, 3));
        assertThat(log.streak()).isEqualTo(3);
        assertThat(log.probes())
                .containsExactly(
                        new HealthLog.Probe(Instant.ofEpochMilli(1_000), Instant.ofEpochMilli(2_000), -1, "out0"),
                        new HealthLog.Probe(Instant.ofEpochMilli(1_001), Instant.ofEpochMilli(2_001), 0, "out1"));
        assertThat(log.changes())
                .containsExactly(
                        new HealthLog.Change(Instant.ofEpochMilli(3_000), true),
                        new HealthLog.Change(Instant.ofEpochMilli(3_001), false),
                        new HealthLog.Change(Instant.ofEpochMilli(3_002), true));
        assertThat(log.changes())
                .extracting(HealthLog.Change::time, HealthLog.Change::healthy)
                .startsWith(tuple(Instant.ofEpochMilli(3_000), true), tuple(Instant.ofEpochMilli(3_001), false));
        assertThat(decoded(health(5, 8)).probes()).hasSize(5);
        assertThat(decoded(health(5, 8)).changes()).hasSize(8);
        assertThat(decoded(health(0, 0)).probes()).isEmpty();
    }

    @Test
    void numbers_beyond_their_bounds_are_cut_or_no_file() {
        assertThat(decoded(health(1, 9)).changes()).hasSize(8);
        assertThat(decoded(health(1, -1)).changes()).isEmpty();
        assertThat(HealthLog.decode(health(6, 0).array())).isEmpty();
        assertThat(HealthLog.decode(health(-1, 0).array())).isEmpty();
        assertThat(decoded(health(1, 0).putInt(36, 4097)).probes().getFirst().output())
                .hasSize(4096);
        assertThat(decoded(health(1, 0).putInt(36, -1)).probes().getFirst().output())
                .isEmpty();
    }

    @Test
    void only_a_whole_file_of_this_or_the_earlier_length_is_read() {
        byte[] whole = health(1, 1).array();
        assertThat(HealthLog.MOST_BYTES).isEqualTo(HEALTH_BYTES);
        assertThat(HealthLog.decode(Arrays.copyOf(whole, CHANGES_AT))
                        .orElseThrow()
                        .changes())
                .isEmpty();
        for (int length : new int[] {0, CHANGES_AT - 1, CHANGES_AT + 1, HEALTH_BYTES - 1, HEALTH_BYTES + 1}) {
            assertThat(HealthLog.decode(Arrays.copyOf(whole, length)))
                    .as("%d bytes", length)
                    .isEmpty();
        }
        assertThat(HealthLog.decode(health(1, 1).putInt(0, PlanCodec.MAGIC + 1).array()))
                .isEmpty();
    }

    private static ByteBuffer execs(int count) {
        ByteBuffer out = Wire.buffer(EXEC_BYTES);
        out.putInt(0, PlanCodec.MAGIC).putInt(8, count);
        for (int i = 0; i < 32; i++) {
            int at = 16 + i * 56;
            byte[] id = new byte[32];
            Arrays.fill(id, (byte) (0xa0 + i));
            out.put(at, id)
                    .putLong(at + 32, 1_000 + i)
                    .putLong(at + 40, 2_000 + i)
                    .putInt(at + 48, i);
        }
        return out;
    }

    private static Optional<ExecLog> execLog(ByteBuffer bytes) {
        return ExecLog.decode(bytes.array());
    }

    @Test
    void ends_of_adopted_programs_are_read_in_their_order() {
        assertThat(execLog(execs(2)).orElseThrow().ends())
                .containsExactly(
                        new ExecLog.End("a0".repeat(32), Instant.ofEpochMilli(1_000), Instant.ofEpochMilli(2_000), 0),
                        new ExecLog.End("a1".repeat(32), Instant.ofEpochMilli(1_001), Instant.ofEpochMilli(2_001), 1));
        assertThat(execLog(execs(32)).orElseThrow().ends()).hasSize(32);
        assertThat(execLog(execs(0)).orElseThrow().ends()).isEmpty();
        assertThat(execLog(execs(33))).isEmpty();
        assertThat(execLog(execs(-1))).isEmpty();
        assertThat(execLog(execs(1).putInt(0, 1))).isEmpty();
        assertThat(ExecLog.MOST_BYTES).isEqualTo(EXEC_BYTES);
        for (int length : new int[] {EXEC_BYTES - 1, EXEC_BYTES + 1}) {
            assertThat(ExecLog.decode(Arrays.copyOf(execs(1).array(), length))).isEmpty();
        }
    }
}
