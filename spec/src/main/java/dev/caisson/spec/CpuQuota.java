package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.LimitException.Code;
import dev.caisson.text.Quoted;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.regex.Pattern;

/// CPU time that a group may use in each period, summed over all CPUs; what is left over is lost, sched-bwc(7).
///
/// @param quotaMicros at least 1000
/// @param periodMicros 1000 to 1000000
public record CpuQuota(long quotaMicros, long periodMicros) {
    /// Microseconds of a period unless another is asked for.
    public static final long DEFAULT_PERIOD = 100_000;
    private static final long LEAST = 1_000;
    private static final long LONGEST_PERIOD = 1_000_000;
    /// The kernel keeps the product of a quota in nanoseconds and a 20-bit shift in 64 bits.
    private static final long MOST = (1L << 44) / 1_000;

    private static final Pattern DECIMAL = Pattern.compile("\\d{1,6}(?:\\.\\d{1,9})?|\\.\\d{1,9}");

    /// Checks what the kernel takes, so that it is refused before a group is made.
    public CpuQuota {
        if (periodMicros < LEAST || periodMicros > LONGEST_PERIOD) {
            throw new LimitException(
                    Code.CPU_PERIOD_OUT_OF_RANGE, "a CPU period is 1000 to 1000000 microseconds, not " + periodMicros);
        }
        if (quotaMicros < LEAST || quotaMicros > MOST) {
            throw new LimitException(
                    Code.CPU_QUOTA_TOO_SMALL,
                    "a CPU quota is " + LEAST + " to " + MOST + " microseconds in each period, not " + quotaMicros
                            + "; with the default period the least is 0.01 CPUs");
        }
    }

    /// A number of CPUs as Docker's `--cpus` takes it, such as `1.5`.
    public static CpuQuota cpus(String number) {
        if (!DECIMAL.matcher(present(number, "number")).matches()) {
            throw new LimitException(
                    Code.BAD_CPUS, Quoted.of(number) + " is not a number of CPUs; write one such as 0.5 or 2");
        }
        return nanoCpus(new BigDecimal(number).movePointRight(9).longValueExact());
    }

    /// Billionths of a CPU, the unit of the Docker API.
    public static CpuQuota nanoCpus(long nanoCpus) {
        long quota = BigDecimal.valueOf(nanoCpus)
                .multiply(BigDecimal.valueOf(DEFAULT_PERIOD))
                .divide(BigDecimal.valueOf(1_000_000_000L), 0, RoundingMode.DOWN)
                .longValueExact();
        return new CpuQuota(quota, DEFAULT_PERIOD);
    }

    /// The quota as a number of CPUs.
    public double cpus() {
        return (double) quotaMicros / periodMicros;
    }

    @Override
    public String toString() {
        return BigDecimal.valueOf(quotaMicros)
                        .divide(BigDecimal.valueOf(periodMicros), 3, RoundingMode.HALF_EVEN)
                        .stripTrailingZeros()
                        .toPlainString()
                + " CPUs";
    }
}
