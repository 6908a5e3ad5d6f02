package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// CVE-2026-30892: a user text parsed loosely runs the program as somebody else, mostly as root.
class Cve202630892Tests {
    private static final AccountFiles ACCOUNTS = new AccountFiles(bytes("""
                    # a comment
                    root:x:0:0:root:/root:/bin/sh
                    www:x:33:33::/srv/www:/bin/false
                    toor:x:00:0::/:/bin/sh
                    huge:x:4294967296:0::/:/bin/sh
                    minus:x:-1:0::/:/bin/sh
                    nouid:x::0::/:/bin/sh
                    nogid:x:40:::/:/bin/sh
                    1234:x:0:0::/root:/bin/sh
                    77:x:77:7::/home/77:/bin/sh
                    nobody:x:65534:65534::relative:/bin/sh
                    nobody:x:0:0::/root:/bin/sh
                    short:x:5
                    """), bytes("""
                    root:x:0:
                    www:x:33:
                    nogroup:x:65534:
                    audio:x:29:www,root
                    cdrom:x:24:www
                    audio2:x:29:www
                    sys:x:x3:someone
                    99:x:0:
                    """));

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static Account resolve(String spec) {
        return ACCOUNTS.resolve(UserSpec.parse(spec));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1000:|BAD_USER",
                ":5|BAD_USER",
                ":|BAD_USER",
                "''|BAD_USER",
                "-1|BAD_USER",
                "+0|BAD_USER",
                "' 0'|BAD_USER",
                "'0 '|BAD_USER",
                "0x0|BAD_USER",
                "00|BAD_USER",
                "007|BAD_USER",
                "0:00|BAD_USER",
                "1:2:3|BAD_USER",
                "0:-1|BAD_USER",
                "0:+1|BAD_USER",
                "0: 1|BAD_USER",
                "1e3|BAD_USER",
                "1.0|BAD_USER",
                "1_000|BAD_USER",
                "٣|BAD_USER",
                "०|BAD_USER",
                "-root|BAD_USER",
                "a/b|BAD_USER",
                "a,b|BAD_USER",
                "4294967295|ID_OUT_OF_RANGE",
                "4294967296|ID_OUT_OF_RANGE",
                "18446744073709551616|ID_OUT_OF_RANGE",
                "65536|ID_OUT_OF_RANGE",
                "0:4294967295|ID_OUT_OF_RANGE",
                "0:65536|ID_OUT_OF_RANGE",
                "nosuch|UNKNOWN_USER",
                "short|UNKNOWN_USER",
                "root:nosuch|UNKNOWN_GROUP",
                "1234|AMBIGUOUS_USER",
                "0:99|AMBIGUOUS_USER",
                "toor|BAD_ACCOUNT_FILE",
                "huge|BAD_ACCOUNT_FILE",
                "minus|BAD_ACCOUNT_FILE",
                "nouid|BAD_ACCOUNT_FILE",
                "nogid|BAD_ACCOUNT_FILE",
                "root:sys|BAD_ACCOUNT_FILE",
            })
    void is_refused_with_a_code(String spec, Code code) {
        var refused = catchThrowableOfType(ImageException.class, () -> resolve(spec));
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).isEqualTo(code);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0\0", "ro\0ot", "root\n", "\n0", "0\r", "root\t", "0:0\n", "ro\u200bot", "root\uD800"})
    void a_control_character_is_refused_and_not_printed(String spec) {
        var refused = catchThrowableOfType(ImageException.class, () -> resolve(spec));
        assertThat(refused).isNotNull();
        assertThat(refused.reason()).isEqualTo(Code.BAD_USER);
        assertThat(refused.sentence().chars()).noneMatch(Character::isISOControl);
    }

    @Test
    void plain_forms_mean_what_docker_means() {
        assertThat(resolve("0")).isEqualTo(new Account(0, 0, List.of(29), "/root"));
        assertThat(resolve("root")).isEqualTo(new Account(0, 0, List.of(29), "/root"));
        assertThat(resolve("1000")).isEqualTo(new Account(1000, 0, List.of(), "/"));
        assertThat(resolve("1000:1000")).isEqualTo(new Account(1000, 1000, List.of(), "/"));
        assertThat(resolve("65535:65535")).isEqualTo(new Account(65535, 65535, List.of(), "/"));
        assertThat(resolve("nobody")).isEqualTo(new Account(65534, 65534, List.of(), "/"));
        assertThat(resolve("nobody:nogroup")).isEqualTo(new Account(65534, 65534, List.of(), "/"));
        assertThat(resolve("www")).isEqualTo(new Account(33, 33, List.of(29, 24), "/srv/www"));
        assertThat(resolve("33")).isEqualTo(new Account(33, 33, List.of(29, 24), "/srv/www"));
        assertThat(resolve("www:5")).isEqualTo(new Account(33, 5, List.of(), "/srv/www"));
    }

    @Test
    void a_number_that_is_its_own_account_s_name_is_fine() {
        assertThat(resolve("77")).isEqualTo(new Account(77, 7, List.of(), "/home/77"));
    }

    @Test
    void an_unknown_name_is_named() {
        var refused = catchThrowableOfType(ImageException.class, () -> resolve("nosuch"));
        assertThat(refused.sentence()).contains("\"nosuch\"");
    }
}
