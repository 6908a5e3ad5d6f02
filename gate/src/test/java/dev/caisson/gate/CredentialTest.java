package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Targets of requests without what stands where a value goes.
class CredentialTest {
    /// Servers separate parameters by `&` or `;`, decode their names, and some of them know no case.
    @ParameterizedTest
    @CsvSource({
        "/x, /x",
        "/x?, /x",
        "/x?a=1, /x?a=1",
        "/x?key=theirs, /x",
        "/x?key, /x",
        "/x?a=1&key=theirs&b=2, /x?a=1&b=2",
        "/x?a=1;key=theirs;b=2, /x?a=1&b=2",
        "/x?KEY=theirs&a=1, /x?a=1",
        "/x?%6bey=theirs&a=1, /x?a=1",
        "/x?k%65%79=theirs, /x",
        "/x?keys=1&akey=2, /x?keys=1&akey=2",
        "/x?a=key=theirs, /x?a=key=theirs",
        "/x?&&a=1&, /x?a=1",
        "/x?%zz=1&key=theirs, /x?%zz=1",
    })
    void a_parameter_of_the_name_is_gone_however_it_is_written(String target, String left) {
        assertThat(Credential.stripped(target, "key")).isEqualTo(left);
        assertThat(Credential.without(target, "key")).isEqualTo(left + (left.indexOf('?') < 0 ? "?" : "&") + "key=");
    }
}
