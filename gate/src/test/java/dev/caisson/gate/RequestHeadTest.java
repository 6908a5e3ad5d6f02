package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Heads of requests: what two programs could read differently is refused.
class RequestHeadTest {
    private static RequestHead head(String first, String... fields) throws Exception {
        String text = first + "\r\n" + String.join("\r\n", fields) + "\r\n\r\n";
        var in = new Input(new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1)));
        return RequestHead.read(in).orElseThrow().checked("api.example.com", 443);
    }

    private static void assertRefused(String part, String first, String... fields) {
        assertThatThrownBy(() -> head(first, fields))
                .isInstanceOf(Refusal.class)
                .hasMessageContaining(part);
    }

    private static final String GET = "GET /x HTTP/1.1";
    private static final String HOST = "Host: api.example.com";

    @Test
    void a_request_is_for_one_host_which_is_that_of_its_connection() throws Exception {
        assertThat(head(GET, HOST).target()).isEqualTo("/x");
        assertThat(head(GET, "host: API.example.com:443").target()).isEqualTo("/x");
        assertRefused("0 Host fields", GET, "Accept: *");
        assertRefused("2 Host fields", GET, HOST, HOST);
        assertRefused("another host", GET, "Host: api.example.com:444");
        assertRefused("another host", GET, "Host: other.example.com");
        assertRefused("another host", GET, "Host: api.example.com.");
        assertRefused("another host", "GET https://other.example.com/x HTTP/1.1", HOST);
        assertThat(head("GET https://api.example.com?a HTTP/1.1", HOST).target())
                .isEqualTo("/?a");
    }

    @ParameterizedTest
    @ValueSource(strings = {"CONNECT", "TRACE", "TRACK", "trace"})
    void methods_that_do_not_pass_are_refused(String method) {
        assertRefused("does not pass a gate", method + " /x HTTP/1.1", HOST);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a\\b", "/a#b", "/a\tb", "/a\u007fb", "/a\u0080b", "/\u00ff"})
    void a_target_has_no_character_that_no_address_has(String target) {
        assertRefused("encode it", "GET " + target + " HTTP/1.1", HOST);
    }

    @Test
    void the_end_of_a_request_is_said_once_and_in_one_way() throws Exception {
        assertThat(head(GET, HOST, "Content-Length: 7").fields().contentLength())
                .contains(7L);
        assertThat(head(GET, HOST, "Transfer-Encoding: Chunked").fields().isChunked())
                .isTrue();
        assertRefused("not one number", GET, HOST, "Content-Length: 7", "Content-Length: 7");
        for (String length : new String[] {"", "+7", "-7", "0x7", "7, 7", "7 7", "1234567890123456789"}) {
            assertRefused("not one number", GET, HOST, "Content-Length: " + length);
        }
        assertRefused("beside Transfer-Encoding", GET, HOST, "Content-Length: 7", "Transfer-Encoding: chunked");
        for (String coding : new String[] {"gzip", "chunked, chunked", "gzip, chunked", "chunked;x", "identity"}) {
            assertRefused("is not 'chunked'", GET, HOST, "Transfer-Encoding: " + coding);
        }
        assertRefused("is not 'chunked'", GET, HOST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked");
        for (String named : new String[] {"Content-Length", "close, transfer-encoding", "a,Content-length"}) {
            assertRefused("where the request ends", GET, HOST, "Connection: " + named);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\u007fb", "a\u001bb", "a\u000bb"})
    void a_field_has_no_control_character(String value) {
        assertRefused("control character", GET, HOST, "X: " + value);
    }

    @ParameterizedTest
    @ValueSource(strings = {" X: 1", "\tX: 1", "X : 1", ": 1", "X", "X(: 1", "\u00e4: 1", "X\u007f: 1"})
    void a_field_has_a_name_that_all_read_the_same(String field) {
        assertThatThrownBy(() -> head(GET, HOST, field)).isInstanceOf(Refusal.class);
    }

    @Test
    void fields_of_the_connection_do_not_go_on() throws Exception {
        Fields fields = head(
                        GET,
                        HOST,
                        "Accept: *",
                        "Connection: X-Own, keep-alive",
                        "Keep-Alive: 5",
                        "X-own: 1",
                        "TE: gzip",
                        "Trailer: a",
                        "Proxy-Authorization: Basic eA==",
                        "Proxy-Connection: close",
                        "HTTP2-Settings: AAMAAABk")
                .fields();
        assertThat(fields.lasting().map(Fields.Field::name)).containsExactly("Host", "Accept");
    }

    @Test
    void a_head_has_a_hundred_fields_at_most() throws Exception {
        var fields = new String[100];
        Arrays.fill(fields, "X: 1");
        fields[0] = HOST;
        assertThat(head(GET, fields).fields().all()).hasSize(100);
        String[] more = Arrays.copyOf(fields, 101);
        more[100] = "X: 1";
        assertRefused("more than 100 fields", GET, more);
    }
}
