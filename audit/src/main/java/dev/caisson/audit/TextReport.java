package dev.caisson.audit;

import dev.caisson.text.TerminalText;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// A report for a person at a terminal: the counts first, then what files say in the order of their lines, then what
/// was found of hosts by severity, equal findings together. No line is longer than [TextLines#WIDTH] columns.
final class TextReport {
    private static final int NAMES_SHOWN = 24;
    private static final int MESSAGES_SHOWN = 8;
    /// Findings of one check with different messages are grouped from this number of subjects on.
    private static final int SIMILAR = 4;
    private static final Comparator<Finding> WORST_FIRST = Comparator.comparing(Finding::status)
            .thenComparing(Finding::known)
            .thenComparing(Finding::severity, Comparator.reverseOrder())
            .thenComparing(Finding::subject)
            .thenComparing(finding -> finding.check().id())
            .thenComparing(Finding::message);

    private final TextLines lines = new TextLines();
    private final Report report;

    private TextReport(Report report) {
        this.report = report;
    }

    static String write(Report report) {
        return new TextReport(report).text();
    }

    private String text() {
        counts();
        List<Finding> notable = report.notable();
        notable.stream().filter(finding -> finding.location().isPresent()).forEach(this::inFile);
        List<Finding> others = Causes.folded(notable.stream()
                .filter(finding -> finding.location().isEmpty())
                .sorted(WORST_FIRST)
                .toList());
        Map<String, List<Finding>> sections = new LinkedHashMap<>();
        others.forEach(finding -> sections.computeIfAbsent(state(finding), state -> new ArrayList<>())
                .add(finding));
        sections.forEach((state, findings) -> {
            lines.add(0, state + ":");
            groups(findings).forEach(this::group);
        });
        return lines.toString();
    }

    private void counts() {
        long over = report.findings().stream().filter(report::fails).count();
        Map<Severity, Long> open = report.bySeverity();
        List<String> severities = new ArrayList<>();
        open.entrySet().stream()
                .sorted(Map.Entry.<Severity, Long>comparingByKey().reversed())
                .forEach(entry ->
                        severities.add(entry.getValue() + " " + entry.getKey().word()));
        String rest = report.byStatus().entrySet().stream()
                .filter(entry -> entry.getKey() != Status.FAIL)
                .map(entry -> entry.getValue() + " " + entry.getKey().word())
                .collect(Collectors.joining(", "));
        long known = report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL && finding.known())
                .count();
        lines.add(
                0,
                "open: " + (severities.isEmpty() ? "none" : String.join(", ", severities))
                        + (over == 0 ? "; nothing at or over " : "; " + over + " at or over ")
                        + report.failOn().word());
        lines.add(0, "else: " + (known == 0 ? "" : known + " known, ") + (rest.isEmpty() ? "nothing" : rest));
    }

    private static String state(Finding finding) {
        return finding.status() == Status.FAIL
                ? (finding.known() ? "known " : "") + finding.severity().word()
                : finding.status().word();
    }

    private static String name(Check check) {
        return " [" + check.id() + " " + check.name() + "]";
    }

    private void inFile(Finding finding) {
        String where = finding.location().map(Location::toString).orElse("");
        lines.add(0, where + ": " + state(finding) + ": " + finding.message() + name(finding.check()));
        advice(finding);
    }

    private void advice(Finding finding) {
        String waiver = finding.waiver().map(reason -> "waived: " + reason).orElse(finding.remediation());
        if (!waiver.isEmpty()) {
            lines.add(2, waiver);
        }
    }

    /// Findings of one section that stand together, in the section's order.
    private static List<List<Finding>> groups(List<Finding> findings) {
        Map<List<Object>, List<Finding>> similar = new LinkedHashMap<>();
        findings.forEach(finding -> similar.computeIfAbsent(alike(finding), key -> new ArrayList<>())
                .add(finding));
        Map<List<Object>, List<Finding>> groups = new LinkedHashMap<>();
        for (Finding finding : findings) {
            List<Object> key = new ArrayList<>(alike(finding));
            boolean together = similar.getOrDefault(key, List.of()).size() >= SIMILAR;
            if (!together) {
                key.add(finding.message());
            }
            groups.computeIfAbsent(key, all -> new ArrayList<>()).add(finding);
        }
        return List.copyOf(groups.values());
    }

    /// Groups what was not evaluated for one reason into one line, whatever was asked.
    private static List<Object> alike(Finding finding) {
        return finding.status() == Status.NOT_EVALUATED
                ? List.of(finding.subject().kind(), finding.message())
                : List.of(
                        finding.check().id(),
                        finding.subject().kind(),
                        finding.remediation(),
                        finding.waiver().orElse(""));
    }

    private void group(List<Finding> findings) {
        Finding first = findings.getFirst();
        List<Check> checks = findings.stream().map(Finding::check).distinct().toList();
        Map<String, List<String>> byMessage = new LinkedHashMap<>();
        for (Finding finding : findings) {
            List<String> names = byMessage.computeIfAbsent(finding.message(), message -> new ArrayList<>());
            if (!names.contains(finding.subject().name())) {
                names.add(finding.subject().name());
            }
        }
        String which = checks.size() == 1 ? name(first.check()) : " [" + checks.size() + " checks]";
        if (byMessage.size() == 1) {
            List<String> names = byMessage.getOrDefault(first.message(), List.of());
            lines.add(2, subjects(first, names) + ": " + first.message() + which);
            if (names.size() > 1) {
                lines.add(6, first(names, NAMES_SHOWN));
            }
        } else {
            String title = first.check().title();
            lines.add(
                    2,
                    subjects(
                                    first,
                                    byMessage.values().stream()
                                            .flatMap(List::stream)
                                            .distinct()
                                            .toList())
                            + ": " + title.substring(0, 1).toLowerCase(Locale.ROOT) + title.substring(1) + which);
            byMessage.entrySet().stream()
                    .limit(MESSAGES_SHOWN)
                    .forEach(entry -> lines.add(6, first(entry.getValue(), NAMES_SHOWN) + ": " + entry.getKey()));
            if (byMessage.size() > MESSAGES_SHOWN) {
                lines.add(6, "and " + (byMessage.size() - MESSAGES_SHOWN) + " more, which --format json lists");
            }
        }
        if (checks.size() == 1) {
            lines.add(4, first.waiver().map(reason -> "waived: " + reason).orElse(first.remediation()));
        }
    }

    private static String subjects(Finding first, List<String> names) {
        return names.size() == 1
                ? names.getFirst()
                : names.size() + " " + plural(first.subject().kind());
    }

    private static String first(List<String> names, int most) {
        String shown = String.join(", ", names.subList(0, Math.min(most, names.size())));
        return names.size() > most ? shown + " and " + (names.size() - most) + " more" : shown;
    }

    private static String plural(Subject.Kind kind) {
        return switch (kind) {
            case HOST -> "hosts";
            case DAEMON -> "engines";
            case IMAGE -> "images";
            case CONTAINER -> "containers";
            case NETWORK -> "networks";
            case VOLUME -> "volumes";
            case FILE -> "files";
            case BUILD_STAGE -> "stages";
            case COMPOSE_SERVICE -> "services";
            case KUBERNETES_CONTAINER -> "containers";
            case KUBERNETES_OBJECT -> "objects";
        };
    }

    /// A file's text cannot steer the terminal, nor turn the order of what is read (CVE-2021-42574).
    static String printable(String text) {
        return text.codePoints()
                .map(c -> TerminalText.isUnfit(c) ? '\uFFFD' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    static boolean isBidirectional(int c) {
        return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F;
    }
}
