package dev.caisson.image.registry;

import dev.caisson.image.registry.Http.Answer;
import dev.caisson.image.registry.RegistryException.Code;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import dev.caisson.text.Quoted;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/// Asks one registry until it answers: by https, or by plain http if it is this machine or the host's settings say so;
/// with a login if it wants
/// one; at another address if it redirects; later if it is busy. The login goes to the registry's own address and
/// to the token service of the same owner alone. May be used by several threads.
final class Exchange implements AutoCloseable {
    /// A request.
    ///
    /// @param target a path of the registry, or a whole address that it has led to
    /// @param content empty for none
    /// @param scopes what is wanted, in the words of the token specification
    record Call(
            String method,
            String target,
            Map<String, String> headers,
            Optional<Http.Content> content,
            List<String> scopes) {
        boolean isReading() {
            return method.equals("GET") || method.equals("HEAD");
        }
    }

    /// Waits.
    @FunctionalInterface
    interface Patience {
        void await(int seconds) throws InterruptedException;
    }

    private static final int MOST_REDIRECTS = 5;
    private static final int MOST_TRIES = 4;
    private static final int LONGEST_WAIT_SECONDS = 60;
    private static final Pattern SECONDS = Pattern.compile("\\d{1,4}");
    private static final Pattern ERROR_CODE = Pattern.compile("[A-Z_]{1,40}");
    private static final Json.Limits ERROR_LIMITS = new Json.Limits(1 << 16, 8, 200);

    private final Registry registry;
    private final Credentials credentials;
    private final Http http;
    private final Patience patience;
    private final Map<String, String> authorizations = new ConcurrentHashMap<>();
    private volatile URI base;

    /// @param name host and port, as in an image's name
    Exchange(String name, Credentials credentials, RegistrySettings settings) {
        this(name, credentials, new Http(new Registry(name)), Exchange::sleep, settings.isPlain(name));
    }

    Exchange(String name, Credentials credentials, Http http, Patience patience) {
        this(name, credentials, http, patience, false);
    }

    /// @param isPlain whether it is asked by http, and by nothing else
    Exchange(String name, Credentials credentials, Http http, Patience patience, boolean isPlain) {
        this.registry = new Registry(name);
        this.credentials = credentials;
        this.http = http;
        this.patience = patience;
        this.base = registry.base(isPlain ? "http" : "https");
    }

    /// Returns the registry's name.
    String name() {
        return registry.name();
    }

    /// Forgets an answer that has been read.
    void done(Answer answer) {
        http.done(answer);
    }

    Answer ask(Call call) {
        String scopes = String.join(" ", call.scopes());
        boolean hasAuthorized = false;
        for (int tries = 1; ; tries++) {
            Optional<String> authorization = Optional.ofNullable(authorizations.get(scopes));
            Answer answer = follow(send(call, authorization), call, authorization);
            if (answer.status() == 401 && !hasAuthorized) {
                hasAuthorized = true;
                authorizations.put(scopes, authorization(answer, call.scopes()));
            } else if (isBusy(answer.status(), call) && tries < MOST_TRIES) {
                pause(waitSeconds(answer, tries));
            } else {
                return answer;
            }
            http.done(answer);
        }
    }

    private Answer send(Call call, Optional<String> authorization) {
        if (!call.target().startsWith("/")) {
            URI address = URI.create(call.target());
            try {
                return send(call, address, isOwn(address) ? authorization : Optional.empty());
            } catch (SSLException e) {
                throw untrusted(address, e);
            }
        }
        URI first = base;
        try {
            return send(call, first.resolve(call.target()), authorization);
        } catch (SSLException e) {
            if (!registry.mayBePlain(first, authorization.isPresent())) {
                throw untrusted(first, e);
            }
        }
        base = registry.base("http");
        try {
            return send(call, base.resolve(call.target()), authorization);
        } catch (SSLException e) {
            throw untrusted(base, e);
        }
    }

    private Answer send(Call call, URI address, Optional<String> authorization) throws SSLException {
        var headers = new LinkedHashMap<>(call.headers());
        authorization.ifPresent(value -> headers.put("Authorization", value));
        return http.send(call.method(), address, headers, call.content());
    }

    private boolean isOwn(URI address) {
        return address.getAuthority().equals(base.getAuthority())
                && address.getScheme().equals(base.getScheme());
    }

    /// Follows redirects. The authorization goes to the registry's own address alone; content goes on only where
    /// the answer says that the same request is to be made again (RFC 9110, 15.4).
    private Answer follow(Answer first, Call call, Optional<String> authorization) {
        Answer answer = first;
        for (int count = 0; isRedirect(answer.status()); count++) {
            URI from = answer.from();
            String location = answer.header("Location").orElse("");
            int status = answer.status();
            http.done(answer);
            if (count == MOST_REDIRECTS) {
                throw wrong("redirects more than " + MOST_REDIRECTS + " times");
            }
            if (!call.isReading() && status != 307 && status != 308) {
                throw wrong("redirects what is to be stored, with status " + status);
            }
            URI to = next(from, location);
            try {
                answer = send(call, to, isOwn(to) ? authorization : Optional.empty());
            } catch (SSLException e) {
                throw untrusted(to, e);
            }
            if (answer.status() == 401 && !isOwn(to)) {
                http.done(answer);
                throw wrong("redirects to " + Quoted.of(to.getAuthority()) + ", which wants a login");
            }
        }
        return answer;
    }

    /// Returns an address that the registry leads to.
    /// @throws RegistryException REGISTRY_ANSWER if it must not be asked
    URI next(URI from, String location) {
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

    private String authorization(Answer answer, List<String> scopes) {
        List<Challenge> challenges = Challenge.parse(answer.headers("WWW-Authenticate"));
        Optional<Login> login = credentials.login(registry.name());
        if (login.isPresent() && !registry.mayHaveLogin(answer.from())) {
            throw new RegistryException(
                    Code.REGISTRY_UNAUTHORIZED,
                    registry.name() + " wants a login and speaks plain http, by which anybody on the way would read it:"
                            + " take it off plain-http and let it speak https, or use 'caisson logout "
                            + registry.name() + "'");
        }
        try {
            for (Challenge challenge : challenges) {
                if (challenge.scheme().equals("bearer")) {
                    return new TokenService(http, answer.from()).authorization(challenge, login, scopes);
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
                        ? registry.name() + " wants a login: log in with 'caisson login " + registry.name() + "'"
                        : registry.name() + " wants a login of the kind "
                                + Quoted.of(challenges.getFirst().scheme())
                                + ", which is not known: copy the image with"
                                + " another tool");
    }

    // ---- answers that are none

    private static boolean isRedirect(int status) {
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    }

    /// A part of a blob that met a failure may be there all the same: whoever sends it looks.
    private static boolean isBusy(int status, Call call) {
        if (status != 429 && call.method().equals("PATCH")) {
            return false;
        }
        return status == 429 || status == 502 || status == 503 || status == 504;
    }

    private static int waitSeconds(Answer answer, int tries) {
        String asked = answer.header("Retry-After").orElse("");
        int seconds = SECONDS.matcher(asked).matches() ? Integer.parseInt(asked) : 1 << (tries - 1);
        return Math.min(seconds, LONGEST_WAIT_SECONDS);
    }

    void pause(int seconds) {
        try {
            patience.await(seconds);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Http.unreachable(base, "interrupted", e);
        }
    }

    private static void sleep(int seconds) throws InterruptedException {
        Thread.sleep(Duration.ofSeconds(seconds));
    }

    /// Makes an error of an answer.
    /// @param verb what it does not do: `give`, `take`
    RegistryException failure(Answer answer, String verb, String what) {
        String code = errorCode(answer);
        String shown = "status " + answer.status() + (code.isEmpty() ? "" : ", " + code);
        return switch (answer.status()) {
            case 401, 403 ->
                new RegistryException(
                        Code.REGISTRY_UNAUTHORIZED,
                        registry.name() + " does not " + verb + " " + what + " (" + shown
                                + "): it does not exist, or needs another login: see 'caisson login'");
            case 404 ->
                new RegistryException(
                        Code.REGISTRY_NOT_FOUND,
                        registry.name() + " has no " + what + " (" + shown + "): look at the image's name and tag");
            case 429 ->
                new RegistryException(
                        Code.REGISTRY_BUSY,
                        registry.name() + " takes no more requests for now (" + shown
                                + "): try again later, or log in");
            default -> wrong("answers with " + shown + " when asked to " + verb + " " + what);
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

    RegistryException wrong(String what) {
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
