package dev.caisson.cli;

import dev.caisson.engine.Denial;
import java.util.ArrayList;
import java.util.List;

/// Denied system calls as `run` tells them: a line for each, and one for what would have allowed it.
final class DenialText {
    private static final int MOST = 8;

    private DenialText() {}

    static List<String> lines(List<Denial> denials) {
        var lines = new ArrayList<String>();
        for (Denial denial : denials.subList(0, Math.min(MOST, denials.size()))) {
            var line = new StringBuilder("caisson: DENIED: ").append(denial.call());
            if (!denial.answer().isEmpty()) {
                line.append(" → ").append(denial.answer());
            }
            if (denial.count() > 1) {
                line.append(", ").append(denial.count()).append(" times");
            }
            if (!denial.executable().isEmpty()) {
                line.append(", by ")
                        .append(denial.process())
                        .append(" (")
                        .append(denial.executable())
                        .append(')');
            }
            if (!denial.location().isEmpty()) {
                line.append(" at ").append(denial.location());
            }
            lines.add(OneLine.of(line.toString()));
            denial.reasons().forEach(reason -> lines.add("caisson:   " + OneLine.of(reason)));
        }
        if (denials.size() > MOST) {
            lines.add("caisson: and " + (denials.size() - MOST) + " other kinds of denied calls");
        }
        return lines;
    }
}
