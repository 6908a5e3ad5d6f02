package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KernelSettingTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "memory memory.max=67108864|67108864|67108864",
                "memory memory.limit_in_bytes=10000000|9998336|9998336",
                "cpus cpu.max=50000 100000|50000 100000|50000 100000",
                "device-io io.max=8:0 rbps=1048576 wbps=max riops=max wiops=max"
                        + "|7:0 rbps=1 wbps=max riops=max wiops=max;8:0 rbps=1048576 wbps=max riops=max wiops=max"
                        + "|8:0 rbps=1048576 wbps=max riops=max wiops=max",
                "device-io blkio.throttle.read_bps_device=8:0 4096|8:16 1;8:0 4096|8:0 4096",
                "blkio-weight io.bfq.weight=500|default 500|500",
                "blkio-weight io.weight=default 500|default 500|default 500",
                "blkio-weight-device-8:0 blkio.bfq.weight_device=8:0 300|default 100;8:0 300|8:0 300",
                "blkio-weight-device-8:0 io.weight=8:0 2930|default 100;8:16 1;8:0 2930|8:0 2930",
                "oom-kill-disable memory.oom_control=1|oom_kill_disable 1;under_oom 0;oom_kill 0|1",
                "hugetlb hugetlb.2MB.max=3145728|2097152|2097152",
            })
    void reads_what_stands_in_the_kernel_for_it(String written, String file, String found) {
        KernelSetting setting = KernelSetting.parse(written);

        assertThat(setting).hasToString(written);
        assertThat(setting.within(file.replace(';', '\n'))).contains(found);
        assertThat(setting.asKept()).isEqualTo(found);
    }

    @Test
    void another_disks_line_is_not_taken() {
        KernelSetting setting = KernelSetting.parse("device-io blkio.throttle.read_bps_device=8:0 4096");

        assertThat(setting.within("18:0 4096\n8:01 4096")).isEmpty();
        assertThatThrownBy(() -> KernelSetting.parse("memory")).isInstanceOf(IllegalArgumentException.class);
    }
}
