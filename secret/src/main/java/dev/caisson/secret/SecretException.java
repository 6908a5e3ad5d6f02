package dev.caisson.secret;

import dev.caisson.error.CodedException;
import dev.caisson.error.ErrorCode;
import java.io.Serial;

/// A store of secrets that cannot be used, or does not allow what was asked for. No message holds a value.
public final class SecretException extends CodedException {
    /// The kinds of failure.
    public enum Code implements ErrorCode {
        /// A name, label, option or value is not allowed.
        SECRET_INVALID(400),
        /// There is no secret, or no version, of that name.
        SECRET_UNKNOWN(404),
        SECRET_EXISTS(409),
        SECRET_EXPIRED(409),
        /// The container is none of those that the secret is for.
        SECRET_DENIED(403),
        /// A place outside of the store gave no value.
        SECRET_SOURCE(502),
        /// There is no store in the directory.
        SECRET_STORE_MISSING(404),
        SECRET_STORE_EXISTS(409),
        /// The store's identity could not be unwrapped: no key, or the wrong one.
        SECRET_LOCKED(423),
        /// Another process has had the store's lock for too long.
        SECRET_BUSY(503),
        /// A file differs from what the store wrote, or others may read or write it.
        SECRET_TAMPERED(500),
        /// A file could not be read or written.
        SECRET_STORAGE(500);

        private final int status;

        Code(int status) {
            this.status = status;
        }

        @Override
        public int httpStatus() {
            return status;
        }
    }

    @Serial
    private static final long serialVersionUID = 1L;

    SecretException(Code code, String sentence) {
        super(code, sentence);
    }

    SecretException(Code code, String sentence, Throwable cause) {
        super(code, sentence, cause);
    }

    static SecretException invalid(String sentence) {
        return new SecretException(Code.SECRET_INVALID, sentence);
    }

    static SecretException tampered(String sentence) {
        return new SecretException(Code.SECRET_TAMPERED, sentence);
    }
}
