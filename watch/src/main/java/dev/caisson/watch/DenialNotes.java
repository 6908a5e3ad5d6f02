package dev.caisson.watch;

import dev.caisson.spec.Denial;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The denied calls of one container, each kind once with how often it came.
final class DenialNotes {
    static final String OTHERS = "other calls";
    /// More kinds of calls than this are counted, not told.
    private static final int MOST_KINDS = 64;

    /// The key by which denied calls are the same kind: number, ABI and the arguments that the profile's rules
    /// look at.
    record Kind(int number, int architecture, List<Long> arguments) {}

    private static final class Noted {
        private final Denial first;
        private long count = 1;

        private Noted(Denial first) {
            this.first = first;
        }
    }

    private final Map<Kind, Noted> noted = new LinkedHashMap<>();
    private long untold;

    /// Counts a call whose kind is known, or for which there is no room.
    /// @return whether it was counted, and needs no further look
    boolean count(Kind kind) {
        Noted known = noted.get(kind);
        if (known != null) {
            known.count++;
        } else if (noted.size() >= MOST_KINDS) {
            untold++;
        } else {
            return false;
        }
        return true;
    }

    void add(Kind kind, Denial denial) {
        if (!count(kind)) {
            noted.put(kind, new Noted(denial));
        }
    }

    /// In the order of the first time.
    List<Denial> told() {
        var denials = new ArrayList<Denial>();
        for (Noted kind : noted.values()) {
            Denial first = kind.first;
            denials.add(new Denial(
                    first.call(),
                    first.answer(),
                    first.process(),
                    first.executable(),
                    first.location(),
                    first.reasons(),
                    kind.count));
        }
        if (untold > 0) {
            denials.add(new Denial(OTHERS, "", "", "", "", List.of(), untold));
        }
        return denials;
    }
}
