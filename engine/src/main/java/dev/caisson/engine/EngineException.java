package dev.caisson.engine;

/// The engine itself cannot do its work here.
public final class EngineException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String code;

    EngineException(String code, String sentence) {
        super(sentence);
        this.code = code;
    }

    EngineException(String code, String sentence, Throwable cause) {
        super(sentence, cause);
        this.code = code;
    }

    /// Stable, upper case with underscores.
    public String code() {
        return code;
    }
}
