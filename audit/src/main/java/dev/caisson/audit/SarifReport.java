package dev.caisson.audit;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
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
        rule.put("properties", JsonReport.object("tags", tags(check), "security-severity", score(check.severity())));
        return rule;
    }

    private static List<String> tags(Check check) {
        List<String> tags = new ArrayList<>(List.of("security"));
        check.cis().values().stream()
                .flatMap(List::stream)
                .distinct()
                .map(id -> "CIS-Docker-" + id)
                .forEach(tags::add);
        if (!check.podSecurity().isEmpty()) {
            tags.add("pod-security-" + check.podSecurity());
        }
        return tags;
    }

    /// GitHub reads a number from 0 to 10 and names its range.
    private static String score(Severity severity) {
        return switch (severity) {
            case CRITICAL -> "9.5";
            case HIGH -> "8.0";
            case MEDIUM -> "5.5";
            case LOW -> "3.0";
            case INFO -> "0.0";
        };
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
        result.put("locations", List.of(where(finding)));
        result.put("partialFingerprints", Map.of("caisson/v1", finding.fingerprint()));
        if (finding.known()) {
            result.put("baselineState", "unchanged");
        }
        finding.waiver()
                .ifPresent(reason -> result.put(
                        "suppressions", List.of(JsonReport.object("kind", "external", "justification", reason))));
        return result;
    }

    /// A subject without a file is a logical location.
    private static Map<String, Object> where(Finding finding) {
        return finding.location()
                .<Map<String, Object>>map(location -> Map.of("physicalLocation", physical(location)))
                .orElseGet(() -> Map.of(
                        "logicalLocations",
                        List.of(JsonReport.object(
                                "fullyQualifiedName",
                                finding.subject().name(),
                                "kind",
                                finding.subject().kind().word()))));
    }

    /// A relative reference; a first part with a colon would read as a scheme.
    private static String uri(String file) {
        try {
            String path = new URI(null, null, file, null).getRawPath();
            return path.split("/", 2)[0].indexOf(':') < 0 ? path : "./" + path;
        } catch (URISyntaxException e) {
            return "./"
                    + URLEncoder.encode(file, StandardCharsets.UTF_8)
                            .replace("+", "%20")
                            .replace("%2F", "/");
        }
    }

    private static Map<String, Object> physical(Location location) {
        Map<String, Object> region = new LinkedHashMap<>();
        region.put("startLine", location.line());
        region.put("startColumn", location.column());
        region.put("endLine", location.endLine());
        region.put("endColumn", location.endColumn());
        Map<String, Object> physical = new LinkedHashMap<>();
        physical.put("artifactLocation", Map.of("uri", uri(location.file())));
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
