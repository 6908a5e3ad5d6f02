package dev.caisson.cli.template;

import dev.caisson.error.CaissonException;
import java.io.Serial;

/// A template that cannot be parsed, or that asks for what is not there.
public final class TemplateException extends CaissonException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// Docker's exit status for a format that cannot be parsed.
    public static final int MALFORMED = 64;

    private final boolean isMalformed;

    /// The template asks for what is not there.
    TemplateException(String sentence) {
        this(sentence, false);
    }

    private TemplateException(String sentence, boolean isMalformed) {
        super("TEMPLATE", sentence);
        this.isMalformed = isMalformed;
    }

    /// The text is not a template.
    static TemplateException malformed(String sentence) {
        return new TemplateException(sentence, true);
    }

    @Override
    public int httpStatus() {
        return 400;
    }

    @Override
    public int exitStatus() {
        return isMalformed ? MALFORMED : EXIT_ENGINE;
    }
}
