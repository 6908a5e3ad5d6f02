package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.linux.BinaryFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EmulationTest {
    private static final String ARM64 = "7f454c460201010000000000000000000200b700";
    private static final String RISCV64 = "7f454c460201010000000000000000000200f300";
    private static final String S390X = "7f454c4602020100000000000000000000020016";
    private static final String LITTLE = "ffffffffffffff00fffffffffffffffffeffffff";
    private static final String BIG = "ffffffffffffff00fffffffffffffffffffeffff";
    private static final Platform FOREIGN = new Platform("linux", "s390x", "");

    private static BinaryFormat format(String name, String flags, String magic, String mask) {
        return new BinaryFormat(name, true, "/usr/bin/" + name, flags, 0, magic, mask);
    }

    private static Optional<String> obstacle(Platform platform, BinaryFormat... formats) {
        return Emulation.of(List.of(formats)).obstacle(platform);
    }

    @Test
    void this_machine_s_images_need_no_interpreter() {
        assertThat(obstacle(Platform.running())).isEmpty();
    }

    @Test
    void another_machine_s_image_runs_by_an_interpreter_that_the_kernel_has_open() {
        assertThat(obstacle(FOREIGN, format("qemu-s390x", "POCF", S390X, BIG))).isEmpty();
        assertThat(obstacle(
                        new Platform("linux", "riscv64", ""),
                        format("qemu-s390x", "F", S390X, BIG),
                        format("qemu-riscv64", "F", RISCV64, LITTLE)))
                .isEmpty();
    }

    @Test
    void without_an_interpreter_for_that_machine_it_is_refused_with_what_to_do() {
        assertThat(obstacle(FOREIGN).orElseThrow())
                .startsWith("platform \"linux/s390x\" is not this host's, which is " + Platform.running())
                .contains("binfmt_misc has no enabled interpreter for s390x", "qemu-user-binfmt");
        assertThat(obstacle(FOREIGN, format("qemu-riscv64", "F", RISCV64, LITTLE)))
                .hasValueSatisfying(why -> assertThat(why).contains("no enabled interpreter"));
    }

    @Test
    void an_interpreter_that_is_switched_off_counts_for_nothing() {
        var off = new BinaryFormat("qemu-s390x", false, "/usr/bin/qemu-s390x", "F", 0, S390X, BIG);
        assertThat(obstacle(FOREIGN, off))
                .hasValueSatisfying(why -> assertThat(why).contains("no enabled interpreter"));
    }

    @Test
    void an_interpreter_that_is_not_open_is_refused_by_name_also_beside_one_that_is() {
        BinaryFormat closed = format("other", "OC", S390X, BIG);
        assertThat(obstacle(FOREIGN, closed).orElseThrow())
                .contains("its interpreter other (/usr/bin/other) is not in the container", "flag F");
        assertThat(obstacle(FOREIGN, format("qemu-s390x", "F", S390X, BIG), closed)
                        .orElseThrow())
                .contains("other (/usr/bin/other)");
    }

    @Test
    void one_that_takes_only_programs_of_one_kind_counts_for_nothing() {
        BinaryFormat fixed = format("fixed", "F", S390X, "");
        assertThat(obstacle(FOREIGN, fixed)).isPresent();
    }

    @Test
    void newer_variants_of_this_machine_other_systems_and_unknown_machines_are_never_emulated() {
        BinaryFormat all = format("all", "F", "7f454c46", "");
        assertThat(obstacle(FOREIGN, all)).isEmpty();
        for (Platform platform : List.of(
                new Platform("linux", Platform.running().architecture(), "v99"),
                new Platform("windows", "arm64", ""),
                new Platform("linux", "vax", ""))) {
            assertThat(obstacle(platform, all).orElseThrow()).contains("cannot be emulated");
        }
    }

    @Test
    void arm64_has_the_header_that_debian_s_interpreter_is_registered_for() {
        if (!Platform.running().architecture().equals("arm64")) {
            assertThat(obstacle(Platform.parse("linux/arm64/v8"), format("qemu-aarch64", "F", ARM64, LITTLE)))
                    .isEmpty();
        }
    }

    // ---- names of platforms

    @ParameterizedTest
    @CsvSource({
        "linux/arm64, linux/arm64",
        "linux/arm64/v8, linux/arm64",
        "linux/arm64/v9, linux/arm64/v9",
        "arm64, linux/arm64",
        "LINUX/AARCH64, linux/arm64",
        "x86_64, linux/amd64",
        "linux/x86-64, linux/amd64",
        "linux/arm, linux/arm/v7",
        "linux/armhf, linux/arm/v7",
        "linux/armel, linux/arm/v6",
        "linux/i386, linux/386",
        "windows/amd64, windows/amd64",
    })
    void a_platform_is_read_as_docker_reads_it(String text, String platform) {
        assertThat(Platform.parse(text)).hasToString(platform);
    }

    @Test
    void the_system_alone_is_this_machine() {
        assertThat(Platform.parse("linux")).isEqualTo(Platform.running());
    }

    @ParameterizedTest
    @CsvSource({"''", "/", "linux/", "linux/a/b/c", "'linux/amd64,linux/arm64'", "linux/../etc", "'linux/arm 64'"})
    void what_is_no_platform_is_refused(String text) {
        assertThat(catchThrowableOfType(ImageException.class, () -> Platform.parse(text))
                        .reason())
                .isEqualTo(ImageException.Code.BAD_NAME);
    }

    @ParameterizedTest
    @CsvSource({
        "linux/arm64, true",
        "linux/arm64/v9, false",
        "linux/arm/v7, false",
        "linux/amd64, false",
    })
    void an_image_fits_if_it_is_of_the_wanted_variant_or_of_the_first(String image, boolean fits) {
        assertThat(Platform.parse(image).fits(new Platform("linux", "arm64", "")))
                .isEqualTo(fits);
    }

    @Test
    void an_image_that_names_the_first_variant_of_arm64_fits() {
        assertThat(new Platform("linux", "arm64", "v8").fits(Platform.parse("arm64")))
                .isTrue();
        assertThat(new Platform("linux", "arm", "v6").fits(Platform.parse("arm")))
                .isFalse();
    }
}
