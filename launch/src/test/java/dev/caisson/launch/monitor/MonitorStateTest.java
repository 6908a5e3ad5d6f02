package dev.caisson.launch.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.launch.HostException;
import dev.caisson.launch.PlanCodec;
import dev.caisson.launch.monitor.MonitorState.End;
import dev.caisson.launch.monitor.MonitorState.Health;
import dev.caisson.launch.monitor.MonitorState.Phase;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A state and the record of an end, byte by byte as native/monitor.h has them.
@SuppressWarnings({"ByteBufferBackingArray", "EnumOrdinal"
}) // every buffer is one of Wire's; the order is the monitor's
class MonitorStateTest {
    private static MonitorState flags(int flags) {
        return MonitorState.decode(Wire.state(Wire.RUNNING, flags, -1), 0);
    }

    @Test
    void every_field_is_where_the_monitor_writes_it() {
        byte[] behind = new byte[3 + Wire.STATE_BYTES];
        System.arraycopy(Wire.state(5, 64, 0), 0, behind, 3, Wire.STATE_BYTES);

        assertThat(MonitorState.decode(behind, 3))
                .isEqualTo(new MonitorState(
                        Phase.PAUSED,
                        11,
                        12,
                        3,
                        2,
                        64,
                        Optional.of(new End(0, 0)),
                        6,
                        Instant.ofEpochMilli(1_000),
                        Optional.of(Instant.ofEpochMilli(2_000)),
                        Optional.of(Instant.ofEpochMilli(3_000)),
                        Duration.ofMillis(400),
                        Duration.ofNanos(57_000),
                        88,
                        99,
                        28,
                        21,
                        Duration.ofMillis(22),
                        Duration.ofMillis(23)));
    }

    @Test
    void a_time_of_zero_is_none() {
        byte[] bytes = Wire.state(1, 0, -1);
        Arrays.fill(bytes, 40, 56, (byte) 0);
        MonitorState state = MonitorState.decode(bytes, 0);
        assertThat(state.started()).isEmpty();
        assertThat(state.finished()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"0,0,0", "1,1,0", "255,255,0", "256,0,0", "257,0,1", "265,0,9"})
    void an_end_is_a_code_or_a_signal(int status, int code, int signal) {
        assertThat(MonitorState.decode(Wire.state(8, 0, status), 0).end()).contains(new End(code, signal));
        assertThat(MonitorState.decode(Wire.state(8, 0, -1), 0).end()).isEmpty();
    }

    @Test
    void each_flag_says_one_thing() {
        record Flag(int bit, Predicate<MonitorState> says) {}
        for (Flag flag : new Flag[] {
            new Flag(1, MonitorState::metOutOfMemory),
            new Flag(2, MonitorState::wasStopped),
            new Flag(4, MonitorState::isLeaseOver),
            new Flag(8, MonitorState::metDeadline),
            new Flag(16, MonitorState::failedToStart),
            new Flag(32, MonitorState::isZygoteGone)
        }) {
            assertThat(flag.says().test(flags(flag.bit())))
                    .as("flag %d", flag.bit())
                    .isTrue();
            assertThat(flag.says().test(flags(~flag.bit())))
                    .as("all but %d", flag.bit())
                    .isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource({"0,NONE", "255,NONE", "256,STARTING", "257,STARTING", "512,HEALTHY", "1024,UNHEALTHY", "1536,NONE"})
    void health_is_one_of_three_flags(int flags, Health health) {
        assertThat(flags(flags).health()).isEqualTo(health);
    }

    @Test
    void what_has_a_program_or_is_on_its_way_there_is_up() {
        Set<Phase> up = EnumSet.of(Phase.STARTING, Phase.HELD, Phase.RUNNING, Phase.PAUSED, Phase.STOPPING);
        for (Phase phase : Phase.values()) {
            MonitorState state = MonitorState.decode(Wire.state(phase.ordinal() + 1, 0, -1), 0);
            assertThat(state.phase()).isEqualTo(phase);
            assertThat(state.isUp()).as("%s", phase).isEqualTo(up.contains(phase));
        }
    }

    @Test
    void what_is_cut_or_of_no_phase_is_no_state() {
        for (byte[] bytes : new byte[][] {new byte[Wire.STATE_BYTES - 1], Wire.state(0, 0, -1), Wire.state(9, 0, -1)}) {
            assertThatThrownBy(() -> MonitorState.decode(bytes, 0))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.code()).isEqualTo("MONITOR_PROTOCOL"));
        }
        assertThatThrownBy(() -> MonitorState.decode(Wire.state(1, 0, -1), 1)).isInstanceOf(HostException.class);
    }

    private static byte[] record(int magic, int length) {
        ByteBuffer out = Wire.buffer(16 + Wire.STATE_BYTES);
        out.putInt(magic).putInt(1).putInt(length).putInt(0).put(Wire.state(8, 0, 3));
        return out.array();
    }

    @Test
    void a_record_holds_the_state_at_the_end_if_it_is_whole() {
        int whole = 16 + Wire.STATE_BYTES;
        assertThat(MonitorRecord.decode(record(PlanCodec.MAGIC, whole))
                        .orElseThrow()
                        .end())
                .contains(new End(3, 0));
        assertThat(MonitorRecord.decode(Arrays.copyOf(record(PlanCodec.MAGIC, whole + 5), whole + 5)))
                .isPresent();
        assertThat(MonitorRecord.decode(record(PlanCodec.MAGIC, whole + 1))).isEmpty();
        assertThat(MonitorRecord.decode(record(PlanCodec.MAGIC + 1, whole))).isEmpty();
        assertThat(MonitorRecord.decode(Arrays.copyOf(record(PlanCodec.MAGIC, 0), whole - 1)))
                .isEmpty();
    }
}
