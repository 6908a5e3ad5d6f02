package dev.caisson.launch;

import java.util.List;

/// A wish that was refused before anything was changed. All findings are told, not only the first.
public final class RefusedException extends LaunchException {
    private static final long serialVersionUID = 1L;

    private final transient List<Finding> findings;

    public RefusedException(List<Finding> findings) {
        super(findings.getFirst().code(), sentence(findings));
        this.findings = List.copyOf(findings);
    }

    public RefusedException(String code, String sentence) {
        this(List.of(new Finding(code, sentence)));
    }

    private static String sentence(List<Finding> findings) {
        return String.join("; ", findings.stream().map(Finding::sentence).toList());
    }

    public List<Finding> findings() {
        return findings;
    }

    @Override
    public int httpStatus() {
        return 400;
    }
}
