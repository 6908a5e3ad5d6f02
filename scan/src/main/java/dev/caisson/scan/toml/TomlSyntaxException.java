package dev.caisson.scan.toml;

import dev.caisson.error.CodedException;
import dev.caisson.error.ErrorCode;
import java.io.Serial;

/// A document that is not in the part of TOML that is read here.
public final class TomlSyntaxException extends CodedException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// The only reason.
    public enum Code implements ErrorCode {
        TOML_INVALID
    }

    TomlSyntaxException(int line, String problem) {
        super(Code.TOML_INVALID, "line " + line + ": " + problem);
    }
}
