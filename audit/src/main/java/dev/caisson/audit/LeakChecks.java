package dev.caisson.audit;

import dev.caisson.scan.Confidence;
import dev.caisson.scan.LeakRule;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The rules of the leak scanner as checks, one each.
final class LeakChecks {
    private static final String PREFIX = "LEAK-";
    private static final String WHY =
            "Whoever can read the file, the image, the log or the history can use the secret, and copies of these are many.";

    /// Something was not read, or not to its end.
    static final Check NOT_SCANNED = new Check(
            PREFIX + "NOT-SCANNED",
            "not-scanned",
            Severity.INFO,
            Map.of(),
            "",
            List.of(),
            "Something was not scanned to its end",
            "What was not read may hold secrets.",
            "Follow the message, or scan it in another form.");

    private LeakChecks() {}

    static Check of(LeakRule rule) {
        return new Check(
                PREFIX + rule.id().toUpperCase(Locale.ROOT),
                rule.id(),
                Severity.HIGH,
                Map.of(),
                "",
                List.of(),
                capitalized(rule.title()),
                WHY,
                capitalized(rule.remedy()) + ".");
    }

    static boolean isLeak(Check check) {
        return check.id().startsWith(PREFIX);
    }

    /// Returns the check of that id or name among those of some rules.
    static Optional<Check> find(String idOrName, List<LeakRule> rules) {
        String name = idOrName.toUpperCase(Locale.ROOT);
        return Stream.concat(rules.stream().map(LeakChecks::of), Stream.of(NOT_SCANNED))
                .filter(check -> check.id().equals(name) || check.name().equalsIgnoreCase(idOrName))
                .findFirst();
    }

    /// The severity follows from how sure it is that somebody can use the value.
    static Severity severity(Confidence confidence) {
        return switch (confidence) {
            case CERTAIN -> Severity.CRITICAL;
            case LIKELY -> Severity.HIGH;
            case POSSIBLE -> Severity.MEDIUM;
            case UNLIKELY -> Severity.LOW;
        };
    }

    private static String capitalized(String text) {
        return text.isEmpty() ? text : text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }
}
