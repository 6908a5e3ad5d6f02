package dev.caisson.cli.text;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.spec.Denial;
import dev.caisson.spec.DeniedDestination;
import java.util.ArrayList;
import java.util.List;

/// Denied system calls as `run` tells them: a line for each, and one for what would have allowed it.
public final class DenialText {
    /// Denied kinds to show; those that a profile on trial lets pass are what its user wants to see, and all shown.
    private static final int MOST = 8;
    /// The answer to a call that the profile denies and the mode lets pass.
    private static final String PASSED = "ALLOW";

    private DenialText() {}

    public static List<String> lines(List<Denial> denials) {
        var lines = new ArrayList<String>();
        int denied = 0;
        for (Denial denial : denials) {
            denied += isPassed(denial) ? 0 : 1;
            if (isPassed(denial) || denied <= MOST) {
                lines(denial, "").forEach(line -> lines.add("caisson: " + line));
            }
        }
        if (denied > MOST) {
            lines.add("caisson: and " + (denied - MOST) + " other kinds of denied calls");
        }
        return lines;
    }

    /// Returns a line for each destination that a list of `--egress` kept from a container.
    public static List<String> destinations(List<DeniedDestination> denied) {
        var lines = new ArrayList<String>();
        denied.stream().limit(MOST).forEach(one -> lines.add("caisson: " + OneLine.of(line(one))));
        if (denied.size() > MOST) {
            lines.add("caisson: and " + (denied.size() - MOST) + " other destinations");
        }
        return lines;
    }

    private static String line(DeniedDestination denied) {
        String place = denied.address().contains(":") ? "[" + denied.address() + "]" : denied.address();
        String address = denied.port() == 0 ? place : place + ":" + denied.port();
        String what = denied.name().isEmpty()
                ? address
                : address.isEmpty() ? denied.name() : denied.name() + " (" + address + ")";
        return "DENIED: " + what + " by " + denied.protocol() + ", because " + denied.reason();
    }

    /// True if the call was let pass, and is told to be denied by a profile on trial.
    static boolean isPassed(Denial denial) {
        return denial.answer().equals(PASSED);
    }

    /// One of them.
    /// @param by more about the caller; may be empty
    public static List<String> lines(Denial denial, String by) {
        boolean passed = isPassed(denial);
        var line = new StringBuilder(passed ? "WOULD DENY: " : "DENIED: ").append(denial.call());
        if (!denial.answer().isEmpty() && !passed) {
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
        } else if (!by.isEmpty() && !denial.process().isEmpty()) {
            line.append(", by ").append(denial.process());
        }
        if (!by.isEmpty()) {
            line.append(", ").append(by);
        }
        if (!denial.location().isEmpty()) {
            line.append(" at ").append(denial.location());
        }
        var lines = new ArrayList<String>();
        lines.add(OneLine.of(line.toString()));
        denial.reasons().forEach(reason -> lines.add("  " + OneLine.of(reason)));
        return lines;
    }
}
