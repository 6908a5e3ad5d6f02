package dev.caisson.image.registry;

import dev.caisson.image.registry.RegistryException.Code;
import dev.caisson.text.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;

/// Requests of one registry and what it redirects to. Follows no redirect by itself, and gives up on an answer that
/// stalls.
final class Http implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(15);
    private static final Duration HEADERS = Duration.ofSeconds(60);
    /// Until a request is answered whose content is a part of a blob.
    private static final Duration CONTENT = Duration.ofMinutes(15);

    private static final String AGENT = "caisson";

    /// An answer whose content is still to be read.
    record Answer(URI from, int status, HttpResponse<InputStream> response, Body body) {
        Optional<String> header(String name) {
            return response.headers().firstValue(name);
        }

        List<String> headers(String name) {
            return response.headers().allValues(name);
        }

        void discard() {
            try {
                body.close();
            } catch (IOException e) {
                // nothing of it is wanted
            }
        }
    }

    private final HttpClient client;
    private final LongSupplier clock;
    private final Set<Body> bodies = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("caisson-registry").factory());

    Http(Registry registry) {
        this(Trust.of(registry.name()), System::nanoTime);
    }

    /// @param clock nanoseconds, from any beginning
    Http(SSLContext trust, LongSupplier clock) {
        this.clock = clock;
        this.client = HttpClient.newBuilder()
                .connectTimeout(CONNECT)
                .followRedirects(HttpClient.Redirect.NEVER)
                .sslContext(trust)
                .build();
        var _ = watch.scheduleAtFixedRate(this::check, 1, 1, TimeUnit.SECONDS);
    }

    /// Gives up on answers that have stalled.
    void check() {
        bodies.forEach(Body::check);
    }

    /// The content of a request, which may be read several times.
    interface Content {
        long size();

        /// Opens it from its beginning.
        InputStream open();
    }

    /// Sends a request.
    /// @param content empty for none
    /// @throws SSLException as [#get]
    Answer send(String method, URI address, Map<String, String> headers, Optional<Content> content)
            throws SSLException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address);
        headers.forEach(request::header);
        long size = content.map(Content::size).orElse(0L);
        if (size == 0) {
            return send(request.method(method, HttpRequest.BodyPublishers.noBody()), HEADERS);
        }
        Content sent = content.orElseThrow();
        request.version(HttpClient.Version.HTTP_1_1); // what is asked to change the protocol may lose the content
        var publisher =
                HttpRequest.BodyPublishers.fromPublisher(HttpRequest.BodyPublishers.ofInputStream(sent::open), size);
        return send(request.method(method, publisher), CONTENT);
    }

    /// Sends a request without content.
    /// @throws SSLException if there is no TLS, or a certificate that is not trusted
    /// @throws RegistryException REGISTRY_UNREACHABLE
    Answer get(URI address, Map<String, String> headers) throws SSLException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address).GET();
        headers.forEach(request::header);
        return send(request, HEADERS);
    }

    /// Sends a form.
    Answer post(URI address, String form) throws SSLException {
        return send(
                HttpRequest.newBuilder(address)
                        .header("Content-Type", "application/x-www-form-urlencoded")
                        .POST(HttpRequest.BodyPublishers.ofString(form)),
                HEADERS);
    }

    private Answer send(HttpRequest.Builder builder, Duration patience) throws SSLException {
        HttpRequest request =
                builder.header("User-Agent", AGENT).timeout(patience).build();
        URI address = request.uri();
        try {
            HttpResponse<InputStream> response = client.send(request, BodyHandlers.ofInputStream());
            Body body = new Body(response.body(), clock);
            bodies.add(body);
            return new Answer(address, response.statusCode(), response, body);
        } catch (SSLException e) {
            throw e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unreachable(address, "interrupted", e);
        } catch (HttpTimeoutException e) {
            throw unreachable(address, "no answer in time", e);
        } catch (ConnectException e) {
            boolean isUnknown = e.getCause() instanceof UnresolvedAddressException;
            throw unreachable(address, isUnknown ? "its name has no address" : "no connection", e);
        } catch (IOException e) {
            if (e.getCause() instanceof SSLException cause) {
                throw cause;
            }
            throw unreachable(address, isCut(e) ? "its answer was cut" : reason(e), e);
        } catch (IllegalArgumentException e) { // a header that the client reads as a number and is none
            throw new RegistryException(
                    Code.REGISTRY_ANSWER,
                    address.getAuthority() + " gave an answer that cannot be read (" + reason(e) + "); try again later",
                    e);
        }
    }

    /// The client tells of a connection that ends before the first byte of a body here, and of one that ends later to
    /// whoever reads the body.
    private static boolean isCut(IOException e) {
        return String.valueOf(e.getMessage()).contains("bytes received");
    }

    /// Returns what the client says of an answer, quoted: it repeats text of the other side.
    static String reason(Exception failure) {
        Throwable cause = failure;
        for (int depth = 0; cause.getCause() != null && depth < 8; depth++) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null ? "it is no answer of HTTP" : Quoted.of(cause.getMessage());
    }

    /// Forgets a body that has been read.
    void done(Answer answer) {
        bodies.remove(answer.body());
        answer.discard();
    }

    static RegistryException unreachable(URI address, String why, Exception cause) {
        return new RegistryException(
                Code.REGISTRY_UNREACHABLE,
                "the registry at " + address.getAuthority() + " cannot be reached (" + why
                        + "); look at its name, its port and this host's network, then try again",
                cause);
    }

    @Override
    public void close() {
        watch.shutdownNow();
        client.shutdownNow();
    }
}
