package dev.caisson.audit;

import java.util.Map;
import java.util.TreeMap;

/// The report as Prometheus text, for node_exporter's textfile collector: every status and severity is there, also
/// where it counts 0, so that a series does not vanish when the last finding is mended.
final class PrometheusReport {
    private PrometheusReport() {}

    static String write(Report report) {
        StringBuilder out = new StringBuilder();
        head(out, "caisson_audit_findings", "Answers of the audit by status.");
        Map<Status, Long> byStatus = report.byStatus();
        for (Status status : Status.values()) {
            out.append("caisson_audit_findings{status=\"")
                    .append(status.word())
                    .append("\"} ")
                    .append(byStatus.getOrDefault(status, 0L))
                    .append('\n');
        }
        head(out, "caisson_audit_open", "Open failures by severity.");
        Map<Severity, Long> bySeverity = report.bySeverity();
        for (Severity severity : Severity.values()) {
            out.append("caisson_audit_open{severity=\"")
                    .append(severity.word())
                    .append("\"} ")
                    .append(bySeverity.getOrDefault(severity, 0L))
                    .append('\n');
        }
        head(out, "caisson_audit_failure", "Open failures by check and subject.");
        Map<String, Long> series = new TreeMap<>();
        report.findings().stream()
                .filter(Finding::open)
                .forEach(finding -> series.merge(labels(finding), 1L, Long::sum));
        series.forEach((labels, count) -> out.append("caisson_audit_failure{")
                .append(labels)
                .append("} ")
                .append(count)
                .append('\n'));
        head(out, "caisson_audit_exit_code", "What the run ended with.");
        return out.append("caisson_audit_exit_code ")
                .append(report.exitCode())
                .append('\n')
                .toString();
    }

    private static void head(StringBuilder out, String name, String help) {
        out.append("# HELP ").append(name).append(' ').append(help).append('\n');
        out.append("# TYPE ").append(name).append(" gauge\n");
    }

    private static String labels(Finding finding) {
        return "check=\"" + finding.check().id() + "\",name=\""
                + finding.check().name() + "\",severity=\""
                + finding.severity().word() + "\",kind=\""
                + finding.subject().kind().word() + "\",subject=\""
                + escaped(finding.subject().name()) + "\"";
    }

    private static String escaped(String text) {
        return TextReport.printable(text).replace("\\", "\\\\").replace("\"", "\\\"");
    }
}
