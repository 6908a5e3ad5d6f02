package dev.caisson.audit;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The report as SARIF 2.1.0, with stable fingerprints; waivers are suppressions. It is in the part of the standard
/// that GitHub's code scanning takes: every result has a file as its place, and no more are in a run than are read.
final class SarifReport {
    /// Code scanning takes no more results in a run, tags of a rule and characters of a rule's text.
    private static final int MOST_RESULTS = 25_000;
    private static final int MOST_TAGS = 10;
    private static final int LONGEST_TEXT = 1000;

    private SarifReport() {}

    static String write(Report report) {
        Map<String, Map<String, Object>> rules = new LinkedHashMap<>();
        List<Map<String, Object>> results = new ArrayList<>();
        List<Finding> all = report.notable();
        // the worst ones where not all can be taken
        List<Finding> taken = all.size() <= MOST_RESULTS
                ? all
                : all.stream()
                        .sorted(Comparator.comparing(Finding::severity).reversed())
                        .limit(MOST_RESULTS)
                        .sorted()
                        .toList();
        for (Finding finding : taken) {
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
        if (taken.size() < all.size()) {
            run.put("invocations", List.of(left(all.size() - taken.size())));
        }
        run.put("results", results);
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
        document.put("version", "2.1.0");
        document.put("runs", List.of(run));
        return JsonReport.json(document);
    }

    /// Says that findings were left out.
    private static Map<String, Object> left(int count) {
        return JsonReport.object(
                "executionSuccessful",
                true,
                "toolExecutionNotifications",
                List.of(JsonReport.object(
                        "level",
                        "warning",
                        "message",
                        Map.of("text", count + " findings are left out; --format json has all"))));
    }

    private static Map<String, Object> rule(Check check) {
        Map<String, Object> rule = new LinkedHashMap<>();
        rule.put("id", check.id());
        rule.put("name", check.name());
        rule.put("shortDescription", Map.of("text", cut(check.title())));
        rule.put("fullDescription", Map.of("text", cut(check.why())));
        rule.put("help", JsonReport.object("text", check.fix(), "markdown", check.why() + " **" + check.fix() + "**"));
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
        return tags.subList(0, Math.min(MOST_TAGS, tags.size()));
    }

    private static String cut(String text) {
        return text.length() <= LONGEST_TEXT ? text : text.substring(0, LONGEST_TEXT);
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
        // the first is what code scanning knows a result again by
        result.put(
                "partialFingerprints",
                JsonReport.object(
                        "primaryLocationLineHash", finding.fingerprint() + ":1", "caisson/v1", finding.fingerprint()));
        if (finding.known()) {
            result.put("baselineState", "unchanged");
        }
        finding.waiver()
                .ifPresent(reason -> result.put(
                        "suppressions", List.of(JsonReport.object("kind", "external", "justification", reason))));
        return result;
    }

    /// A subject without a file is a logical location too, and its name stands in place of a file's.
    private static Map<String, Object> where(Finding finding) {
        if (finding.location().isPresent()) {
            return Map.of("physicalLocation", physical(finding.location().get()));
        }
        String kind = finding.subject().kind().word();
        String name = finding.subject().name();
        boolean file = finding.subject().kind() == Subject.Kind.FILE && name.startsWith("/");
        Map<String, Object> where = new LinkedHashMap<>();
        where.put(
                "physicalLocation",
                physical(new Location(file ? name.substring(1) : kind + "/" + name.replace("..", "__"), 1, 1, 1, 1)));
        where.put("logicalLocations", List.of(JsonReport.object("fullyQualifiedName", name, "kind", kind)));
        return where;
    }

    /// A relative reference, RFC 3986: all but plain characters stand as their bytes, so that no name reads as a
    /// scheme.
    private static String uri(String file) {
        StringBuilder uri = new StringBuilder();
        for (byte each : file.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (each & 0xff);
            boolean plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (plain || "-._~/@+=,".indexOf(c) >= 0) {
                uri.append(c);
            } else {
                uri.append(String.format(Locale.ROOT, "%%%02X", (int) c));
            }
        }
        return uri.toString();
    }

    private static Map<String, Object> physical(Location location) {
        Map<String, Object> region = new LinkedHashMap<>();
        region.put("startLine", Math.max(1, location.line()));
        region.put("startColumn", Math.max(1, location.column()));
        region.put("endLine", Math.max(Math.max(1, location.line()), location.endLine()));
        region.put("endColumn", Math.max(1, location.endColumn()));
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
