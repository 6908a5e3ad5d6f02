package dev.caisson.audit;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The report as a table, for a pull request or a spreadsheet.
final class TableReports {
    private static final List<String> COLUMNS =
            List.of("severity", "status", "check", "name", "place", "subject", "message", "fix");

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
        Stream<String> rows = report.notable().stream()
                .map(finding -> cells(finding).stream().map(TableReports::cell).collect(Collectors.joining(",")));
        return Stream.concat(Stream.of(String.join(",", COLUMNS)), rows)
                .collect(Collectors.joining("\r\n", "", "\r\n"));
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
