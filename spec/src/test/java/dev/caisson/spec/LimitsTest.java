package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.spec.LimitException.Code;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LimitsTest {

    @Test
    void a_container_is_limited_unless_somebody_says_otherwise() {
        Limits limits = Limits.defaults();

        assertThat(limits.memory()).isEqualTo(Bytes.gibibytes(1));
        assertThat(limits.memoryAndSwap()).isEqualTo(limits.memory());
        assertThat(limits.pids()).isEqualTo(512);
        assertThat(limits.cpuQuota()).isEmpty();
    }

    @Test
    void no_swap_stays_no_swap_whatever_the_order_of_the_words() {
        assertThat(Limits.defaults().memory(Bytes.mebibytes(64)).swap()).isEqualTo(Bytes.ZERO);
        assertThat(Limits.defaults()
                        .memorySwap(Bytes.mebibytes(96))
                        .memory(Bytes.mebibytes(64))
                        .swap())
                .isEqualTo(Bytes.mebibytes(32));
        assertThat(Limits.defaults().memorySwap(Bytes.UNLIMITED).swap()).isEqualTo(Bytes.UNLIMITED);
        assertThat(Limits.defaults().memory(Bytes.UNLIMITED).swap()).isEqualTo(Bytes.ZERO);
    }

    @Test
    void refuses_memory_that_nothing_starts_in() {
        assertRefused(Code.MEMORY_TOO_SMALL, () -> Limits.defaults().memory(Bytes.of(6 * 1024 * 1024 - 1)));
        assertThat(Limits.defaults().memory(Bytes.mebibytes(6)).check().memory())
                .isEqualTo(Bytes.mebibytes(6));
    }

    @Test
    void refuses_swap_that_contradicts_memory() {
        Limits below = Limits.defaults().memory(Bytes.mebibytes(64)).memorySwap(Bytes.mebibytes(63));
        Limits without = Limits.defaults().memory(Bytes.UNLIMITED).memorySwap(Bytes.mebibytes(64));

        assertRefused(Code.SWAP_BELOW_MEMORY, below::check);
        assertRefused(Code.SWAP_WITHOUT_MEMORY, without::check);
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 1, 262_145})
    void refuses_shares_that_the_kernel_would_change(int shares) {
        assertRefused(Code.CPU_SHARES_OUT_OF_RANGE, () -> Limits.defaults().cpuShares(shares));
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -1, 0, 4_194_305})
    void refuses_a_number_of_processes_that_cannot_be(long pids) {
        assertRefused(Code.PIDS_OUT_OF_RANGE, () -> Limits.defaults().pids(pids));
    }

    @ParameterizedTest
    @CsvSource({"1, 100000", "1.5, 150000", "0.01, 1000", ".5, 50000", "2.0000001, 200000", "64, 6400000"})
    void turns_cpus_into_a_quota(String cpus, long quota) {
        assertThat(CpuQuota.cpus(cpus)).isEqualTo(new CpuQuota(quota, 100_000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "-1", "1e2", "NaN", "1.", "1,5", "0x1", "1.0000000001"})
    void refuses_what_is_no_number_of_cpus(String cpus) {
        assertRefused(Code.BAD_CPUS, () -> CpuQuota.cpus(cpus));
    }

    @Test
    void refuses_quotas_and_periods_that_the_kernel_does_not_take() {
        assertRefused(Code.CPU_QUOTA_TOO_SMALL, () -> CpuQuota.cpus("0.009"));
        assertRefused(Code.CPU_QUOTA_TOO_SMALL, () -> CpuQuota.cpus("0"));
        assertRefused(Code.CPU_QUOTA_TOO_SMALL, () -> new CpuQuota(Long.MAX_VALUE, 100_000));
        assertRefused(Code.CPU_PERIOD_OUT_OF_RANGE, () -> new CpuQuota(1_000, 999));
        assertRefused(Code.CPU_PERIOD_OUT_OF_RANGE, () -> new CpuQuota(1_000, 1_000_001));
    }

    @Test
    void refuses_a_reservation_above_the_limit() {
        Limits limits = Limits.defaults().memory(Bytes.mebibytes(64));

        assertRefused(Code.RESERVATION_ABOVE_MEMORY, limits.memoryReservation(Bytes.of((64 << 20) + 1))::check);
        assertThat(limits.memoryReservation(Bytes.mebibytes(64)).check().memoryReservation())
                .contains(Bytes.mebibytes(64));
    }

    @Test
    void refuses_to_kill_nobody_where_memory_has_no_limit() {
        assertRefused(Code.OOM_WITHOUT_MEMORY, Limits.unlimited().oomKillDisable(true)::check);
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 101})
    void refuses_a_swappiness_that_the_kernel_does_not_take(int readiness) {
        assertRefused(Code.SWAPPINESS_OUT_OF_RANGE, () -> Limits.defaults().memorySwappiness(readiness));
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, 0, 9, 1001})
    void refuses_a_weight_that_is_none(int weight) {
        assertRefused(Code.IO_OUT_OF_RANGE, () -> Limits.defaults().ioWeight(weight));
        assertRefused(Code.IO_OUT_OF_RANGE, () -> new IoWeight(new BlockDevice(8, 0), weight));
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -1, 0})
    void refuses_to_stop_a_disk(long most) {
        var disk = new BlockDevice(8, 0);

        assertRefused(Code.IO_OUT_OF_RANGE, () -> new IoLimit(disk, most, 1, 1, 1));
        assertRefused(Code.IO_OUT_OF_RANGE, () -> new IoLimit(disk, 1, most, 1, 1));
        assertRefused(Code.IO_OUT_OF_RANGE, () -> new IoLimit(disk, 1, 1, most, 1));
        assertRefused(Code.IO_OUT_OF_RANGE, () -> new IoLimit(disk, 1, 1, 1, most));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ",", "a", "-1", "3-1", "0-", "0,,1", "8192", "0-99999", "0 1"})
    void refuses_what_is_no_list_of_cpus(String list) {
        assertRefused(Code.BAD_CPU_LIST, () -> CpuList.parse(list));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/dev/null", "/dev/none", "/etc/passwd", "/"})
    void refuses_what_is_no_disk(String node) {
        assertRefused(Code.BAD_DEVICE, () -> BlockDevice.at(Path.of(node)));
    }

    private static void assertRefused(Code code, ThrowingCallable attempt) {
        assertThatExceptionOfType(LimitException.class)
                .isThrownBy(attempt)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(code))
                .satisfies(e -> assertThat(e.sentence()).matches("(CPU |[^A-Z]).*[^.]"));
    }
}
