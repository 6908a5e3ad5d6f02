package dev.caisson.image.registry;

import dev.caisson.image.registry.RegistryException.Code;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import dev.caisson.text.Quoted;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.net.ssl.SSLException;

/// Gets tokens of the service that a registry names in its challenge, as the distribution project's token
/// specification says. A login goes to a service of the registry's own owner only.
final class TokenService {
    private static final Json.Limits LIMITS = new Json.Limits(1 << 20, 8, 1000);
    private static final int LARGEST_ANSWER = 1 << 20;
    /// What a header can carry.
    private static final Pattern TOKEN = Pattern.compile("[!-~]{1,65536}");

    private final Http http;
    private final URI registry;

    /// @param registry the address that gave the challenge
    TokenService(Http http, URI registry) {
        this.http = http;
        this.registry = registry;
    }

    /// Returns the value of an `Authorization` header.
    /// @param scopes `repository:NAME:pull`; none for the login alone
    String authorization(Challenge challenge, Optional<Login> login, List<String> scopes) throws SSLException {
        URI realm = realm(challenge);
        if (login.isPresent() && !Registry.isRelated(Registry.host(registry), Registry.host(realm))) {
            throw new RegistryException(
                    Code.REGISTRY_ANSWER,
                    registry.getAuthority() + " wants the login to be sent to " + Quoted.of(realm.getHost())
                            + ", which is of another owner; log out of it to pull without a login");
        }
        var fields = new LinkedHashMap<String, String>();
        challenge.parameter("service").ifPresent(service -> fields.put("service", service));
        Http.Answer answer;
        if (login.isPresent() && login.orElseThrow().isIdentityToken()) {
            if (!scopes.isEmpty()) {
                fields.put("scope", String.join(" ", scopes));
            }
            fields.put("grant_type", "refresh_token");
            fields.put("client_id", "caisson");
            fields.put("refresh_token", login.orElseThrow().secret());
            answer = http.post(realm, form(fields));
        } else {
            Map<String, String> headers =
                    login.map(it -> Map.of("Authorization", it.basic())).orElse(Map.of());
            String query = realm.getRawQuery() == null ? "" : realm.getRawQuery() + "&";
            String wanted = scopes.stream()
                    .map(scope -> "&scope=" + URLEncoder.encode(scope, StandardCharsets.UTF_8))
                    .collect(Collectors.joining());
            answer = http.get(withQuery(realm, query + form(fields) + wanted), headers);
        }
        try {
            return "Bearer " + token(realm, answer);
        } finally {
            http.done(answer);
        }
    }

    private URI realm(Challenge challenge) {
        URI realm;
        try {
            realm = URI.create(challenge.parameter("realm").orElse(""));
        } catch (IllegalArgumentException e) {
            throw refused("what is no address");
        }
        boolean isHere = Registry.isLoopbackName(Registry.host(registry));
        NextAddress.fault(isHere, registry, realm).ifPresent(fault -> {
            throw refused(fault);
        });
        return realm;
    }

    private RegistryException refused(String where) {
        return new RegistryException(
                Code.REGISTRY_ANSWER,
                registry.getAuthority() + " sends for a token to " + where + ": tell whoever runs the registry");
    }

    private String token(URI realm, Http.Answer answer) {
        if (answer.status() == 401 || answer.status() == 403) {
            throw new RegistryException(
                    Code.REGISTRY_UNAUTHORIZED,
                    realm.getAuthority() + " refuses the login for " + registry.getAuthority()
                            + "; log in again with 'caisson login'");
        }
        try {
            byte[] content = answer.body().readNBytes(LARGEST_ANSWER);
            if (answer.status() == 200 && Json.parse(content, LIMITS) instanceof Map<?, ?> map) {
                Object token = map.get("token") == null ? map.get("access_token") : map.get("token");
                if (token instanceof String text && TOKEN.matcher(text).matches()) {
                    return text;
                }
            }
        } catch (IOException e) {
            throw Http.unreachable(realm, "its answer was cut", e);
        } catch (MalformedJsonException e) {
            // its sentence may quote the token
        }
        throw new RegistryException(
                Code.REGISTRY_ANSWER,
                realm.getAuthority() + " gave no token (status " + answer.status() + "); try again later");
    }

    private static URI withQuery(URI realm, String query) {
        String path = realm.getRawPath() == null ? "" : realm.getRawPath();
        return URI.create(realm.getScheme() + "://" + realm.getRawAuthority() + path + "?" + query);
    }

    private static String form(Map<String, String> fields) {
        return fields.entrySet().stream()
                .map(field -> field.getKey() + "=" + URLEncoder.encode(field.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
    }
}
