package dev.caisson.image.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ScriptedRegistry;
import dev.caisson.image.registry.Exchange.Call;
import dev.caisson.image.registry.Http.Answer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;

/// A scripted registry and an exchange with it, which notes how long it would wait and does not wait.
final class Conversation implements AutoCloseable {
    static final List<String> SCOPES = List.of("repository:app:pull");

    final List<Integer> pauses = new CopyOnWriteArrayList<>();
    final ScriptedRegistry registry;
    final Exchange exchange;

    Conversation(ScriptedRegistry.Script script) throws IOException {
        this(Credentials.none(), script);
    }

    Conversation(Credentials credentials, ScriptedRegistry.Script script) throws IOException {
        registry = new ScriptedRegistry(script);
        exchange = new Exchange(registry.name(), credentials, http(), pauses::add);
    }

    /// Trusts the JDK's own authorities: reading the host's takes longer than most tests.
    static Http http() {
        try {
            SSLContext trust = SSLContext.getInstance("TLS");
            trust.init(null, null, null);
            return new Http(trust, System::nanoTime);
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    List<ScriptedRegistry.Request> requests() {
        return registry.requests;
    }

    /// Returns the requests as `METHOD PATH`.
    List<String> lines() {
        return registry.requests.stream()
                .map(request -> request.method() + " " + request.path())
                .toList();
    }

    Answer get(String path) {
        return exchange.ask(new Call("GET", path, Map.of(), Optional.empty(), SCOPES));
    }

    int status(String method, String path, byte[] content) {
        Optional<Http.Content> sent = content.length == 0 ? Optional.empty() : Optional.of(content(content));
        Answer answer = exchange.ask(new Call(method, path, Map.of(), sent, SCOPES));
        exchange.done(answer);
        return answer.status();
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

    /// Answers whose content never ends: it is cut when the client has done with them.
    static final class Endless {
        private final AtomicInteger begun = new AtomicInteger();
        private final AtomicInteger cut = new AtomicInteger();

        void answer(OutputStream out, String status, String... headers) throws IOException {
            begun.incrementAndGet();
            ScriptedRegistry.head(out, status, headers);
            try {
                while (true) {
                    out.write(new byte[8192]);
                }
            } catch (IOException e) {
                cut.incrementAndGet();
            }
        }

        /// Waits until each of so many is cut.
        void awaitCut(int answers) {
            assertThat(begun).hasValue(answers);
            long end = System.nanoTime() + 20_000_000_000L;
            while (cut.get() < answers && System.nanoTime() < end) {
                LockSupport.parkNanos(1_000_000);
            }
            assertThat(cut).hasValue(answers);
        }
    }

    @Override
    public void close() throws IOException {
        exchange.close();
        registry.close();
    }
}
