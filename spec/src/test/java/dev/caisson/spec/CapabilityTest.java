package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CapabilityTest {
    /// Numbers of linux/capability.h.
    @ParameterizedTest
    @CsvSource({
        "CHOWN,0",
        "KILL,5",
        "SETPCAP,8",
        "NET_ADMIN,12",
        "SYS_MODULE,16",
        "SYS_ADMIN,21",
        "MKNOD,27",
        "SETFCAP,31",
        "MAC_OVERRIDE,32",
        "SYSLOG,34",
        "AUDIT_READ,37",
        "PERFMON,38",
        "BPF,39",
        "CHECKPOINT_RESTORE,40"
    })
    void has_the_kernels_number(Capability capability, int number) {
        assertThat(capability.number()).isEqualTo(number);
    }

    @Test
    void is_read_with_and_without_its_prefix_in_either_case() {
        for (Capability capability : Capability.values()) {
            assertThat(Capability.parse(capability.name())).contains(capability);
            assertThat(Capability.parse("cap_" + capability.name().toLowerCase(Locale.ROOT)))
                    .contains(capability);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "CAP_", "ALL", "CAP_CAP_KILL", " KILL", "KILL ", "K\u0131LL", "21"})
    void nothing_else_is_read(String text) {
        assertThat(Capability.parse(text)).isEmpty();
    }

    @Test
    void the_standard_set_holds_nothing_dangerous() {
        assertThat(CapabilitySet.STANDARD.hex()).isEqualTo("00000000000405fb");
        assertThat(CapabilitySet.STANDARD.list()).noneMatch(Capability::isDangerous);
    }

    @Test
    void sets_gain_and_lose() {
        CapabilitySet set =
                CapabilitySet.of(Capability.KILL).with(Capability.BPF).with(Capability.KILL);

        assertThat(set.list()).isEqualTo(List.of(Capability.KILL, Capability.BPF));
        assertThat(set.without(Capability.KILL).without(Capability.CHOWN)).isEqualTo(CapabilitySet.of(Capability.BPF));
        assertThat(CapabilitySet.NONE.list()).isEmpty();
        assertThat(CapabilitySet.ALL.list()).isEqualTo(Arrays.asList(Capability.values()));
    }

    @Test
    void unknown_bits_are_refused() {
        assertThatThrownBy(() -> new CapabilitySet(1L << 41)).isInstanceOf(ArgumentException.class);
        assertThatThrownBy(() -> new CapabilitySet(-1)).isInstanceOf(ArgumentException.class);
    }
}
