package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Pressure;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PressureTest {
    @Test
    void both_lines_are_read() {
        Pressure pressure = PressureFile.parse("some avg10=1.25 avg60=0.50 avg300=100.00 total=1234567\n"
                + "full avg10=0.01 avg60=0.00 avg300=0.07 total=89");

        assertThat(pressure.some()).isEqualTo(new Pressure.Stall(1.25, 0.5, 100, Duration.ofNanos(1_234_567_000)));
        assertThat(pressure.full()).isEqualTo(new Pressure.Stall(0.01, 0, 0.07, Duration.ofNanos(89_000)));
    }

    /// Linux before 5.13 has no second line for processors.
    @Test
    void a_line_that_is_missing_is_no_stall() {
        Pressure pressure = PressureFile.parse("some avg10=0.00 avg60=0.00 avg300=0.00 total=7");

        assertThat(pressure.some().total()).isEqualTo(Duration.ofNanos(7_000));
        assertThat(pressure.full()).isEqualTo(new Pressure.Stall(0, 0, 0, Duration.ZERO));
    }
}
