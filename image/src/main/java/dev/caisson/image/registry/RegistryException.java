package dev.caisson.image.registry;

import dev.caisson.error.CodedException;
import dev.caisson.error.ErrorCode;
import java.io.Serial;

/// A registry that did not give what was asked for.
public final class RegistryException extends CodedException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// The kind of failure. The names are stable: programs may compare them.
    public enum Code implements ErrorCode {
        /// No connection, or one that ended or stalled within an answer.
        REGISTRY_UNREACHABLE(502),
        /// A certificate that does not prove that the registry is the one that was named.
        REGISTRY_UNTRUSTED(502),
        /// The registry wants a user and password, or refuses those that it got.
        REGISTRY_UNAUTHORIZED(401),
        /// The registry has no such repository, tag or content.
        REGISTRY_NOT_FOUND(404),
        /// Too many requests, still after the time that the registry asked to wait.
        REGISTRY_BUSY(429),
        /// An answer that breaks the protocol, or that would lead somewhere it must not.
        REGISTRY_ANSWER(502),
        /// The host's settings for registries cannot be used.
        REGISTRY_SETTINGS(500),
        /// Docker's configuration file or a credential helper cannot be used.
        CREDENTIALS_UNREADABLE(400),
        /// A login cannot be kept, or forgotten.
        CREDENTIALS_NOT_WRITTEN(500);

        private final int httpStatus;

        Code(int httpStatus) {
            this.httpStatus = httpStatus;
        }

        @Override
        public int httpStatus() {
            return httpStatus;
        }
    }

    RegistryException(Code reason, String sentence) {
        super(reason, sentence);
    }

    RegistryException(Code reason, String sentence, Throwable cause) {
        super(reason, sentence, cause);
    }

    /// Returns an error about content that has stopped coming, again and again.
    public static RegistryException cut(Exception cause) {
        return new RegistryException(
                Code.REGISTRY_UNREACHABLE,
                "the registry does not give all of a part (" + Http.reason(cause)
                        + "): try again, what has come is kept",
                cause);
    }

    @Override
    public Code reason() {
        return (Code) super.reason();
    }
}
