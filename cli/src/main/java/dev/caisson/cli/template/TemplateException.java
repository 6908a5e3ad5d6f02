package dev.caisson.cli.template;

import dev.caisson.error.CaissonException;
import java.io.Serial;

/// A template that cannot be parsed, or that asks for what is not there.
public final class TemplateException extends CaissonException {
    @Serial
    private static final long serialVersionUID = 1L;

    private static final int WRONG_FORMAT = 64;

    TemplateException(String sentence) {
        super("TEMPLATE", sentence);
    }

    @Override
    public int httpStatus() {
        return 400;
    }

    /// As Docker's for a format that cannot be parsed.
    @Override
    public int exitStatus() {
        return WRONG_FORMAT;
    }
}
