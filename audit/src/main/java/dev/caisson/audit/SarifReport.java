package dev.caisson.audit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The report as SARIF 2.1.0, with stable fingerprints; waivers are suppressions.
final class SarifReport {
    private SarifReport() {}

    static String write(Report report) {
        Map<String, Map<String, Object>> rules = new LinkedHashMap<>();
        List<Map<String, Object>> results = new ArrayList<>();
        for (Finding finding : report.notable()) {
            rules.computeIfAbsent(finding.check().id(), id -> rule(finding.check()));
            results.add(result(finding));
        }
        Map<String, Object> driver = new LinkedHashMap<>();
        driver.put("name", "caisson");
        driver.put("version", report.version());
        driver.put("rules", List.copyOf(rules.values()));
        Map<String, Object> run = new LinkedHashMap<>();
        run.put("tool", Map.of("driver", driver));
        run.put("columnKind", "utf16CodeUnits");
        run.put("results", results);
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
        document.put("version", "2.1.0");
        document.put("runs", List.of(run));
        return JsonReport.json(document);
    }

    private static Map<String, Object> rule(Check check) {
        Map<String, Object> rule = new LinkedHashMap<>();
        rule.put("id", check.id());
        rule.put("name", check.name());
        rule.put("shortDescription", Map.of("text", check.title()));
        rule.put("fullDescription", Map.of("text", check.why()));
        rule.put("help", Map.of("text", check.fix()));
        rule.put("defaultConfiguration", Map.of("level", level(check.severity())));
        return rule;
    }

    private static Map<String, Object> result(Finding finding) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("ruleId", finding.check().id());
        result.put(
                "level",
                finding.status() == Status.FAIL || finding.status() == Status.WAIVED
                        ? level(finding.severity())
                        : "note");
        result.put("message", Map.of("text", finding.message() + ". " + finding.remediation()));
        finding.location()
                .ifPresent(
                        location -> result.put("locations", List.of(Map.of("physicalLocation", physical(location)))));
        result.put("partialFingerprints", Map.of("caisson/v1", finding.fingerprint()));
        finding.waiver()
                .ifPresent(reason ->
                        result.put("suppressions", List.of(Map.of("kind", "external", "justification", reason))));
        return result;
    }

    private static Map<String, Object> physical(Location location) {
        Map<String, Object> region = new LinkedHashMap<>();
        region.put("startLine", location.line());
        region.put("startColumn", location.column());
        region.put("endLine", location.endLine());
        region.put("endColumn", location.endColumn());
        Map<String, Object> physical = new LinkedHashMap<>();
        physical.put("artifactLocation", Map.of("uri", location.file().replace(" ", "%20")));
        physical.put("region", region);
        return physical;
    }

    private static String level(Severity severity) {
        return switch (severity) {
            case CRITICAL, HIGH -> "error";
            case MEDIUM -> "warning";
            case LOW, INFO -> "note";
        };
    }
}
