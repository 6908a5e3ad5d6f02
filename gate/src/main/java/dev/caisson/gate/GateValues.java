package dev.caisson.gate;

import dev.caisson.error.ArgumentException;
import dev.caisson.spec.Gate;

/// The rules for values that a gate puts into requests.
final class GateValues {
    private GateValues() {}

    /// @throws ArgumentException ARGUMENT_INVALID, without the value
    static void require(Gate gate, byte[] value) {
        if (value.length < Credential.LEAST_BYTES || value.length > Credential.MOST_BYTES) {
            throw refused(
                    gate,
                    "has " + value.length + " bytes, a gate takes " + Credential.LEAST_BYTES + " to "
                            + Credential.MOST_BYTES + ": give it as a file");
        }
        if (gate.place() instanceof Gate.Query) {
            return; // every byte is encoded
        }
        if (value[value.length - 1] == '\n') {
            throw refused(gate, "ends with a line end, which no request can have: store it with printf %s");
        }
        for (byte one : value) {
            if ((one >= 0 && one < ' ') || one == 0x7f) {
                throw refused(gate, "has a control character, which no request can have: give it as a file");
            }
        }
        if (value[0] == ' ' || value[value.length - 1] == ' ') {
            throw refused(gate, "has a blank at an end, which servers leave out: store it without");
        }
        if (gate.place() instanceof Gate.Basic basic && basic.user().isEmpty() && !hasColon(value)) {
            throw refused(gate, "is not USER:PASSWORD, which as=basic sends: name the user, as=basic:USER");
        }
    }

    private static boolean hasColon(byte[] value) {
        for (byte one : value) {
            if (one == ':') {
                return true;
            }
        }
        return false;
    }

    private static ArgumentException refused(Gate gate, String what) {
        return ArgumentException.invalid("the secret " + gate.secret() + " of the gate to " + gate.host() + " " + what);
    }
}
