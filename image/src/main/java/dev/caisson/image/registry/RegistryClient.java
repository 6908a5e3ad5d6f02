package dev.caisson.image.registry;

import dev.caisson.image.registry.Http.Answer;
import dev.caisson.image.registry.RegistryException.Code;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import dev.caisson.text.Quoted;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/// Reads from one registry by the OCI distribution specification 1.1: manifests and blobs. Nothing that it returns has
/// been compared with a digest. May be used by several threads.
///
/// It speaks https; plain http to this machine alone, when no https answers there. A login is sent to the registry and
/// to the token service of the same owner, never to where a redirect leads.
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
    private static final int MOST_REDIRECTS = 5;
    private static final int MOST_TRIES = 4;
    private static final int LONGEST_WAIT_SECONDS = 60;
    private static final Pattern RANGE = Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18}|\\*)");
    private static final Pattern SECONDS = Pattern.compile("\\d{1,4}");
    private static final Pattern ERROR_CODE = Pattern.compile("[A-Z_]{1,40}");
    private static final Json.Limits ERROR_LIMITS = new Json.Limits(1 << 16, 8, 200);

    private final Registry registry;
    private final Credentials credentials;
    private final Http http;
    private final Map<String, String> authorizations = new ConcurrentHashMap<>();
    private volatile URI base;

    /// @param registry host and port, as in an image's name: `docker.io`, `127.0.0.1:5000`
    public RegistryClient(String registry, Credentials credentials) {
        this.registry = new Registry(registry);
        this.credentials = credentials;
        this.http = new Http(this.registry);
        this.base = this.registry.base("https");
    }

    /// Reads a manifest.
    /// @param reference a tag, or a digest with its algorithm
    /// @param accepted media types
    /// @throws RegistryException in any of its codes
    public Document manifest(String repository, String reference, List<String> accepted) {
        String path = "/v2/" + repository + "/manifests/" + reference;
        Answer answer = ask(repository, path, Map.of("Accept", String.join(", ", accepted)));
        try {
            if (answer.status() != 200) {
                throw failure(answer, repository + ":" + reference);
            }
            byte[] content = answer.body().readNBytes(LARGEST_DOCUMENT + 1);
            if (content.length > LARGEST_DOCUMENT) {
                throw wrong("has a manifest of more than " + LARGEST_DOCUMENT + " bytes for " + repository);
            }
            String type = answer.header("Content-Type").orElse("");
            int parameters = type.indexOf(';');
            return new Document((parameters < 0 ? type : type.substring(0, parameters)).strip(), content);
        } catch (IOException e) {
            throw Http.unreachable(answer.from(), String.valueOf(e.getMessage()), e);
        } finally {
            http.done(answer);
        }
    }

    /// Begins to read a blob. The caller reads no more than the size that it expects, and closes it.
    /// @param digest with its algorithm
    /// @param from how many bytes are there already
    /// @throws RegistryException in any of its codes
    public Blob blob(String repository, String digest, long from) {
        Map<String, String> range = from == 0 ? Map.of() : Map.of("Range", "bytes=" + from + "-");
        Answer answer = ask(repository, "/v2/" + repository + "/blobs/" + digest, range);
        if (answer.status() == 200) {
            return new Blob(closing(answer), 0);
        }
        try {
            if (answer.status() == 206 && from > 0) {
                var told = RANGE.matcher(answer.header("Content-Range").orElse(""));
                if (!told.matches() || Long.parseLong(told.group(1)) != from) {
                    throw wrong("answers another range of " + digest + " than it was asked for");
                }
                return new Blob(closing(answer), from);
            }
            if (answer.status() == 416 && from > 0) {
                http.done(answer);
                return blob(repository, digest, 0);
            }
            throw failure(answer, digest + " of " + repository);
        } catch (RegistryException e) {
            http.done(answer);
            throw e;
        }
    }

    private InputStream closing(Answer answer) {
        return new FilterInputStream(answer.body()) {
            @Override
            public int read(byte[] bytes, int at, int count) throws IOException {
                return in.read(bytes, at, count);
            }

            @Override
            public void close() {
                http.done(answer);
            }
        };
    }

    // ---- one request, until it is answered

    private Answer ask(String repository, String path, Map<String, String> headers) {
        String scope = "repository:" + repository + ":pull";
        boolean hasAuthorized = false;
        for (int tries = 1; ; tries++) {
            Optional<String> authorization = Optional.ofNullable(authorizations.get(scope));
            Answer answer = follow(send(path, headers, authorization), headers, authorization);
            if (answer.status() == 401 && !hasAuthorized) {
                hasAuthorized = true;
                authorizations.put(scope, authorization(answer, scope));
            } else if (isBusy(answer.status()) && tries < MOST_TRIES) {
                pause(waitSeconds(answer, tries));
            } else {
                return answer;
            }
            http.done(answer);
        }
    }

    private Answer send(String path, Map<String, String> headers, Optional<String> authorization) {
        Map<String, String> all = with(headers, authorization);
        URI first = base;
        try {
            return http.get(first.resolve(path), all);
        } catch (SSLException e) {
            if (!registry.mayBePlain(first, authorization.isPresent())) {
                throw untrusted(first, e);
            }
        }
        base = registry.base("http");
        try {
            return http.get(base.resolve(path), all);
        } catch (SSLException e) {
            throw untrusted(base, e);
        }
    }

    private static Map<String, String> with(Map<String, String> headers, Optional<String> authorization) {
        var all = new LinkedHashMap<>(headers);
        authorization.ifPresent(value -> all.put("Authorization", value));
        return all;
    }

    /// Follows redirects. The authorization goes to the registry's own address alone.
    private Answer follow(Answer first, Map<String, String> headers, Optional<String> authorization) {
        Answer answer = first;
        for (int count = 0; isRedirect(answer.status()); count++) {
            URI from = answer.from();
            String location = answer.header("Location").orElse("");
            http.done(answer);
            if (count == MOST_REDIRECTS) {
                throw wrong("redirects more than " + MOST_REDIRECTS + " times");
            }
            URI to = target(from, location);
            boolean isOwn = to.getAuthority().equals(base.getAuthority())
                    && to.getScheme().equals(base.getScheme());
            try {
                answer = http.get(to, isOwn ? with(headers, authorization) : headers);
            } catch (SSLException e) {
                throw untrusted(to, e);
            }
            if (answer.status() == 401 && !isOwn) {
                http.done(answer);
                throw wrong("redirects to " + Quoted.of(to.getAuthority()) + ", which wants a login");
            }
        }
        return answer;
    }

    private URI target(URI from, String location) {
        URI to;
        try {
            to = from.resolve(location);
        } catch (IllegalArgumentException e) {
            throw wrong("redirects to what is no address");
        }
        NextAddress.fault(registry.isLoopback(), from, to).ifPresent(fault -> {
            throw wrong("redirects to " + fault);
        });
        return to;
    }

    private String authorization(Answer answer, String scope) {
        List<Challenge> challenges = Challenge.parse(answer.headers("WWW-Authenticate"));
        Optional<Login> login = credentials.login(registry.name());
        try {
            for (Challenge challenge : challenges) {
                if (challenge.scheme().equals("bearer")) {
                    return new TokenService(http, answer.from()).authorization(challenge, login, scope);
                }
            }
        } catch (SSLException e) {
            throw untrusted(answer.from(), e);
        }
        boolean isBasic =
                challenges.stream().anyMatch(challenge -> challenge.scheme().equals("basic"));
        if (isBasic && login.isPresent() && !login.orElseThrow().isIdentityToken()) {
            return login.orElseThrow().basic();
        }
        throw new RegistryException(
                Code.REGISTRY_UNAUTHORIZED,
                isBasic || challenges.isEmpty()
                        ? registry.name() + " wants a login: log in with docker login or skopeo login "
                                + registry.name()
                        : registry.name() + " wants a login of the kind "
                                + Quoted.of(challenges.getFirst().scheme())
                                + ", which is not known: copy the image with"
                                + " another tool");
    }

    // ---- answers that are none

    private static boolean isRedirect(int status) {
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    }

    private static boolean isBusy(int status) {
        return status == 429 || status == 502 || status == 503 || status == 504;
    }

    private static int waitSeconds(Answer answer, int tries) {
        String asked = answer.header("Retry-After").orElse("");
        int seconds = SECONDS.matcher(asked).matches() ? Integer.parseInt(asked) : 1 << (tries - 1);
        return Math.min(seconds, LONGEST_WAIT_SECONDS);
    }

    private void pause(int seconds) {
        try {
            Thread.sleep(seconds * 1000L);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Http.unreachable(base, "interrupted", e);
        }
    }

    private RegistryException failure(Answer answer, String what) {
        String code = errorCode(answer);
        String shown = "status " + answer.status() + (code.isEmpty() ? "" : ", " + code);
        return switch (answer.status()) {
            case 401, 403 ->
                new RegistryException(
                        Code.REGISTRY_UNAUTHORIZED,
                        registry.name() + " does not give " + what + " (" + shown
                                + "): it does not exist, or needs a login with docker login or skopeo login");
            case 404 ->
                new RegistryException(
                        Code.REGISTRY_NOT_FOUND,
                        registry.name() + " has no " + what + " (" + shown + "): look at the image's name and tag");
            case 429 ->
                new RegistryException(
                        Code.REGISTRY_BUSY,
                        registry.name() + " takes no more requests for now (" + shown
                                + "): try again later, or log in");
            default -> wrong("answers with " + shown + " when asked for " + what);
        };
    }

    /// The first code of the specification's error list, which is of fixed words and shows nothing of a request.
    private static String errorCode(Answer answer) {
        try {
            byte[] content = answer.body().readNBytes(ERROR_LIMITS.characters());
            if (Json.parse(content, ERROR_LIMITS) instanceof Map<?, ?> map
                    && map.get("errors") instanceof List<?> errors
                    && !errors.isEmpty()
                    && errors.getFirst() instanceof Map<?, ?> error
                    && error.get("code") instanceof String code
                    && ERROR_CODE.matcher(code).matches()) {
                return code;
            }
        } catch (IOException | MalformedJsonException e) {
            // the status alone is told
        }
        return "";
    }

    private RegistryException wrong(String what) {
        return new RegistryException(
                Code.REGISTRY_ANSWER, "the registry " + registry.name() + " " + what + ": tell whoever runs it");
    }

    private static RegistryException untrusted(URI address, SSLException cause) {
        return new RegistryException(
                Code.REGISTRY_UNTRUSTED,
                "no safe connection to " + address.getAuthority() + " (" + cause.getMessage()
                        + "); if it has an authority of its own, put its certificate into /etc/docker/certs.d/"
                        + address.getAuthority() + "/ca.crt",
                cause);
    }

    @Override
    public void close() {
        http.close();
    }
}
