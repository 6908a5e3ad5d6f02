package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.ArgumentException;
import dev.caisson.gate.Bed.Reply;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.Socket;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tests what a gate puts in, carries and hides, by real TLS on both sides.
final class GateTest {
    private static final String ENCODED = Base64.getEncoder().encodeToString(Bed.bytes("x-access-token:" + Bed.VALUE));

    @TempDir
    private Path directory;

    @Test
    void the_server_sees_the_value_and_the_clients_own_is_gone() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            String answer =
                    bed.get("/user?a=b", "authorization: Bearer mine", "AUTHORIZATION: Basic other", "X-Kept: yes");
            assertThat(answer).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\nfine");
            String seen = bed.heads.getFirst();
            assertThat(seen).startsWith("GET /user?a=b HTTP/1.1\r\nHost: " + Bed.HOST + ":" + bed.port() + "\r\n");
            assertThat(Bed.values(seen, "Authorization")).containsExactly("Bearer " + Bed.VALUE);
            assertThat(Bed.values(seen, "X-Kept")).containsExactly("yes");
            assertThat(Bed.values(seen, "Accept-Encoding")).containsExactly("identity");
            assertThat(bed.used(1)).hasSize(1);
        }
    }

    @Test
    void an_answer_that_has_begun_has_neither_the_values_that_come_nor_the_few_before() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            List<String> others = List.of("second-value-of-the-gate", "third-value-of-the-gate", "the-last-value");
            String rest = Bed.VALUE + " " + String.join(" ", others);
            var replaced = new CountDownLatch(1);
            bed.reply = (_, _, out) -> {
                out.write(Bed.bytes("HTTP/1.1 200 OK\r\nContent-Length: " + (rest.length() + 1) + "\r\n\r\n."));
                out.flush();
                try {
                    replaced.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                out.write(Bed.bytes(rest));
            };
            try (SSLSocket client = bed.client()) {
                client.getOutputStream().write(Bed.bytes(bed.request("/") + "\r\n"));
                assertThat(Bed.head(client.getInputStream())).isPresent();
                assertThat(client.getInputStream().read()).isEqualTo('.');
                others.forEach(bed::replace);
                replaced.countDown();
                assertThat(new String(client.getInputStream().readNBytes(rest.length()), StandardCharsets.ISO_8859_1))
                        .isEqualTo(rest.replaceAll("[^ ]", "*"));
            }
        }
    }

    @Test
    void another_value_is_in_the_next_request_of_an_open_connection_and_neither_is_in_its_answer() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            String other = "another-value-of-the-gate";
            bed.reply = Bed.Reply.ok(Bed.VALUE + " " + other);
            String stars = "*".repeat(Bed.VALUE.length()) + " " + "*".repeat(other.length());
            try (SSLSocket client = bed.client()) {
                for (int i = 0; i < 2; i++) {
                    client.getOutputStream().write(Bed.bytes(bed.request("/") + "\r\n"));
                    assertThat(Bed.head(client.getInputStream())).isPresent();
                    String body =
                            new String(client.getInputStream().readNBytes(stars.length()), StandardCharsets.ISO_8859_1);
                    assertThat(body).doesNotContain(Bed.VALUE).isEqualTo(i == 0 ? body : stars);
                    if (i == 0) {
                        bed.replace(other);
                    }
                }
            }
            assertThat(bed.get("/")).endsWith(stars);
            assertThat(bed.heads).hasSize(3);
            assertThat(Bed.values(bed.heads.get(0), "Authorization")).containsExactly("Bearer " + Bed.VALUE);
            assertThat(Bed.values(bed.heads.get(1), "Authorization")).containsExactly("Bearer " + other);
            assertThat(Bed.values(bed.heads.get(2), "Authorization")).containsExactly("Bearer " + other);
            assertThatThrownBy(() -> bed.replace("short")).hasMessageContaining("has 5 bytes");
            bed.get("/");
            assertThat(Bed.values(bed.heads.get(3), "Authorization")).containsExactly("Bearer " + other);
        }
    }

    @Test
    void a_field_that_connection_names_cannot_take_the_value_away() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            bed.ask(bed.request("/", "Connection: authorization, close, x-hop", "X-Hop: one", "Keep-Alive: 5")
                    + "\r\n");
            String seen = bed.heads.getFirst();
            assertThat(Bed.values(seen, "Authorization")).containsExactly("Bearer " + Bed.VALUE);
            assertThat(seen).doesNotContainIgnoringCase("x-hop").doesNotContainIgnoringCase("connection:");
        }
    }

    @Test
    void basic_has_the_user_before_the_value() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Basic("x-access-token"))) {
            bed.get("/", "Authorization: Basic bWluZTptaW5l");
            assertThat(Bed.values(bed.heads.getFirst(), "Authorization")).containsExactly("Basic " + ENCODED);
        }
    }

    @Test
    void a_header_replaces_all_that_servers_read_as_the_same() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Header("X-Api-Key"))) {
            bed.get("/", "x-api-key: mine", "X_Api_Key: mine", "Authorization: mine");
            String seen = bed.heads.getFirst();
            assertThat(Bed.values(seen, "X-Api-Key")).containsExactly(Bed.VALUE);
            assertThat(Bed.values(seen, "X_Api_Key")).isEmpty();
            assertThat(Bed.values(seen, "Authorization")).containsExactly("mine");
        }
    }

    @Test
    void a_parameter_replaces_those_of_its_name_however_they_are_written() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Query("key"))) {
            bed.get("/a?key=mine&b=1&%6Bey=mine;KEY=mine&c");
            assertThat(bed.heads.getFirst())
                    .startsWith("GET /a?b=1&c&key=" + URLEncoder.encode(Bed.VALUE, StandardCharsets.UTF_8) + " HTTP");
        }
    }

    @Test
    void a_placeholder_is_replaced_wherever_it_stands_in_its_field() throws Exception {
        String mark = "ghp_placeholder";
        try (Bed bed = Bed.of(directory, new Gate.Placeholder(mark, "Authorization"))) {
            bed.get("/", "Authorization: token " + mark, "X-Other: " + mark, "authorization: " + mark);
            bed.get(
                    "/",
                    "authorization: Basic " + Base64.getEncoder().encodeToString(Bed.bytes("x-access-token:" + mark)));
            bed.get("/", "X-None: yes", "Authorization_: " + mark);
            assertThat(Bed.values(bed.heads.get(0), "Authorization")).containsExactly("token " + Bed.VALUE, Bed.VALUE);
            assertThat(Bed.values(bed.heads.get(0), "X-Other")).containsExactly(mark);
            assertThat(Bed.values(bed.heads.get(1), "Authorization")).containsExactly("Basic " + ENCODED);
            assertThat(bed.heads.get(2)).doesNotContain(Bed.VALUE).doesNotContain("Authorization:");
            assertThat(bed.used(2)).hasSize(2);
        }
        try (Bed bed = Bed.of(directory, new Gate.Placeholder(mark, "Cookie"))) {
            bed.get("/", "Cookie: a=b; s=" + mark + "; t=" + mark, "Authorization: Bearer " + mark);
            assertThat(Bed.values(bed.heads.getFirst(), "Cookie"))
                    .containsExactly("a=b; s=" + Bed.VALUE + "; t=" + Bed.VALUE);
            assertThat(Bed.values(bed.heads.getFirst(), "Authorization")).containsExactly("Bearer " + mark);
            assertThat(bed.get("/", "Cookie: " + mark.repeat(5))).startsWith("HTTP/1.1 400 ");
        }
    }

    @Test
    void a_field_without_its_placeholder_is_no_credential_of_the_programs_own() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Placeholder("ghp_placeholder", "Authorization"))) {
            for (String own : List.of("Bearer mine", "Basic bWluZTptaW5l", "Basic %", "ghp_placeholde")) {
                assertThat(bed.get("/", "Authorization: " + own)).startsWith("HTTP/1.1 403 Forbidden");
            }
            assertThat(bed.heads).isEmpty();
        }
    }

    @Test
    void a_request_has_the_secrets_whose_rules_it_meets() throws Exception {
        try (Bed bed = Bed.kinds(
                directory,
                List.of(
                        gate -> gate.methods("GET").paths("/v1/*", "/user"),
                        gate -> gate.asHeader("X-Team").paths("/v1/teams/*/members"),
                        gate -> gate.asQuery("k").methods("POST")))) {
            bed.get("/v1/teams/a/members?x=1&k=mine", "X-Team: mine");
            bed.get("/user", "X_Team: mine");
            bed.ask("POST /else?k=mine HTTP/1.1\r\nHost: " + Bed.HOST + ":" + bed.port()
                    + "\r\nAuthorization: mine\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            String first = bed.heads.get(0);
            assertThat(first).startsWith("GET /v1/teams/a/members?x=1 HTTP");
            assertThat(Bed.values(first, "X-Team")).containsExactly(Bed.VALUE);
            assertThat(Bed.values(first, "Authorization")).containsExactly("Bearer " + Bed.VALUE);
            assertThat(bed.heads.get(1)).startsWith("GET /user HTTP").doesNotContainIgnoringCase("team");
            assertThat(bed.heads.get(2)).startsWith("POST /else?k=v4lue").doesNotContain("Authorization");
            assertThat(bed.used(4)).hasSize(4);
        }
    }

    @Test
    void a_host_may_have_several_secrets() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer(), new Gate.Header("X-Team"), new Gate.Query("k"))) {
            bed.get("/");
            assertThat(Bed.values(bed.heads.getFirst(), "X-Team")).containsExactly(Bed.VALUE);
            assertThat(Bed.values(bed.heads.getFirst(), "Authorization")).containsExactly("Bearer " + Bed.VALUE);
            assertThat(bed.heads.getFirst()).startsWith("GET /?k=v4lue");
            assertThat(bed.used(3)).hasSize(3);
        }
    }

    @Test
    void an_answer_that_repeats_the_value_has_stars_in_its_place() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Basic("x-access-token"))) {
            String body = "you are " + Bed.VALUE + " or " + ENCODED + ".";
            bed.reply = Reply.of("HTTP/1.1 200 " + Bed.VALUE + "\r\nX-Echo: <" + Bed.VALUE + ">\r\nContent-Length: "
                    + body.length() + "\r\n\r\n" + body);
            String answer = bed.get("/echo");
            assertThat(answer)
                    .doesNotContain(Bed.VALUE)
                    .contains("you are " + "*".repeat(Bed.VALUE.length()) + " or ")
                    .contains("X-Echo: <***")
                    .endsWith(".");
            assertThat(answer.substring(answer.indexOf("\r\n\r\n") + 4)).hasSize(body.length());
            assertThat(answer).doesNotContain(ENCODED.substring(24, 40));
        }
    }

    @Test
    void a_value_that_comes_in_pieces_is_hidden_too() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            bed.reply = (_, _, out) -> {
                out.write(Bed.bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
                for (char one : ("<" + Bed.VALUE + ">").toCharArray()) {
                    out.write(Bed.bytes("1\r\n" + one + "\r\n"));
                    out.flush();
                }
                out.write(Bed.bytes("0\r\nX-Trailer: " + Bed.VALUE + "\r\n\r\n"));
            };
            String answer = bed.get("/");
            assertThat(answer).contains("<").contains(">").endsWith("0\r\n\r\n");
            assertThat(answer.chars().filter(one -> one == '*').count()).isEqualTo(Bed.VALUE.length());
        }
    }

    @Test
    void a_body_that_cannot_be_looked_into_is_refused() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            bed.reply = Reply.of("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd");
            assertThat(bed.get("/", "Accept-Encoding: gzip"))
                    .startsWith("HTTP/1.1 502 Bad Gateway\r\n")
                    .contains("the encoding 'gzip'")
                    .doesNotContain("abcd");
        }
    }

    @Test
    void a_redirect_is_the_clients_to_follow() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            String fields = "Location: https://elsewhere.example/\r\nAlt-Svc: h3=1\r\nContent-Length: 0";
            bed.reply = Reply.of("HTTP/1.1 302 Found\r\n" + fields + "\r\n\r\n");
            assertThat(bed.get("/"))
                    .startsWith("HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\n")
                    .doesNotContain("Alt-Svc");
            assertThat(bed.heads).hasSize(1);
        }
    }

    @Test
    void requests_of_one_connection_go_over_one_to_the_server() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer());
                SSLSocket client = bed.client()) {
            for (int i = 0; i < 3; i++) {
                client.getOutputStream().write(Bed.bytes(bed.request("/" + i) + "\r\n"));
                client.getOutputStream().flush();
                assertThat(Bed.head(client.getInputStream())).get().asString().startsWith("HTTP/1.1 200");
                assertThat(new String(client.getInputStream().readNBytes(4), StandardCharsets.US_ASCII))
                        .isEqualTo("fine");
            }
            assertThat(bed.heads).hasSize(3);
            assertThat(bed.arrived).hasSize(1);
        }
    }

    @Test
    void a_connection_that_the_server_has_ended_is_made_again() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer());
                SSLSocket client = bed.client()) {
            for (int i = 0; i < 2; i++) {
                client.getOutputStream().write(Bed.bytes(bed.request("/" + i) + "\r\n"));
                client.getOutputStream().flush();
                assertThat(Bed.head(client.getInputStream())).get().asString().startsWith("HTTP/1.1 200");
                client.getInputStream().readNBytes(4);
                for (Socket socket : bed.arrived) {
                    socket.close();
                }
            }
            assertThat(bed.arrived).hasSize(2);
        }
    }

    @Test
    void a_body_goes_up_while_the_answer_comes_down() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer());
                SSLSocket client = bed.client()) {
            bed.reply = (_, in, out) -> {
                out.write(Bed.bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
                for (int i = 0; i < 3; i++) { // each chunk is answered before the next one comes
                    String chunk = new String(in.readNBytes(6), StandardCharsets.US_ASCII);
                    out.write(Bed.bytes(chunk));
                    out.flush();
                }
                in.readNBytes(5);
                out.write(Bed.bytes("0\r\n\r\n"));
            };
            client.getOutputStream()
                    .write(Bed.bytes("POST /s HTTP/1.1\r\nHost: " + Bed.HOST + ":" + bed.port()
                            + "\r\nTransfer-Encoding: chunked\r\n\r\n"));
            client.getOutputStream().flush();
            assertThat(Bed.head(client.getInputStream())).get().asString().contains("Transfer-Encoding: chunked");
            for (String one : List.of("!", "?", "\n")) { // none begins a form of the value
                client.getOutputStream().write(Bed.bytes("1\r\n" + one + "\r\n"));
                client.getOutputStream().flush();
                assertThat(new String(client.getInputStream().readNBytes(6), StandardCharsets.US_ASCII))
                        .isEqualTo("1\r\n" + one + "\r\n");
            }
            client.getOutputStream().write(Bed.bytes("0\r\n\r\n"));
            client.getOutputStream().flush();
            assertThat(client.getInputStream().readNBytes(5)).asString().isEqualTo("0\r\n\r\n");
        }
    }

    @Test
    void the_server_says_whether_the_body_is_to_come() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer());
                SSLSocket client = bed.client()) {
            bed.reply = (_, in, out) -> {
                out.write(Bed.bytes("HTTP/1.1 100 Continue\r\n\r\n"));
                out.flush();
                Reply.ok(new String(in.readNBytes(5), StandardCharsets.US_ASCII))
                        .to("", in, out);
            };
            client.getOutputStream()
                    .write(Bed.bytes("PUT / HTTP/1.1\r\nHost: " + Bed.HOST + ":" + bed.port()
                            + "\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
            client.getOutputStream().flush();
            assertThat(Bed.head(client.getInputStream())).contains("HTTP/1.1 100 Continue\r\n\r\n");
            client.getOutputStream().write(Bed.bytes("hello"));
            client.getOutputStream().flush();
            assertThat(Bed.head(client.getInputStream())).get().asString().startsWith("HTTP/1.1 200 OK");
            assertThat(client.getInputStream().readNBytes(5)).asString().isEqualTo("hello");
        }
    }

    @Test
    void an_answer_to_head_has_a_length_and_no_body() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            bed.reply = Reply.of("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Encoding: gzip\r\n\r\n");
            String answer = bed.ask(
                    "HEAD / HTTP/1.1\r\nHost: " + Bed.HOST + ":" + bed.port() + "\r\nConnection: close\r\n\r\n");
            assertThat(answer).contains("Content-Length: 9\r\n").endsWith("\r\n\r\n");
        }
    }

    @Test
    void a_server_that_is_not_trusted_or_has_another_name_gets_nothing() throws Exception {
        for (Bed one : List.of(
                Bed.elsewhere(directory, Bed.HOST, "other.example"),
                Bed.elsewhere(directory, "other.example", "other.example"))) {
            try (one) {
                assertThat(one.get("/"))
                        .startsWith("HTTP/1.1 502 Bad Gateway\r\n")
                        .contains("is not trusted");
                assertThat(one.heads).isEmpty();
                assertThat(one.uses).isEmpty();
            }
        }
    }

    @Test
    void a_host_that_was_taken_off_the_list_is_reached_no_more() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer());
                SSLSocket client = bed.client()) {
            client.getOutputStream().write(Bed.bytes(bed.request("/") + "\r\n"));
            client.getOutputStream().flush();
            assertThat(Bed.head(client.getInputStream())).get().asString().startsWith("HTTP/1.1 200");
            client.getInputStream().readNBytes(4);
            bed.allowed = false;
            client.getOutputStream().write(Bed.bytes(bed.request("/") + "\r\n"));
            client.getOutputStream().flush();
            assertThat(Bed.all(client.getInputStream())).startsWith("HTTP/1.1 403 Forbidden");
            assertThat(bed.heads).hasSize(1);
        }
    }

    @Test
    void only_the_container_is_served() throws Exception {
        try (Bed bed = Bed.forOthers(directory)) {
            assertThatThrownBy(bed::client).isInstanceOf(IOException.class);
            assertThat(bed.refusals).isEmpty();
        }
    }

    @Test
    void a_container_has_a_bounded_number_of_connections() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            var open = new ArrayList<Socket>();
            try {
                for (int i = 0; i < GateServer.MOST_CONNECTIONS; i++) {
                    open.add(bed.plain());
                }
                assertThatThrownBy(bed::client).isInstanceOf(IOException.class);
                open.removeFirst().close();
                assertThat(eventually(bed)).contains("200 OK");
            } finally {
                for (Socket one : open) {
                    one.close();
                }
            }
        }
    }

    private static String eventually(Bed bed) throws Exception {
        for (int i = 0; i < 50; i++) {
            try {
                return bed.get("/");
            } catch (IOException e) {
                Thread.sleep(20);
            }
        }
        return "never";
    }

    @Test
    void the_greeting_decides_who_is_asked() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            assertThatThrownBy(() -> bed.greet("other.example")).isInstanceOf(SSLException.class);
            assertThatThrownBy(() -> bed.greet("")).isInstanceOf(SSLException.class);
            assertThatThrownBy(() -> bed.greet(Bed.HOST, "h2")).isInstanceOf(SSLException.class);
            assertThat(bed.greet(Bed.HOST, "h2", "http/1.1").getApplicationProtocol())
                    .isEqualTo("http/1.1");
            assertThat(bed.heads).isEmpty();
            assertThat(bed.refused(3)).hasSize(3);
        }
    }

    @Test
    void values_that_no_request_can_have_are_refused_without_being_shown() {
        for (String value :
                List.of("short", "ends with\n", "has\r\nInjected: yes", " blank before it", "nul\0within it")) {
            assertThatThrownBy(() -> credential(new Gate.Bearer(), value))
                    .isInstanceOf(ArgumentException.class)
                    .hasMessageContaining("the secret gh of the gate to " + Bed.HOST)
                    .hasMessageNotContaining(value);
        }
        assertThatThrownBy(() -> credential(new Gate.Basic(""), "no colon within"))
                .hasMessageContaining("as=basic:USER");
        assertThatThrownBy(() -> credential(new Gate.Bearer(), "a".repeat(8193)))
                .hasMessageContaining("8193 bytes");
        credential(new Gate.Query("k"), "line\nline").close();
    }

    private static Credential credential(Gate.Place place, String value) {
        byte[] bytes = Bed.bytes(value);
        SecretValue held = SecretValue.of(bytes);
        Arrays.fill(bytes, (byte) 0);
        return new Credential(Gate.of("gh").to(Bed.HOST).as(place), held);
    }
}
