package dev.caisson.watch;

import dev.caisson.linux.SeccompListener;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.watch.DenialNotes.Kind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Denied calls that were noted before with the same registers: their answers are looked up, not worked out again. For
/// one thread at a time.
final class KnownCalls {
    /// A program that makes up ever new arguments has each looked at.
    private static final int MOST = 256;

    private record Registers(int number, int architecture, List<Long> arguments) {}

    record Known(SeccompData data, Action action, Kind kind) {}

    private final Map<Registers, Known> known = new HashMap<>();

    @Nullable
    Known get(SeccompListener.Call call) {
        return known.get(registers(call));
    }

    void add(SeccompListener.Call call, SeccompData data, Action action, Kind kind) {
        if (known.size() >= MOST) {
            known.clear();
        }
        known.put(registers(call), new Known(data, action, kind));
    }

    static SeccompData data(SeccompListener.Call call) {
        List<Long> registers = call.arguments();
        return new SeccompData(
                call.number(),
                call.architecture(),
                call.instructionPointer(),
                registers.get(0),
                registers.get(1),
                registers.get(2),
                registers.get(3),
                registers.get(4),
                registers.get(5));
    }

    /// Without the place in the code, which no filter of ours decides by.
    private static Registers registers(SeccompListener.Call call) {
        return new Registers(call.number(), call.architecture(), call.arguments());
    }
}
