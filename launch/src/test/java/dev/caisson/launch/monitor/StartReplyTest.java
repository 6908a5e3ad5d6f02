package dev.caisson.launch.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.launch.HostException;
import dev.caisson.launch.LaunchException;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.PlanCodec;
import dev.caisson.launch.Samples;
import dev.caisson.launch.StepFailedException;
import dev.caisson.linux.Errno;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What a monitor says of a start, byte by byte as native/monitor.h has it.
@SuppressWarnings("ByteBufferBackingArray") // every buffer is one of Wire's
class StartReplyTest {
    private static final LaunchPlan PLAN = Samples.plan();
    private static final int ERROR = 1;
    private static final int READY = 3;

    private static byte[] reply(int stage, int status, int kind, int step, int failed) {
        ByteBuffer out = Wire.buffer(Wire.STATE_BYTES + 16 + 100);
        out.put(Wire.state(Wire.RUNNING, 0, -1));
        out.putInt(0).putInt(status).putInt(0).putInt(stage);
        out.putInt(PlanCodec.MAGIC)
                .putInt(kind)
                .putInt(0)
                .putInt(step)
                .putInt(failed)
                .putInt(0);
        out.putLong(0).putLong(0).putLong(0);
        for (int phase = 0; phase < 13; phase++) {
            out.putInt(100 + phase);
        }
        return out.array();
    }

    private static RuntimeException failure(int error, byte[] bytes) {
        return new StartReply(error, bytes).failure(PLAN);
    }

    private static String code(int error, byte[] bytes) {
        return ((HostException) failure(error, bytes)).code();
    }

    @Test
    void a_start_has_succeeded_was_made_by_another_or_failed() {
        StartReply started = new StartReply(0, reply(0, 0, READY, 0, 0));
        assertThat(started.succeeded()).isTrue();
        assertThat(started.wasStarted()).isFalse();
        assertThat(started.state().pid()).isEqualTo(12);
        assertThat(started.phaseMicros())
                .isEqualTo(IntStream.range(100, 113).boxed().toList());
        StartReply again = new StartReply(Errno.EALREADY, reply(0, 0, 0, 0, 0));
        assertThat(again.succeeded()).isFalse();
        assertThat(again.wasStarted()).isTrue();
        assertThat(new StartReply(Errno.EIO, new byte[0]).wasStarted()).isFalse();
    }

    @Test
    void a_kernel_that_refuses_the_process_is_named_with_the_call() {
        assertThat(failure(Errno.EIO, reply(1, -Errno.ENOSPC, ERROR, 0, Errno.EPERM)))
                .isInstanceOf(HostException.class)
                .hasMessageContaining("ENOSPC");
        assertThat(code(Errno.EIO, reply(1, -Errno.ENOSPC, 0, 0, 0))).isEqualTo("ZYGOTE_FAILED");
    }

    @Test
    void an_init_that_reports_an_error_fails_at_its_step() {
        int last = PLAN.steps().size() - 1;
        assertThat(failure(Errno.EIO, reply(0, 0, ERROR, last, Errno.ENOENT)))
                .isInstanceOf(LaunchException.class)
                .isNotInstanceOf(HostException.class);
        assertThat(failure(Errno.EPIPE, reply(0, 0, ERROR, 0, Errno.ENOMEM)))
                .isInstanceOf(StepFailedException.class)
                .hasMessageContaining("ENOMEM");
    }

    @Test
    void an_init_that_says_nothing_has_died_or_was_never_there() {
        for (int error : List.of(Errno.EPIPE, Errno.ECHILD)) {
            assertThat(code(error, reply(0, 0, 0, 0, 0))).isEqualTo("INIT_DIED");
            assertThat(code(error, reply(0, 0, READY, 0, 0))).isEqualTo("INIT_DIED");
        }
        assertThat(code(Errno.EIO, reply(0, 0, 0, 0, 0))).isEqualTo("START_FAILED");
        assertThat(failure(Errno.EIO, reply(0, 0, 0, 0, 0))).hasMessageContaining("EIO");
        byte[] whole = reply(1, -Errno.ENOSPC, 0, 0, 0);
        assertThat(code(Errno.EPIPE, Arrays.copyOf(whole, whole.length - 1))).isEqualTo("START_FAILED");
    }
}
