package dev.caisson.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BinaryFormatTest {
    private static final String ARM64 = """
            enabled
            interpreter /usr/bin/qemu aarch64
            flags: POCF
            offset 0
            magic 7f454c46020101
            mask ffffffffffff00
            """;

    private static BinaryFormat parsed(String text) {
        return BinaryFormat.parse("one", text).orElseThrow();
    }

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    @Test
    void what_the_kernel_prints_is_read() {
        assertThat(parsed(ARM64))
                .isEqualTo(new BinaryFormat(
                        "one", true, "/usr/bin/qemu aarch64", "POCF", 0, "7f454c46020101", "ffffffffffff00"));
        assertThat(parsed(ARM64).isOpen()).isTrue();
        assertThat(parsed(ARM64.replace("POCF", "POC")).isOpen()).isFalse();
    }

    @Test
    void bits_that_the_mask_leaves_out_do_not_count() {
        assertThat(parsed(ARM64).takes(bytes("7f454c460201ff00"))).isTrue();
        assertThat(parsed(ARM64).takes(bytes("7f454c460101ff00"))).isFalse();
    }

    @Test
    void without_a_mask_all_bits_count_and_the_offset_is_skipped() {
        String text = "enabled\ninterpreter /x\nflags: \noffset 2\nmagic abcd\n";
        assertThat(parsed(text).takes(bytes("0000abcd"))).isTrue();
        assertThat(parsed(text).takes(bytes("abcd0000"))).isFalse();
        assertThat(parsed(text).takes(bytes("0000ab"))).isFalse();
    }

    @Test
    void one_that_is_off_or_goes_by_the_name_s_end_takes_nothing() {
        assertThat(parsed(ARM64.replace("enabled", "disabled")).takes(bytes("7f454c46020100")))
                .isFalse();
        assertThat(parsed("enabled\ninterpreter /x\nflags: F\nextension .exe\n").takes(bytes("7f454c46020100")))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "enabled\n",
                "enabled\ninterpreter /x\nmagic 7g\n",
                "enabled\ninterpreter /x\nmagic 7f45\nmask ff\n",
                "enabled\ninterpreter /x\nmagic 7f45\noffset many\n"
            })
    void what_is_not_understood_is_left_out(String text) {
        assertThat(BinaryFormat.parse("one", text)).isEmpty();
    }

    @Test
    void all_of_a_directory_are_read_but_not_where_they_are_switched_off(@TempDir Path directory) throws Exception {
        Files.writeString(directory.resolve("status"), "enabled\n");
        Files.writeString(directory.resolve("register"), "");
        Files.writeString(directory.resolve("arm64"), ARM64);
        assertThat(BinaryFormat.read(directory)).hasSize(1);

        Files.writeString(directory.resolve("status"), "disabled\n");
        assertThat(BinaryFormat.read(directory)).isEmpty();
    }

    @Test
    void where_nothing_is_mounted_there_are_none(@TempDir Path directory) {
        assertThat(BinaryFormat.read(directory)).isEmpty();
    }
}
