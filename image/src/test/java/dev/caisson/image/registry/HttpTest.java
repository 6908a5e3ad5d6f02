package dev.caisson.image.registry;

import static dev.caisson.image.ScriptedRegistry.head;
import static dev.caisson.image.ScriptedRegistry.plain;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ScriptedRegistry;
import dev.caisson.image.registry.Http.Answer;
import dev.caisson.image.registry.RegistryException.Code;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Single requests: what is sent, what fails, and answers that stall.
@Timeout(30)
class HttpTest {
    private static final byte[] CONTENT = {1, 2, 3};

    private static URI address(ScriptedRegistry registry) {
        return URI.create("http://" + registry.name() + "/a");
    }

    private static Http.Content content(byte[] bytes) {
        return new Http.Content() {
            @Override
            public long size() {
                return bytes.length;
            }

            @Override
            public InputStream open() {
                return new ByteArrayInputStream(bytes);
            }
        };
    }

    private static RegistryException unreachable(URI address) {
        try (Http http = Conversation.http()) {
            var failure = catchThrowableOfType(RegistryException.class, () -> http.get(address, Map.of()));
            assertThat(failure.reason()).isEqualTo(Code.REGISTRY_UNREACHABLE);
            assertThat(failure.sentence()).contains(address.getAuthority());
            return failure;
        }
    }

    @Test
    void a_request_has_its_method_headers_and_content() throws IOException {
        try (var registry = new ScriptedRegistry((_, out) -> plain(out, "200 OK", "", "X-Two: 1", "X-Two: 2"));
                Http http = Conversation.http()) {
            Answer answer = http.send("PUT", address(registry), Map.of("X-A", "b"), Optional.of(content(CONTENT)));
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.from()).isEqualTo(address(registry));
            assertThat(answer.headers("x-two")).containsExactly("1", "2");
            assertThat(answer.header("x-two")).hasValue("1");
            assertThat(answer.header("x-three")).isEmpty();
            http.done(answer);
            http.done(http.send("PUT", address(registry), Map.of(), Optional.of(content(new byte[0]))));
            http.done(http.get(address(registry), Map.of("X-A", "c")));

            assertThat(registry.requests)
                    .extracting(request -> request.method())
                    .containsExactly("PUT", "PUT", "GET");
            assertThat(registry.requests.getFirst().content()).isEqualTo(CONTENT);
            assertThat(registry.requests.getFirst().headers())
                    .containsEntry("x-a", "b")
                    .containsEntry("user-agent", "caisson")
                    .doesNotContainKey("upgrade");
            assertThat(registry.requests.get(1).content()).isEmpty();
            assertThat(registry.requests.getLast().headers()).containsEntry("x-a", "c");
        }
    }

    @Test
    void a_registry_that_is_not_there_or_hangs_up_cannot_be_reached() throws IOException {
        URI nobody;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            nobody = URI.create("http://127.0.0.1:" + free.getLocalPort());
        }
        assertThat(unreachable(nobody).sentence()).contains("(no connection)");
        try (var registry = new ScriptedRegistry((_, _) -> {})) {
            assertThat(unreachable(address(registry)).sentence()).doesNotContain("(null)");
        }
    }

    @Test
    void an_interrupted_request_says_so_and_leaves_the_thread_interrupted() throws IOException {
        try (var registry = new ScriptedRegistry((_, out) -> plain(out, "200 OK", ""))) {
            Thread.currentThread().interrupt();
            assertThat(unreachable(address(registry)).sentence()).contains("(interrupted)");
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void an_answer_that_stalls_is_given_up_until_it_is_done() throws Exception {
        var nanos = new AtomicLong();
        var release = new CountDownLatch(1);
        try (var registry = new ScriptedRegistry((_, out) -> {
                    head(out, "200 OK", "Content-Length: 9");
                    out.flush();
                    try {
                        release.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                });
                var http = new Http(SSLContext.getDefault(), nanos::get)) {
            Answer done = http.get(address(registry), Map.of());
            http.done(done);
            Answer answer = http.get(address(registry), Map.of());
            var failure = new CompletableFuture<IOException>();
            Thread reader = Thread.ofPlatform()
                    .start(() -> failure.complete(catchThrowableOfType(
                            IOException.class, () -> answer.body().readNBytes(9))));
            while (reader.getState() != Thread.State.WAITING) {
                assertThat(reader.isAlive()).isTrue();
                Thread.onSpinWait();
            }
            http.check();
            assertThat(failure).isNotDone();
            nanos.addAndGet(Duration.ofMinutes(1).toNanos());
            http.check();
            assertThat(failure.get(20, TimeUnit.SECONDS)).hasMessage("the answer has stalled");
        } finally {
            release.countDown();
        }
    }

    @Test
    void nobody_watches_answers_once_it_is_closed() throws Exception {
        var before = watchers();
        Http http = Conversation.http();
        Thread own = watchers().keySet().stream()
                .filter(thread -> !before.containsKey(thread))
                .findFirst()
                .orElseThrow();
        assertThat(own.isDaemon()).isTrue();
        http.close();
        own.join(20_000);
        assertThat(own.isAlive()).isFalse();
    }

    private static Map<Thread, StackTraceElement[]> watchers() {
        Map<Thread, StackTraceElement[]> all = Thread.getAllStackTraces();
        all.keySet().removeIf(thread -> !thread.getName().equals("caisson-registry"));
        return all;
    }
}
