package dev.caisson.audit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The report as JUnit XML: a suite for each subject, a case for each finding. What makes the audit fail is a failure,
/// and nothing else: a CI system comes to the same end as the exit status.
final class JunitReport {
    private JunitReport() {}

    static String write(Report report) {
        Map<String, List<Finding>> suites = new LinkedHashMap<>();
        report.findings()
                .forEach(finding -> suites.computeIfAbsent(finding.subject().name(), name -> new ArrayList<>())
                        .add(finding));
        StringBuilder out =
                new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"caisson\">\n");
        suites.forEach((name, findings) -> {
            long failures = findings.stream().filter(report::fails).count();
            long skipped = findings.stream()
                    .filter(finding -> !report.fails(finding) && finding.status() != Status.PASS)
                    .count();
            out.append(String.format(
                    Locale.ROOT,
                    "  <testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\" time=\"0\">\n",
                    xml(name),
                    findings.size(),
                    failures,
                    skipped));
            findings.forEach(finding -> testCase(out, report, finding));
            out.append("  </testsuite>\n");
        });
        return out.append("</testsuites>\n").toString();
    }

    private static void testCase(StringBuilder out, Report report, Finding finding) {
        String where = finding.location().map(Location::toString).orElse("");
        out.append(String.format(
                Locale.ROOT,
                "    <testcase classname=\"%s\" name=\"%s %s\" time=\"0\"",
                xml(finding.subject().name()),
                finding.check().id(),
                finding.check().name()));
        if (report.fails(finding)) {
            out.append(String.format(
                    Locale.ROOT,
                    "><failure type=\"%s\" message=\"%s\">%s</failure></testcase>\n",
                    finding.severity().word(),
                    xml(finding.message()),
                    xml(where + "\n" + finding.remediation())));
        } else if (finding.status() == Status.PASS) {
            out.append("/>\n");
        } else {
            String state = finding.open()
                    ? finding.severity().word() + ", below --fail-on "
                            + report.failOn().word()
                    : finding.status() == Status.FAIL
                            ? "known"
                            : finding.status().word();
            out.append(String.format(
                    Locale.ROOT, "><skipped message=\"%s\"/></testcase>\n", xml(state + ": " + finding.message())));
        }
    }

    /// XML has no way to write most control characters; those that turn the reading order are left out too.
    static String xml(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '&' -> out.append("&amp;");
                case '"' -> out.append("&quot;");
                default -> out.appendCodePoint(isXml(c) ? c : 0xFFFD);
            }
        });
        return out.toString();
    }

    private static boolean isXml(int c) {
        boolean control = c < 0x20 && c != '\n' && c != '\t';
        boolean surrogate = c >= 0xD800 && c <= 0xDFFF;
        return !control && !surrogate && !TextReport.isBidirectional(c) && c != 0xFFFE && c != 0xFFFF;
    }
}
