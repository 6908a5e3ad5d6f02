package dev.caisson.audit;

import dev.caisson.text.TerminalText;
import io.avaje.jsonb.Jsonb;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The report as JSON, in the schema `docs/audit-report.schema.json`. Passes are counted, not listed.
final class JsonReport {
    static final String SCHEMA = "caisson-audit-1";
    /// Writes what is not known as null.
    private static final Jsonb JSON = Jsonb.builder().serializeNulls(true).build();

    private JsonReport() {}

    private static final String LIST = "\n  \"findings\": [";

    /// Writes one finding after the other: all at once, a large report would take several times its size in memory.
    static void write(Report report, Appendable out) throws IOException {
        String frame = json(frame(report));
        int list = frame.indexOf(LIST) + LIST.length();
        out.append(frame, 0, list);
        String separator = "\n    ";
        for (Finding finding : report.notable()) {
            out.append(separator).append(json(finding(finding)).strip().replace("\n", "\n    "));
            separator = ",\n    ";
        }
        out.append(frame, list, frame.length());
    }

    /// All but the findings.
    private static Map<String, Object> frame(Report report) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("schema", SCHEMA);
        document.put("version", report.version());
        document.put("date", report.date().toString());
        document.put("targets", report.targets());
        document.put("failOn", report.failOn().word());
        document.put("exitCode", report.exitCode());
        Map<String, Object> counts = new LinkedHashMap<>();
        report.byStatus().forEach((status, count) -> counts.put(status.word(), count));
        document.put("counts", counts);
        document.put("findings", List.of());
        document.put("resolved", report.resolved());
        return document;
    }

    static String json(Object document) {
        return TerminalText.json(JSON.type(Object.class).toJsonPretty(document)) + "\n";
    }

    /// Two members, in this order.
    static Map<String, Object> object(String first, Object its, String second, Object others) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put(first, its);
        map.put(second, others);
        return map;
    }

    private static Map<String, @Nullable Object> finding(Finding finding) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("check", finding.check().id());
        map.put("name", finding.check().name());
        map.put("title", finding.check().title());
        map.put("cis", finding.check().cis());
        if (!finding.check().podSecurity().isEmpty()) {
            map.put("podSecurity", finding.check().podSecurity());
        }
        map.put(
                "subject",
                object(
                        "kind",
                        finding.subject().kind().word(),
                        "name",
                        finding.subject().name()));
        map.put("status", finding.status().word());
        map.put("severity", finding.severity().word());
        map.put("message", finding.message());
        map.put("claim", finding.claim().orElse(null));
        map.put("truth", finding.truth().orElse(null));
        map.put("agreement", finding.agreement().word());
        map.put(
                "evidence",
                finding.evidence().stream().map(JsonReport::evidence).toList());
        finding.location().ifPresent(location -> map.put("location", location(location)));
        map.put("remediation", finding.remediation());
        map.put("fingerprint", finding.fingerprint());
        finding.waiver().ifPresent(waiver -> map.put("waiver", waiver));
        map.put("known", finding.known());
        return map;
    }

    private static Map<String, Object> evidence(Evidence evidence) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("source", evidence.source());
        map.put("text", evidence.text());
        evidence.location().ifPresent(location -> map.put("location", location(location)));
        return map;
    }

    private static Map<String, Object> location(Location location) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("file", location.file());
        List<String> names = List.of("line", "column", "endLine", "endColumn");
        List<Integer> values = List.of(location.line(), location.column(), location.endLine(), location.endColumn());
        for (int at = 0; at < names.size(); at++) {
            map.put(names.get(at), values.get(at));
        }
        return map;
    }
}
