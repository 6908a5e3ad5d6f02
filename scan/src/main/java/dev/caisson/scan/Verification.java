package dev.caisson.scan;

import dev.caisson.scan.token.AwsKeyId;
import dev.caisson.scan.token.CheckDigits;
import dev.caisson.scan.token.JsonWebToken;
import dev.caisson.scan.token.PrivateKeyBlock;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/// What is checked of a value beyond its form.
enum Verification {
    FORM {
        @Override
        Optional<Judgement> judge(String value, Instant now) {
            return Optional.of(new Judgement(Confidence.LIKELY, "it has the issuer's form"));
        }
    },
    WEAK_FORM {
        @Override
        Optional<Judgement> judge(String value, Instant now) {
            return Optional.of(new Judgement(Confidence.POSSIBLE, "it has the form, which other values may have too"));
        }
    },
    CRC_BASE62 {
        @Override
        Optional<Judgement> judge(String value, Instant now) {
            return Optional.of(
                    CheckDigits.endsInBase62(value)
                            ? new Judgement(Confidence.CERTAIN, "its check digits are right")
                            : new Judgement(Confidence.POSSIBLE, "it has the form, but its check digits are wrong"));
        }
    },
    CRC_HEX {
        @Override
        Optional<Judgement> judge(String value, Instant now) {
            return Optional.of(
                    CheckDigits.endsInHexadecimal(value)
                            ? new Judgement(Confidence.CERTAIN, "its check digits are right")
                            : new Judgement(Confidence.POSSIBLE, "it has the form, but its check digits are wrong"));
        }
    },
    AWS_ID {
        @Override
        Optional<Judgement> judge(String value, Instant now) {
            return AwsKeyId.account(value)
                    .map(account -> new Judgement(Confidence.POSSIBLE, "it names the account " + account));
        }
    },
    JWT {
        @Override
        Optional<Judgement> judge(String value, Instant now) {
            return JsonWebToken.parse(value)
                    .map(token -> token.expires().filter(now::isAfter).isPresent()
                            ? new Judgement(Confidence.UNLIKELY, "it has expired")
                            : new Judgement(
                                    Confidence.LIKELY,
                                    token.expires().isPresent()
                                            ? "its parts are valid and it has not expired"
                                            : "its parts are valid and it never expires"));
        }
    },
    PEM {
        @Override
        Optional<Judgement> judge(String value, Instant now) {
            return PrivateKeyBlock.parse(value)
                    .map(key -> key.encrypted()
                            ? new Judgement(Confidence.LIKELY, "it parses as an encrypted " + key.kind())
                            : new Judgement(Confidence.CERTAIN, "it parses as an unencrypted " + key.kind()));
        }
    },
    PASSWORD {
        @Override
        Optional<Judgement> judge(String value, Instant now) {
            String plain = value.toLowerCase(Locale.ROOT).replaceAll("^[^a-z0-9]+|[^a-z0-9]+$", "");
            // the user's name, and words of documentation
            boolean word = plain.matches("[a-z]{1,8}|pass(?:word)?\\d*|passwd|secret|token|\\d{0,6}|.*\\\\.*");
            return word
                    ? Optional.empty()
                    : Optional.of(new Judgement(Confidence.POSSIBLE, "a password stands in clear text"));
        }
    };

    /// Judges a value that has its rule's form; empty if it is no secret.
    abstract Optional<Judgement> judge(String value, Instant now);

    /// Returns the verification of a name as in files of rules, such as `crc-base62`.
    static Optional<Verification> named(String name) {
        for (Verification verification : values()) {
            if (verification.name().equals(name.toUpperCase(Locale.ROOT).replace('-', '_'))) {
                return Optional.of(verification);
            }
        }
        return Optional.empty();
    }
}
