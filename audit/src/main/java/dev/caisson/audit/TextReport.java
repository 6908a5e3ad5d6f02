package dev.caisson.audit;

import java.util.Locale;
import java.util.Map;

/// A report for a terminal: a line for each finding, what to do below it, and a count.
final class TextReport {
    private TextReport() {}

    static String write(Report report) {
        StringBuilder out = new StringBuilder();
        for (Finding finding : report.notable()) {
            String where = finding.location()
                    .map(Location::toString)
                    .orElse(finding.subject().name());
            String state = finding.status() == Status.FAIL
                    ? (finding.known() ? "known " : "") + finding.severity().word()
                    : finding.status().word();
            out.append(printable(where)).append(": ").append(state).append(": ").append(printable(finding.message()));
            out.append(" [")
                    .append(finding.check().id())
                    .append(' ')
                    .append(finding.check().name())
                    .append("]\n");
            if (finding.waiver().isPresent()) {
                out.append("    waived: ")
                        .append(printable(finding.waiver().get()))
                        .append('\n');
            } else {
                out.append("    ").append(finding.remediation()).append('\n');
            }
        }
        Map<Status, Long> counts = report.byStatus();
        counts.forEach((status, count) ->
                out.append(count).append(' ').append(status.word()).append("  "));
        StringBuilder open = new StringBuilder();
        report.bySeverity()
                .forEach((severity, count) -> open.append(' ')
                        .append(count)
                        .append(' ')
                        .append(severity.word().toLowerCase(Locale.ROOT)));
        return out.append(open.isEmpty() ? "" : "open:" + open).append('\n').toString();
    }

    /// A file's text cannot steer the terminal, nor turn the order of what is read (CVE-2021-42574).
    static String printable(String text) {
        return text.codePoints()
                .map(c -> Character.isISOControl(c) || isBidirectional(c) ? '\uFFFD' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    static boolean isBidirectional(int c) {
        return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F;
    }
}
