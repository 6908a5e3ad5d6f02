package dev.caisson.spec;

import dev.caisson.error.CaissonException;
import java.io.Serial;

/// A specification that was written down and cannot be read back: SPEC_UNREADABLE, or SPEC_TOO_NEW where a
/// later version of Caisson wrote it.
public final class SpecException extends CaissonException {
    @Serial
    private static final long serialVersionUID = 1L;

    private static final int BAD_REQUEST = 400;

    SpecException(String code, String sentence) {
        super(code, sentence);
    }

    SpecException(String code, String sentence, Throwable cause) {
        super(code, sentence, cause);
    }

    @Override
    public int httpStatus() {
        return BAD_REQUEST;
    }
}
