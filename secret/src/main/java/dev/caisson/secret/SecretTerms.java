package dev.caisson.secret;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// All that a new secret has but its value.
///
/// @param labels by key
/// @param lifetime after which a version is no longer handed out
/// @param access which containers may be given it
/// @param source that it is bound to; empty if the store alone has its value
public record SecretTerms(
        Map<String, String> labels, Optional<Duration> lifetime, SecretAccess access, Optional<BoundSource> source) {
    /// For every container, without end, with a value that the store alone has.
    public static final SecretTerms USUAL =
            new SecretTerms(Map.of(), Optional.empty(), SecretAccess.ANY, Optional.empty());

    /// @throws SecretException SECRET_INVALID
    public SecretTerms {
        SecretLabels.require(labels);
        labels = Map.copyOf(labels);
    }
}
