package dev.caisson.secret;

import java.time.Instant;
import java.util.Optional;

/// One value that a secret has or had.
///
/// @param number from 1 up; never used again while the secret exists
/// @param expires no longer handed out from then on
/// @param digest SHA-256 of its encrypted file, in hexadecimal digits
public record SecretVersion(int number, Instant created, Optional<Instant> expires, String digest) {
    public boolean isExpired(Instant now) {
        return expires.isPresent() && !now.isBefore(expires.get());
    }
}
