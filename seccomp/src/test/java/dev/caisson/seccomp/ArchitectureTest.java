package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArchitectureTest {
    private static final String MACHINE = System.getProperty("os.arch");

    @AfterEach
    void restore() {
        System.setProperty("os.arch", MACHINE);
    }

    @ParameterizedTest
    @CsvSource({
        "amd64, X86_64",
        "aarch64, AARCH64",
        "riscv64, RISCV64",
        "s390x, S390X",
        "ppc64le, PPC64LE",
        "loongarch64, LOONGARCH64"
    })
    void a_jvm_s_machine_is_known(String machine, Architecture architecture) {
        System.setProperty("os.arch", machine);
        assertThat(Architecture.host()).isEqualTo(architecture);
        assertThat(architecture.isNative()).isTrue();
    }

    @Test
    void another_machine_is_an_error_by_name() {
        System.setProperty("os.arch", "sparcv9");
        assertThatExceptionOfType(SeccompException.class)
                .isThrownBy(Architecture::host)
                .withMessageContaining("sparcv9")
                .satisfies(e -> assertThat(e.reason()).isEqualTo(SeccompException.Code.UNSUPPORTED_ARCHITECTURE));
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void each_of_its_names_is_read(Architecture architecture) {
        assertThat(Architecture.parse(architecture.name().toLowerCase(java.util.Locale.ROOT)))
                .isEqualTo(architecture);
        assertThat(Architecture.parse(architecture.scmpName())).isEqualTo(architecture);
        assertThat(Architecture.parse(architecture.goName())).isEqualTo(architecture);
        assertThat(Architecture.ofScmpName(architecture.scmpName())).contains(architecture);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "scmp_arch_x86_64", "AMD64", "mips"})
    void another_name_is_none(String name) {
        assertThatExceptionOfType(SeccompException.class).isThrownBy(() -> Architecture.parse(name));
        assertThat(Architecture.ofScmpName(name)).isEmpty();
    }

    @Test
    void x32_shares_numbers_below_512_with_x86_64() {
        assertThat(Architecture.numbering(Architecture.X32, 511)).isEqualTo(Architecture.X86_64);
        assertThat(Architecture.numbering(Architecture.X32, 512)).isEqualTo(Architecture.X32);
        assertThat(Architecture.numbering(Architecture.X86, 511)).isEqualTo(Architecture.X86);
        assertThat(Architecture.X86_64.compatible()).containsExactlyInAnyOrder(Architecture.X86, Architecture.X32);
        assertThat(Architecture.AARCH64.compatible()).containsExactly(Architecture.ARM);
        assertThat(Architecture.S390X.compatible()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "1, EPERM",
        "38, ENOSYS",
        "133, EHWPOISON",
        "41, 41",
        "58, 58",
        "0, 0",
        "134, 134",
        "4095, 4095",
        "-1, -1"
    })
    void error_numbers_have_their_names(int number, String name) {
        assertThat(Errnos.name(number)).isEqualTo(name);
        if (name.startsWith("E")) {
            assertThat(Errnos.number(name)).hasValue(number);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"-", "", "EPERM ", "EPER", "eperm", "EHWPOISONED"})
    void another_text_is_no_error_s_name(String name) {
        assertThat(Errnos.number(name)).isEmpty();
    }
}
