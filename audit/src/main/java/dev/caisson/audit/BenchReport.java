package dev.caisson.audit;

import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// The report in the JSON form of docker-bench-security, by the ids of CIS Docker Benchmark 1.6, for programs that
/// import that form: sections, each with the recommendations and their result.
final class BenchReport {
    private static final String VERSION = "1.6";
    private static final Map<String, String> SECTIONS = new TreeMap<>(Map.of(
            "1", "Host",
            "2", "Daemon",
            "3", "Configuration files",
            "4", "Images",
            "5", "Containers",
            "6", "Operations",
            "7", "Swarm"));
    private static final Comparator<String> BY_NUMBERS = Comparator.comparing(id -> Arrays.stream(id.split("\\.", -1))
            .map(part -> String.format(Locale.ROOT, "%4s", part))
            .toList()
            .toString());

    private BenchReport() {}

    static String write(Report report) {
        Map<String, List<Finding>> byId = new TreeMap<>(BY_NUMBERS);
        for (Finding finding : report.findings()) {
            finding.check()
                    .cis()
                    .getOrDefault(VERSION, List.of())
                    .forEach(id ->
                            byId.computeIfAbsent(id, key -> new ArrayList<>()).add(finding));
        }
        long second = report.date().atStartOfDay(ZoneOffset.UTC).toEpochSecond();
        int score = 0;
        List<Map<String, Object>> sections = new ArrayList<>();
        for (Map.Entry<String, String> section : SECTIONS.entrySet()) {
            List<Map<String, Object>> results = new ArrayList<>();
            for (Map.Entry<String, List<Finding>> entry : byId.entrySet()) {
                if (entry.getKey().startsWith(section.getKey() + ".")) {
                    Map<String, Object> result = result(entry.getKey(), entry.getValue());
                    score += result.containsValue("PASS") ? 1 : result.containsValue("WARN") ? -1 : 0;
                    results.add(result);
                }
            }
            Map<String, Object> test = new LinkedHashMap<>();
            test.put("id", section.getKey());
            test.put("desc", section.getValue());
            test.put("results", results);
            sections.add(test);
        }
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("dockerbenchsecurity", "1.6.0");
        document.put("start", second);
        document.put("tests", sections);
        document.put("checks", byId.size());
        document.put("score", score);
        document.put("end", second);
        return JsonReport.json(document);
    }

    private static Map<String, Object> result(String id, List<Finding> findings) {
        List<Finding> failed = findings.stream()
                .filter(finding -> finding.status() == Status.FAIL)
                .toList();
        boolean manual = findings.stream().anyMatch(finding -> finding.status() == Status.MANUAL);
        boolean passed = findings.stream()
                .anyMatch(finding -> finding.status() == Status.PASS || finding.status() == Status.WAIVED);
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("id", id);
        result.put("desc", findings.getFirst().check().title());
        result.put("result", !failed.isEmpty() ? "WARN" : manual ? "NOTE" : passed ? "PASS" : "INFO");
        if (!failed.isEmpty()) {
            result.put("details", failed.getFirst().message());
            result.put(
                    "items",
                    failed.stream().map(finding -> finding.subject().name()).toList());
            result.put("remediation", failed.getFirst().remediation());
        } else if (!manual && !passed) {
            result.put(
                    "details",
                    findings.getFirst().status().word() + ": "
                            + findings.getFirst().message());
        }
        return result;
    }
}
