package dev.caisson.scan.token;

import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;

/// A JSON web token by its structure, RFC 7519. Its signature is not checked.
/// @param algorithm as the header has it
/// @param expires when it does, if it says so
public record JsonWebToken(String algorithm, Optional<Instant> expires) {
    private static final int MOST_BYTES = 16 * 1024;
    private static final long MOST_SECONDS = 253_402_300_799L;

    /// Returns the token; empty if header or payload are no JSON objects or no algorithm is named.
    public static Optional<JsonWebToken> parse(String text) {
        String[] parts = text.split("\\.", -1);
        if (parts.length < 3 || text.length() > MOST_BYTES) {
            return Optional.empty();
        }
        Optional<Map<?, ?>> header = object(parts[0]);
        Optional<Map<?, ?>> payload = object(parts[1]);
        if (header.isEmpty() || payload.isEmpty() || !(header.get().get("alg") instanceof String algorithm)) {
            return Optional.empty();
        }
        return Optional.of(new JsonWebToken(
                algorithm,
                payload.get().get("exp") instanceof Number seconds
                                && seconds.doubleValue() > 0
                                && seconds.doubleValue() < MOST_SECONDS
                        ? Optional.of(Instant.ofEpochSecond(seconds.longValue()))
                        : Optional.empty()));
    }

    private static Optional<Map<?, ?>> object(String part) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(part);
            return Json.parse(new String(bytes, StandardCharsets.UTF_8)) instanceof Map<?, ?> map
                    ? Optional.of(map)
                    : Optional.empty();
        } catch (IllegalArgumentException | MalformedJsonException e) {
            return Optional.empty();
        }
    }
}
