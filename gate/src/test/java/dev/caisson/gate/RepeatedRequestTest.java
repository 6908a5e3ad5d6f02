package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.gate.Bed.Reply;
import dev.caisson.spec.Gate;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Which requests are sent twice when a kept connection breaks.
@Timeout(value = 30, unit = TimeUnit.SECONDS)
final class RepeatedRequestTest {
    @TempDir
    private Path directory;

    /// The server takes the request, and ends the connection in place of an answer.
    @ParameterizedTest
    @CsvSource({
        "GET, '', true",
        "HEAD, '', true",
        "OPTIONS, '', true",
        "GET, body, false",
        "POST, '', false",
        "POST, body, false",
        "PUT, body, false",
        "PATCH, body, false",
        "DELETE, '', false",
        "PROPFIND, '', false"
    })
    void only_a_request_that_changes_nothing_is_sent_again_over_another_connection(
            String method, String body, boolean again) throws Exception {
        try (Bed bed = Bed.of(directory, new Gate.Bearer());
                SSLSocket client = bed.client()) {
            client.getOutputStream().write(Bed.bytes(bed.request("/first") + "\r\n"));
            client.getOutputStream().flush();
            assertThat(Bed.head(client.getInputStream())).get().asString().startsWith("HTTP/1.1 200");
            client.getInputStream().readNBytes(4);
            bed.reply = (_, _, _) -> {
                bed.reply = Reply.ok("fine");
                bed.arrived.getFirst().close();
            };
            String length = body.isEmpty() ? "" : "Content-Length: " + body.length() + "\r\n";
            client.getOutputStream()
                    .write(Bed.bytes(bed.request("/second").replaceFirst("GET", method) + length + "\r\n" + body));
            client.getOutputStream().flush();
            assertThat(Bed.head(client.getInputStream()))
                    .get()
                    .asString()
                    .startsWith(again ? "HTTP/1.1 200" : "HTTP/1.1 502");
            assertThat(bed.heads.stream().filter(head -> head.startsWith(method + " /second ")))
                    .hasSize(again ? 2 : 1);
        }
    }
}
