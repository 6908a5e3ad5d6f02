package dev.caisson.spec;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Paths of requests: one that two servers could read differently has no plain form, and is named by no rule.
class RequestPathTest {
    @ParameterizedTest
    @CsvSource({
        "/, /",
        "/a/b, /a/b",
        "/a/, /a/",
        "/%61/%5A%30, /a/Z0",
        "/a%2db%2E%5f%7e, /a-b._~",
        "/a%2fb, /a%2Fb",
        "/a%3fb, /a%3Fb",
        "/a%0d?, ",
        "/%e2%82%ac, /%E2%82%AC",
        "/a%c2%a0, /a%C2%A0",
        "/a%20b, /a%20b",
        "/..a/b.., /..a/b..",
        "/a;x/b;y, /a;x/b;y",
        "/a%25b, /a%25b",
    })
    void what_needs_no_code_is_written_without_one(String path, String plain) {
        assertThat(RequestPath.plain(path)).isEqualTo(Optional.ofNullable(plain));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "a/b",
                "%2Fa",
                "/%",
                "/%4",
                "/%4/",
                "/%zz",
                "/a%2",
                "//",
                "/a//b",
                "//a",
                "/a%2F%2Fb",
                "/a%2f/b",
                "/..",
                "/.",
                "/a/../b",
                "/a/..",
                "/a/./b",
                "/%2e%2e/b",
                "/a%2f..%2fb",
                "/a%5c..%5cb",
                "/a%5C%5Cb",
                "/a\\b",
                "/a/..;x/b",
                "/a/..%3bx/b",
                "/a/;x/b",
                "/a/;x",
                "/;",
                "/a/.%20./b",
                "/a/...",
                "/%252e%252e/b",
                "/a%252fb",
                "/a%00b",
                "/a%1fb",
                "/a%7fb",
                "/a%c2%80",
                "/a%c2%9f",
                "/a%ff",
                "/a%c3",
                "/a%c0%af",
                "/a/..%3fx",
                "/a/..%23x",
                "/a/.%3F"
            })
    void a_path_that_could_be_another_one_has_no_plain_form(String path) {
        assertThat(RequestPath.plain(path)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "/a, /a, true",
        "/a, /a/, false",
        "/a, /A, false",
        "/a, /ab, false",
        "/a, /a;x, false",
        "/a.b, /aXb, false",
        "/a/*, /a/, true",
        "/a/*, /a/b, true",
        "/a/*, /a/b/c, true",
        "/a/*, /a/b;x/c, true",
        "/a/*, /a, false",
        "/a/*, /b/a/c, false",
        "/a/*/c, /a/b/c, true",
        "/a/*/c, /a/b/d/c, false",
        "/a/*/c, /a/b%2Fd/c, false",
        "/a/*/c, /a/b%5Cd/c, false",
        "/a/*/c, /a/b/c/d, false",
        "/a*/c, /a/c, false",
        "/a*/c, /ab/c, true",
        "/*, /anything/at/all, true",
    })
    void a_star_is_a_part_or_all_that_follows(String rule, String path, boolean isNamed) {
        assertThat(RequestPath.matches(rule, path)).isEqualTo(isNamed);
    }

    /// Some servers leave out what stands behind `;`, others what stands behind a question mark that was encoded.
    @ParameterizedTest
    @CsvSource({
        "/a*/x, /a;/x, false",
        "/a*/x, /a%3Bb/x, false",
        "/a*/x, /ab;c/x, true",
        "/a*, /a%3Fb, false",
        "/a*, /a%23b, false",
        "/a*, /ab%3Fc, true",
        "/a/*, /a%3F/b, false",
    })
    void a_path_is_named_by_a_rule_only_if_its_shorter_forms_are(String rule, String path, boolean isNamed) {
        assertThat(RequestPath.matches(rule, path)).isEqualTo(isNamed);
    }
}
