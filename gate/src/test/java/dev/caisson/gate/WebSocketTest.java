package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Gate;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Conversations over WebSocket through a gate, by real TLS on both sides.
final class WebSocketTest {
    private static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";
    /// The example of RFC 6455, section 1.3.
    private static final String ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    @TempDir
    private Path directory;

    private static String greeting(Bed bed) {
        return bed.request(
                        "/chat",
                        "Connection: keep-alive, Upgrade",
                        "Upgrade: websocket",
                        "Sec-WebSocket-Version: 13",
                        "Sec-WebSocket-Protocol: chat",
                        "Sec-WebSocket-Extensions: permessage-deflate",
                        "Sec-WebSocket-Key: " + KEY)
                + "\r\n";
    }

    private static String agreement(String accept, String more) {
        return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Accept: " + accept + "\r\n" + more + "\r\n";
    }

    /// @return a frame of text
    private static byte[] frame(int first, String text) {
        byte[] body = Bed.bytes(text);
        boolean isLong = body.length > 125;
        byte[] frame = new byte[body.length + (isLong ? 4 : 2)];
        frame[0] = (byte) first;
        frame[1] = (byte) (isLong ? 126 : body.length);
        if (isLong) {
            frame[2] = (byte) (body.length >> 8);
            frame[3] = (byte) body.length;
        }
        System.arraycopy(body, 0, frame, frame.length - body.length, body.length);
        return frame;
    }

    @Test
    void bytes_go_both_ways_and_values_are_hidden_until_the_host_is_taken_off_the_list() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer());
                SSLSocket client = bed.client();
                SSLSocket idle = bed.client()) {
            idle.getOutputStream().write(Bed.bytes(bed.request("/") + "\r\n"));
            assertThat(Bed.head(idle.getInputStream())).get().asString().startsWith("HTTP/1.1 200 ");
            assertThat(idle.getInputStream().readNBytes("fine".length())).isEqualTo(Bed.bytes("fine"));
            bed.heads.clear();
            var heard = new CopyOnWriteArrayList<Integer>();
            String large = "x".repeat(300) + Bed.VALUE;
            bed.reply = (_, in, out) -> {
                out.write(Bed.bytes(agreement(ACCEPT, "Sec-WebSocket-Protocol: chat\r\n")));
                out.write(frame(0x81, "you are " + Bed.VALUE + "v")); // its end could begin the value
                out.flush();
                for (int one = in.read(); one >= 0; one = in.read()) {
                    heard.add(one);
                    out.write(frame(0x82, large));
                    out.flush();
                }
            };
            client.getOutputStream().write(Bed.bytes(greeting(bed)));
            assertThat(Bed.head(client.getInputStream()))
                    .get()
                    .asString()
                    .startsWith("HTTP/1.1 101 ")
                    .contains("Sec-WebSocket-Accept: " + ACCEPT, "Sec-WebSocket-Protocol: chat", "Upgrade: websocket");
            String stars = "*".repeat(Bed.VALUE.length());
            byte[] first = frame(0x81, "you are " + stars + "v");
            assertThat(client.getInputStream().readNBytes(first.length)).isEqualTo(first);
            byte[] second = frame(0x82, "x".repeat(300) + stars);
            for (int sent : List.of(0, 255, 129)) {
                client.getOutputStream().write(sent);
                assertThat(client.getInputStream().readNBytes(second.length)).isEqualTo(second);
            }
            assertThat(heard).containsExactly(0, 255, 129);
            String seen = bed.heads.getFirst();
            assertThat(Bed.values(seen, "Authorization")).containsExactly("Bearer " + Bed.VALUE);
            assertThat(Bed.values(seen, "Connection")).containsExactly("Upgrade");
            assertThat(seen).contains("Sec-WebSocket-Key: " + KEY).doesNotContainIgnoringCase("extensions");
            bed.allowed = false;
            Thread.sleep(1100); // so long it may go on
            client.getOutputStream().write(1);
            assertThat(Bed.all(client.getInputStream())).isEmpty();
            assertThat(heard).hasSize(3);
            idle.getOutputStream().write(Bed.bytes(bed.request("/again") + "\r\n"));
            assertThat(Bed.all(idle.getInputStream()))
                    .startsWith("HTTP/1.1 403 Forbidden")
                    .contains("may not send to");
            assertThat(bed.refused(1)).hasSize(1); // and it is noted
        }
    }

    @Test
    void a_server_that_does_not_agree_or_sends_other_frames_is_cut() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer())) {
            for (String answer : List.of(
                    agreement("AAAA", ""),
                    agreement(ACCEPT, "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
                    agreement(ACCEPT, "").replace("Upgrade: websocket", "Upgrade: h2c"))) {
                bed.reply = Bed.Reply.of(answer);
                assertThat(bed.ask(greeting(bed))).startsWith("HTTP/1.1 502 Bad Gateway");
            }
            bed.reply = Bed.Reply.of(agreement(ACCEPT, ""));
            assertThat(bed.get("/")).startsWith("HTTP/1.1 502 Bad Gateway"); // nobody asked for it
            for (byte[] wrong : List.of(
                    frame(0xc1, "compressed"),
                    frame(0x83, "unknown"),
                    new byte[] {(byte) 0x81, (byte) 0x81, 1, 2, 3, 4, 5},
                    frame(0x89, "a ping is short".repeat(10)))) {
                bed.reply = (_, _, out) -> {
                    out.write(Bed.bytes(agreement(ACCEPT, "")));
                    out.write(wrong);
                };
                String answer = bed.ask(greeting(bed));
                assertThat(answer).startsWith("HTTP/1.1 101 ").endsWith("\r\n\r\n");
            }
            assertThat(bed.refused(8)).hasSize(8);
        }
    }

    @Test
    void a_refusal_of_the_server_is_an_answer() throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer());
                SSLSocket client = bed.client()) {
            bed.reply = Bed.Reply.of("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n");
            client.getOutputStream().write(Bed.bytes(greeting(bed)));
            assertThat(Bed.head(client.getInputStream())).get().asString().startsWith("HTTP/1.1 426 ");
            bed.reply = Bed.Reply.ok("fine"); // what follows is HTTP, and is read as that
            client.getOutputStream().write(Bed.bytes(bed.request("/") + "\r\n"));
            assertThat(Bed.head(client.getInputStream())).get().asString().startsWith("HTTP/1.1 200 ");
            assertThat(bed.heads).hasSize(2);
        }
    }
}
