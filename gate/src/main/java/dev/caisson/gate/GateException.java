package dev.caisson.gate;

import dev.caisson.error.CaissonException;

/// Gates cannot have a process of their own here.
public final class GateException extends CaissonException {
    private static final long serialVersionUID = 1L;

    /// @param code `GATE_PROCESS`, or `GATE_PROGRAM` if this JVM cannot be started once more
    GateException(String code, String sentence) {
        super(code, sentence);
    }

    GateException(String code, String sentence, Throwable cause) {
        super(code, sentence, cause);
    }

    static GateException process(String what) {
        return new GateException("GATE_PROCESS", "the process of the gates " + what);
    }

    static GateException program(String what) {
        return new GateException(
                "GATE_PROGRAM",
                what + ": serve gates in this process, EngineOptions.gateIsolation(GateIsolation.NONE)");
    }

    @Override
    public int httpStatus() {
        return 500;
    }
}
