package dev.caisson.launch;

/// The host or its kernel does not give what a launch needs.
public final class HostException extends LaunchException {
    private static final long serialVersionUID = 1L;

    public HostException(String code, String sentence) {
        super(code, sentence);
    }

    public HostException(String code, String sentence, Throwable cause) {
        super(code, sentence, cause);
    }

    @Override
    public int httpStatus() {
        return 500;
    }
}
