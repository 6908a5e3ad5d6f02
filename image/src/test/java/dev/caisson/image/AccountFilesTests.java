package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Lines of passwd and group files: which count, and which ids are none.
class AccountFilesTests {
    private static Account resolve(String passwd, String group, String user) {
        return new AccountFiles(passwd.getBytes(StandardCharsets.UTF_8), group.getBytes(StandardCharsets.UTF_8))
                .resolve(UserSpec.parse(user));
    }

    private static void assertRefused(Code code, String passwd, String group, String user) {
        var refused = catchThrowableOfType(ImageException.class, () -> resolve(passwd, group, user));
        assertThat(refused).as("%s", user).isNotNull();
        assertThat(refused.reason()).isEqualTo(code);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "65534", "65535"})
    void an_id_is_one_that_a_container_has(String id) {
        int number = Integer.parseInt(id);
        assertThat(resolve("u:x:" + id + ":5::/h:/s", "", "u")).isEqualTo(new Account(number, 5, List.of(), "/h"));
        assertThat(resolve("u:x:5:" + id + "::/h:/s", "", "u")).isEqualTo(new Account(5, number, List.of(), "/h"));
        assertThat(resolve("", "g:x:" + id + ":", "7:g")).isEqualTo(new Account(7, number, List.of(), "/"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "65536",
                "65537",
                "4294967295",
                "4294967296",
                "-1",
                "+1",
                "00",
                "01",
                " 1",
                "1 ",
                "0x1",
                "99999999999"
            })
    void another_id_is_an_error_and_never_root(String id) {
        assertRefused(Code.BAD_ACCOUNT_FILE, "u:x:" + id + ":5::/h:/s", "", "u");
        assertRefused(Code.BAD_ACCOUNT_FILE, "u:x:5:" + id + "::/h:/s", "", "u");
        assertRefused(Code.BAD_ACCOUNT_FILE, "", "g:x:" + id + ":", "7:g");
        assertRefused(Code.BAD_ACCOUNT_FILE, "u:x:5:5::/h:/s", "g:x:" + id + ":u", "u");
    }

    @Test
    void an_account_is_found_in_files_that_are_given() {
        byte[] passwd = "u:x:5:6::/h:/s".getBytes(StandardCharsets.UTF_8);
        byte[] group = "g:x:7:u".getBytes(StandardCharsets.UTF_8);
        assertThat(Account.of("u", passwd, group)).isEqualTo(new Account(5, 6, List.of(7), "/h"));
        assertThat(Account.of("u:g", passwd, group)).isEqualTo(new Account(5, 7, List.of(), "/h"));
    }

    @Test
    void an_error_names_the_file_the_account_and_its_id() {
        assertThat(catchThrowableOfType(ImageException.class, () -> resolve("u:x:-7:5::/h:/s", "", "u"))
                        .sentence())
                .isEqualTo("the image's /etc/passwd gives \"u\" the id \"-7\", not a number from 0 to 65535;"
                        + " choose another user");
        assertThat(catchThrowableOfType(ImageException.class, () -> resolve("", "g:x:70000:", "7:g"))
                        .sentence())
                .startsWith("the image's /etc/group gives \"g\" the id \"70000\"");
    }

    @Test
    void the_first_line_of_the_right_shape_counts() {
        String passwd = "u:x:1:1::/h\nu:x:2:2::/h:/s:more\nu:x:3:4::/h:/s\nu:x:5:6::/other:/s\n";
        assertThat(resolve(passwd, "", "u")).isEqualTo(new Account(3, 4, List.of(), "/h"));
        assertThat(resolve(passwd, "", "3")).isEqualTo(new Account(3, 4, List.of(), "/h"));
        assertThat(resolve(passwd, "g:x:1\ng:x:8:a:b\ng:x:9:\ng:x:7:", "u:g"))
                .isEqualTo(new Account(3, 9, List.of(), "/h"));
    }

    @Test
    void groups_that_name_a_user_are_its_own_once_each_and_whole_names_alone() {
        String group = "a:x:10:u,v\nb:x:11:v,u\nc:x:12:uu,xu\nd:x:10:u\ne:x:13:";
        assertThat(resolve("u:x:1:1::/h:/s", group, "u").groups()).containsExactly(1, 10, 11);
        assertThat(resolve("u:x:1:1::/h:/s", group, "u:e")).isEqualTo(new Account(1, 13, List.of(), "/h"));
    }

    @Test
    void a_home_is_an_absolute_path() {
        assertThat(resolve("u:x:1:1::/h:/s", "", "u").home()).isEqualTo("/h");
        for (String unusable : List.of("", "h", "/h\u0007", "/h\u001b[2J")) {
            assertThat(resolve("u:x:1:1::" + unusable + ":/s", "", "u").home()).isEqualTo("/");
        }
    }

    @Test
    void an_account_that_is_not_there_is_told() {
        assertRefused(Code.UNKNOWN_USER, "u:x:1:1::/h:/s", "", "v");
        assertRefused(Code.UNKNOWN_GROUP, "u:x:1:1::/h:/s", "g:x:1:", "u:h");
        assertThat(resolve("", "", "17")).isEqualTo(new Account(17, 0, List.of(), "/"));
    }

    /// CVE-2022-36109: a program that changes its group by a set-group-ID file must not lose a group that files deny.
    @Test
    void the_first_group_is_among_all_groups() {
        String passwd = "u:x:5:6::/h:/s";

        assertThat(resolve(passwd, "g:x:7:u\nh:x:6:u", "u").groups()).containsExactly(6, 7);
        assertThat(resolve(passwd, "g:x:7:u", "u:g").groups()).containsExactly(7);
        assertThat(resolve("", "", "17").groups()).containsExactly(0);
    }
}
