package dev.caisson.audit;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The report as a table, for a pull request or a spreadsheet.
final class TableReports {
    private static final List<String> COLUMNS =
            List.of("severity", "status", "check", "name", "place", "subject", "message", "fix");
    /// The recommendation of the CIS Docker Benchmark, by its version.
    private static final List<String> RECOMMENDATIONS =
            Checks.CIS_VERSIONS.stream().map(version -> "cis " + version).toList();

    private TableReports() {}

    static String markdown(Report report) {
        Stream<String> head = Stream.of("| " + String.join(" | ", COLUMNS) + " |", "|" + "---|".repeat(COLUMNS.size()));
        Stream<String> rows = report.notable().stream()
                .map(finding -> cells(finding).stream()
                        .map(cell -> TextReport.printable(cell)
                                .replace("\\", "\\\\")
                                .replace("|", "\\|")
                                .replace("[", "\\[")
                                .replace("<", "&lt;")
                                .replace("`", "\\`"))
                        .collect(Collectors.joining(" | ", "| ", " |")));
        return Stream.concat(head, rows).collect(Collectors.joining("\n", "", "\n"));
    }

    /// RFC 4180, without control characters: people look at such files in terminals too. A cell that a
    /// spreadsheet would take for a formula gets an apostrophe before it.
    static String csv(Report report) {
        Stream<String> rows = report.findings().stream()
                .filter(TableReports::isListed)
                .map(finding -> Stream.concat(cells(finding).stream(), recommendations(finding.check()))
                        .map(TableReports::cell)
                        .collect(Collectors.joining(",")));
        String head = Stream.concat(COLUMNS.stream(), RECOMMENDATIONS.stream()).collect(Collectors.joining(","));
        return Stream.concat(Stream.of(head), rows).collect(Collectors.joining("\r\n", "", "\r\n"));
    }

    /// All that concerns a benchmark, and of the rest what is no pass.
    private static boolean isListed(Finding finding) {
        return (!finding.check().cis().isEmpty() && finding.location().isEmpty())
                || (finding.status() != Status.PASS && finding.status() != Status.NOT_APPLICABLE);
    }

    private static Stream<String> recommendations(Check check) {
        return Checks.CIS_VERSIONS.stream()
                .map(version -> String.join(" ", check.cis().getOrDefault(version, List.of())));
    }

    private static String cell(String text) {
        String shown = TextReport.printable(text);
        boolean formula = !text.isEmpty() && "=+-@\t\r".indexOf(text.charAt(0)) >= 0;
        return "\"" + (formula ? "'" : "") + shown.replace("\"", "\"\"") + "\"";
    }

    private static List<String> cells(Finding finding) {
        return List.of(
                finding.severity().word(),
                finding.status().word(),
                finding.check().id(),
                finding.check().name(),
                finding.location().map(Location::toString).orElse(""),
                finding.subject().name(),
                finding.message(),
                finding.waiver().orElse(finding.remediation()));
    }
}
