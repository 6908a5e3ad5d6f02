package dev.caisson.image.registry;

import dev.caisson.image.registry.Exchange.Call;
import dev.caisson.image.registry.Http.Answer;
import dev.caisson.image.registry.RegistryException.Code;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Speaks with one registry by the OCI distribution specification 1.1: manifests and blobs. Nothing that it
/// returns has been compared with a digest. May be used by several threads.
///
/// It speaks https; plain http to this machine alone, when no https answers there. A login is sent to the registry
/// and to the token service of the same owner, never to where a redirect leads.
public final class RegistryClient implements AutoCloseable {
    /// A manifest or an index as it came.
    public static final class Document {
        private final String mediaType;
        private final byte[] content;

        Document(String mediaType, byte[] content) {
            this.mediaType = mediaType;
            this.content = content;
        }

        /// Returns what the registry calls it.
        public String mediaType() {
            return mediaType;
        }

        public byte[] content() {
            return content.clone();
        }
    }

    /// A blob from some byte on.
    ///
    /// @param from the first byte that comes: what was asked for, or 0 if the registry has no ranges
    public record Blob(InputStream content, long from) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            content.close();
        }
    }

    private static final int LARGEST_DOCUMENT = 4 << 20;
    private static final Pattern RANGE = Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18}|\\*)");

    private final Exchange exchange;

    /// @param registry host and port, as in an image's name: `docker.io`, `127.0.0.1:5000`
    public RegistryClient(String registry, Credentials credentials) {
        this(registry, credentials, RegistrySettings.ofHost());
    }

    /// @param registry host and port, as in an image's name: `docker.io`, `127.0.0.1:5000`
    public RegistryClient(String registry, Credentials credentials, RegistrySettings settings) {
        this(new Exchange(registry, credentials, settings));
    }

    RegistryClient(Exchange exchange) {
        this.exchange = exchange;
    }

    /// Returns the same registry, to store in one of its repositories.
    public RegistryUpload upload(String repository) {
        return new RegistryUpload(exchange, repository);
    }

    /// Finds out whether the registry takes the login.
    /// @throws RegistryException REGISTRY_UNAUTHORIZED if not, or any other of its codes
    public void checkLogin() {
        Answer answer = exchange.ask(new Call("GET", "/v2/", Map.of(), Optional.empty(), List.of()));
        try {
            if (answer.status() == 401 || answer.status() == 403) {
                throw new RegistryException(
                        Code.REGISTRY_UNAUTHORIZED,
                        exchange.name() + " refuses this user and password: look at both, and at the registry's name");
            }
            if (answer.status() != 200) {
                throw exchange.failure(answer, "take", "this login");
            }
        } finally {
            exchange.done(answer);
        }
    }

    /// Reads a manifest.
    /// @param reference a tag, or a digest with its algorithm
    /// @param accepted media types
    /// @throws RegistryException in any of its codes
    public Document manifest(String repository, String reference, List<String> accepted) {
        String path = "/v2/" + repository + "/manifests/" + reference;
        Answer answer = read(repository, path, Map.of("Accept", String.join(", ", accepted)));
        try {
            if (answer.status() != 200) {
                throw exchange.failure(
                        answer, "give", repository + (reference.indexOf(':') < 0 ? ":" : "@") + reference);
            }
            byte[] content = answer.body().readNBytes(LARGEST_DOCUMENT + 1);
            if (content.length > LARGEST_DOCUMENT) {
                throw exchange.wrong("has a manifest of more than " + LARGEST_DOCUMENT + " bytes for " + repository);
            }
            String type = answer.header("Content-Type").orElse("");
            int parameters = type.indexOf(';');
            return new Document((parameters < 0 ? type : type.substring(0, parameters)).strip(), content);
        } catch (IOException e) {
            throw Http.unreachable(answer.from(), Http.reason(e), e);
        } finally {
            exchange.done(answer);
        }
    }

    /// Begins to read a blob. The caller reads no more than the size that it expects, and closes it.
    /// @param digest with its algorithm
    /// @param from how many bytes are there already
    /// @throws RegistryException in any of its codes
    public Blob blob(String repository, String digest, long from) {
        Map<String, String> range = from == 0 ? Map.of() : Map.of("Range", "bytes=" + from + "-");
        Answer answer = read(repository, "/v2/" + repository + "/blobs/" + digest, range);
        if (answer.status() == 200) {
            return new Blob(closing(answer), 0);
        }
        try {
            if (answer.status() == 206 && from > 0) {
                var told = RANGE.matcher(answer.header("Content-Range").orElse(""));
                if (!told.matches() || Long.parseLong(told.group(1)) != from) {
                    throw exchange.wrong("answers another range of " + digest + " than it was asked for");
                }
                return new Blob(closing(answer), from);
            }
            if (answer.status() == 416 && from > 0) {
                exchange.done(answer);
                return blob(repository, digest, 0);
            }
            throw exchange.failure(answer, "give", digest + " of " + repository);
        } catch (RegistryException e) {
            exchange.done(answer);
            throw e;
        }
    }

    private Answer read(String repository, String path, Map<String, String> headers) {
        return exchange.ask(
                new Call("GET", path, headers, Optional.empty(), List.of("repository:" + repository + ":pull")));
    }

    private InputStream closing(Answer answer) {
        return new FilterInputStream(answer.body()) {
            @Override
            public int read(byte[] bytes, int at, int count) throws IOException {
                return in.read(bytes, at, count);
            }

            @Override
            public void close() {
                exchange.done(answer);
            }
        };
    }

    @Override
    public void close() {
        exchange.close();
    }
}
