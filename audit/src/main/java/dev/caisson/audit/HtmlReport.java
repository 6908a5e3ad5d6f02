package dev.caisson.audit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The report as one HTML file for a screen of any width and for paper. It holds no script and asks for nothing from
/// elsewhere; its policy forbids both, whatever an audited file has smuggled into a text.
final class HtmlReport {
    private static final String POLICY = "default-src 'none'; style-src 'unsafe-inline'";
    private static final int SHOWN_OF_A_LINE = 160;
    private static final Comparator<Finding> WORST_FIRST = Comparator.comparing(HtmlReport::mark)
            .thenComparing(Finding::severity, Comparator.reverseOrder())
            .thenComparing(Comparator.naturalOrder());

    /// The parts of a chart's bar, in their order.
    private enum Mark {
        CRITICAL,
        HIGH,
        MEDIUM,
        LOW,
        INFO,
        KNOWN,
        UNCLEAR,
        WAIVED,
        PASS;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /// Returns the name in the legend.
        String title() {
            return this == UNCLEAR ? "not judged" : word();
        }
    }

    private final StringBuilder out = new StringBuilder();
    /// The name that links of this page lead to, of each finding that does not pass.
    private final IdentityHashMap<Finding, String> anchors = new IdentityHashMap<>();

    private HtmlReport() {}

    static String write(Report report) {
        HtmlReport page = new HtmlReport();
        page.number(report);
        page.head(report);
        Map<String, List<Finding>> sections = new LinkedHashMap<>();
        Sections.ORDER.forEach(title -> sections.put(title, new ArrayList<>()));
        report.findings().stream()
                .filter(finding -> finding.status() != Status.NOT_APPLICABLE)
                .forEach(finding -> sections.computeIfAbsent(Sections.of(finding.check()), title -> new ArrayList<>())
                        .add(finding));
        sections.values().removeIf(List::isEmpty);
        page.navigation(sections);
        page.raw("<main id=\"main\">\n");
        page.subjects(report);
        sections.forEach(page::section);
        page.notApplicable(report);
        page.raw("</main>\n</body>\n</html>\n");
        return page.out.toString();
    }

    private void head(Report report) {
        raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        raw("<meta http-equiv=\"Content-Security-Policy\" content=\"" + POLICY + "\">\n");
        raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        List<Finding> open = report.findings().stream().filter(Finding::open).toList();
        String judged = "Audit of " + text(String.join(", ", report.targets()));
        raw("<title>" + verdict(report, open) + ": " + judged + "</title>\n");
        raw("<style>\n" + styles() + "</style>\n</head>\n<body>\n");
        raw("<a class=\"skip\" href=\"#main\">To the findings</a>\n<header>\n<h1>" + judged + "</h1>\n");
        raw("<div class=\"soft\">" + text(subjectsJudged(report)) + "<br>" + report.date() + ", caisson "
                + text(report.version()) + "</div>\n");
        String worst = report.failOn().word();
        String counts = open.isEmpty() ? "nothing" : counted(open, Severity.INFO);
        raw(
                switch (report.exitCode()) {
                    case 0 -> verdict("clean", "Nothing at or over " + worst + " is open; below it: " + counts);
                    case 3 -> verdict("partly", "A part was not evaluated; open below " + worst + ": " + counts);
                    default -> verdict("findings", counts);
                });
        chart(report.findings(), "All sections");
        raw("</header>\n");
    }

    private static String verdict(Report report, List<Finding> open) {
        String counts = open.isEmpty() ? "" : gravest(open);
        if (report.exitCode() == 3) {
            return counts.isEmpty() ? "partly evaluated" : counts + ", partly evaluated";
        }
        return counts.isEmpty() ? "clean" : counts;
    }

    /// Returns how many are critical and high, as `2 critical, 8 high`; the worst ones if none is.
    private static String gravest(List<Finding> open) {
        Severity worst = open.stream()
                .map(Finding::severity)
                .max(Comparator.naturalOrder())
                .orElse(Severity.INFO);
        return counted(open, worst.atLeast(Severity.HIGH) ? Severity.HIGH : worst);
    }

    private static String counted(List<Finding> findings, Severity least) {
        Map<Severity, Long> counts = new TreeMap<>(Comparator.reverseOrder());
        findings.stream()
                .map(Finding::severity)
                .filter(severity -> severity.atLeast(least))
                .forEach(severity -> counts.merge(severity, 1L, Long::sum));
        return counts.entrySet().stream()
                .map(count -> count.getValue() + " " + count.getKey().word())
                .collect(Collectors.joining(", "));
    }

    /// Returns what was judged, by kind: `3 containers, 1 daemon`.
    private static String subjectsJudged(Report report) {
        Map<Subject.Kind, Long> kinds = report.findings().stream()
                .map(Finding::subject)
                .distinct()
                .collect(Collectors.groupingBy(Subject::kind, TreeMap::new, Collectors.counting()));
        return kinds.entrySet().stream()
                .map(kind -> kind.getValue() + " " + kind.getKey().word().replace('-', ' ')
                        + (kind.getValue() == 1 ? "" : "s"))
                .collect(Collectors.joining(", "));
    }

    private static String verdict(String kind, String sentence) {
        return "<div class=\"verdict " + kind + "\">" + sentence + "</div>\n";
    }

    private void navigation(Map<String, List<Finding>> sections) {
        raw("<nav aria-label=\"Sections\"><ul>\n");
        sections.keySet()
                .forEach(title -> raw("<li><a href=\"#" + anchor(title) + "\">" + text(title) + "</a></li>\n"));
        raw("</ul></nav>\n<fieldset><legend>Show</legend>\n");
        Map<String, String> choices = new LinkedHashMap<>();
        choices.put("all", "everything");
        choices.put("medium", "medium and worse");
        choices.put("high", "high and worse");
        choices.put("critical", "critical only");
        choices.forEach((id, title) -> raw("<label><input type=\"radio\" name=\"only\" id=\"only-" + id + "\""
                + (id.equals("all") ? " checked" : "") + ">" + title + "</label>\n"));
        raw("</fieldset>\n");
    }

    private void section(String title, List<Finding> findings) {
        raw("<section aria-labelledby=\"" + anchor(title) + "\">\n<h2 id=\"" + anchor(title) + "\">" + text(title)
                + "</h2>\n");
        chart(findings, title);
        findings.stream()
                .filter(finding -> finding.status() != Status.PASS)
                .sorted(WORST_FIRST)
                .collect(Collectors.groupingBy(Finding::check, LinkedHashMap::new, Collectors.toList()))
                .values()
                .forEach(this::rule);
        passes(findings.stream()
                .filter(finding -> finding.status() == Status.PASS)
                .toList());
        raw("</section>\n");
    }

    /// A bar of counts, with the same in words for whoever does not see it.
    private void chart(List<Finding> findings, String title) {
        Map<Mark, Long> counts = new EnumMap<>(Mark.class);
        findings.stream()
                .filter(finding -> finding.status() != Status.NOT_APPLICABLE)
                .forEach(finding -> counts.merge(mark(finding), 1L, Long::sum));
        long total =
                Math.max(1, counts.values().stream().mapToLong(Long::longValue).sum());
        String words = counts.entrySet().stream()
                .map(count -> count.getValue() + " " + count.getKey().title())
                .collect(Collectors.joining(", "));
        raw("<svg class=\"chart\" role=\"img\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\"><title>"
                + text(title + ": " + words) + "</title>");
        long before = 0;
        for (var count : counts.entrySet()) {
            raw("<rect class=\"" + count.getKey().word() + "\" x=\"" + share(before, total) + "\" width=\""
                    + share(count.getValue(), total) + "\" height=\"10\"/>");
            before += count.getValue();
        }
        raw("</svg>\n<ul class=\"legend\">");
        counts.forEach(
                (mark, count) -> raw("<li class=\"" + mark.word() + "\">" + count + " " + mark.title() + "</li>"));
        raw("</ul>\n");
    }

    /// Gives each finding that does not pass its anchor.
    private void number(Report report) {
        report.findings().stream()
                .filter(finding -> finding.status() != Status.PASS && finding.status() != Status.NOT_APPLICABLE)
                .forEach(finding -> anchors.put(finding, "f-" + (anchors.size() + 1)));
    }

    /// The open findings of each container, service or file, the worst subject first. A report of one subject has no
    /// such list.
    private void subjects(Report report) {
        Map<Subject, List<Finding>> open = report.findings().stream()
                .filter(Finding::open)
                .sorted(WORST_FIRST)
                .collect(Collectors.groupingBy(Finding::subject, LinkedHashMap::new, Collectors.toList()));
        if (open.size() < 2) {
            return;
        }
        raw("<section aria-labelledby=\"s-subjects\">\n<h2 id=\"s-subjects\">By container, service or file</h2>\n");
        open.forEach((subject, findings) -> {
            raw("<details class=\"subject " + mark(findings.getFirst()).word() + "\"><summary>"
                    + text(subject.name()) + "<span class=\"where\">"
                    + subject.kind().word().replace('-', ' ') + ": " + counted(findings, Severity.INFO)
                    + "</span></summary>\n<ul>\n");
            findings.forEach(finding -> raw("<li class=\"" + mark(finding).word() + "\"><span class=\"badge\">"
                    + mark(finding).title() + "</span> <a href=\"#" + anchors.get(finding) + "\">"
                    + text(finding.message()) + "</a></li>\n"));
            raw("</ul></details>\n");
        });
        raw("</section>\n");
    }

    /// The findings of one check, below its title if there are several.
    private void rule(List<Finding> findings) {
        Check check = findings.getFirst().check();
        raw("<div class=\"rule " + mark(findings.getFirst()).word() + "\">\n");
        if (findings.size() > 1) {
            raw("<h3>" + text(check.title()) + " <span class=\"soft\">" + check.id() + ", " + findings.size()
                    + "</span></h3>\n");
        }
        findings.forEach(this::finding);
        raw("</div>\n");
    }

    private static String share(long part, long total) {
        return String.format(Locale.ROOT, "%.2f", 1000.0 * part / total);
    }

    private void finding(Finding finding) {
        Mark mark = mark(finding);
        String badge = mark == Mark.UNCLEAR ? finding.status().word() : mark.title();
        raw("<details id=\"" + anchors.get(finding) + "\" class=\"finding " + mark.word()
                + "\"><summary><span class=\"badge\">" + badge + "</span> "
                + text(finding.message()) + "<span class=\"where\">"
                + text(finding.location().map(Location::toString).orElse(""))
                + (finding.location().isPresent() ? " · " : "")
                + text(finding.subject().name())
                + "</span>" + source(finding) + "</summary>\n<div class=\"body\"><dl>\n");
        Check check = finding.check();
        entry("Check", check.id() + " " + check.name() + ": " + check.title());
        entry("Severity", finding.severity().word());
        finding.waiver().ifPresent(waiver -> entry("Waived", waiver));
        entry("Why", check.why());
        entry("What to do", finding.remediation());
        if (finding.truth().isPresent()) {
            finding.claim().ifPresent(claim -> code("Claimed", claim));
            finding.truth().ifPresent(truth -> code("In truth", truth));
            entry("Agreement", finding.agreement().word());
        }
        finding.evidence().forEach(this::evidence);
        entry("CIS Docker", cis(check));
        entry("Pod Security", check.podSecurity());
        entry("Other tools", String.join(", ", check.alike()));
        raw("</dl></div></details>\n");
    }

    /// Returns the first line of what the finding rests on in its file, whose secrets are cut short there.
    private static String source(Finding finding) {
        return finding.location()
                .flatMap(place -> finding.evidence().stream()
                        .filter(evidence -> evidence.location().equals(finding.location()))
                        .findFirst()
                        .map(evidence -> "<code>" + place.line() + ": " + text(shortened(evidence.text())) + "</code>"))
                .orElse("");
    }

    private static String shortened(String text) {
        String line = text.lines().findFirst().orElse("");
        int shown = line.offsetByCodePoints(0, Math.min(line.codePointCount(0, line.length()), SHOWN_OF_A_LINE));
        return shown == line.length() ? line : line.substring(0, shown) + "…";
    }

    private void evidence(Evidence evidence) {
        String where = evidence.location().map(Location::toString).orElse(evidence.source());
        raw("<dt>Evidence</dt><dd>" + text(where) + "<pre>" + text(evidence.text()) + "</pre></dd>\n");
    }

    /// `5.4 (1.6, 1.7, 1.8)`.
    private static String cis(Check check) {
        Map<String, List<String>> versions = new LinkedHashMap<>();
        check.cis()
                .forEach((version, ids) -> versions.computeIfAbsent(String.join(", ", ids), key -> new ArrayList<>())
                        .add(version));
        return versions.entrySet().stream()
                .map(entry -> entry.getKey() + " (" + String.join(", ", entry.getValue()) + ")")
                .collect(Collectors.joining("; "));
    }

    private void passes(List<Finding> passes) {
        if (passes.isEmpty()) {
            return;
        }
        raw("<details><summary>" + passes.size() + " passed</summary><table><tbody>\n");
        passes.stream()
                .collect(Collectors.groupingBy(Finding::check, LinkedHashMap::new, Collectors.toList()))
                .entrySet()
                .stream()
                .sorted(Comparator.comparing(entry -> entry.getKey().id()))
                .forEach(entry -> raw("<tr><th scope=\"row\">" + entry.getKey().id() + "</th><td>"
                        + text(entry.getKey().name()) + "</td><td>" + text(cis(entry.getKey())) + "</td><td>"
                        + text(entry.getValue().stream()
                                .map(finding -> finding.subject().name())
                                .collect(Collectors.joining(", ")))
                        + "</td></tr>\n"));
        raw("</tbody></table></details>\n");
    }

    private void notApplicable(Report report) {
        List<Finding> apart = report.findings().stream()
                .filter(finding -> finding.status() == Status.NOT_APPLICABLE)
                .toList();
        if (!apart.isEmpty()) {
            raw("<section><h2>Not applicable</h2><table><tbody>\n");
            apart.forEach(
                    finding -> raw("<tr><th scope=\"row\">" + finding.check().id() + "</th><td>"
                            + text(finding.check().name()) + "</td><td>" + text(cis(finding.check())) + "</td><td>"
                            + text(finding.subject().name()) + "</td><td>" + text(finding.message()) + "</td></tr>\n"));
            raw("</tbody></table></section>\n");
        }
    }

    private static Mark mark(Finding finding) {
        return switch (finding.status()) {
            case PASS -> Mark.PASS;
            case WAIVED -> Mark.WAIVED;
            case MANUAL, NOT_EVALUATED, NOT_APPLICABLE -> Mark.UNCLEAR;
            case FAIL -> finding.known() ? Mark.KNOWN : ofSeverity(finding.severity());
        };
    }

    private static Mark ofSeverity(Severity severity) {
        return switch (severity) {
            case CRITICAL -> Mark.CRITICAL;
            case HIGH -> Mark.HIGH;
            case MEDIUM -> Mark.MEDIUM;
            case LOW -> Mark.LOW;
            case INFO -> Mark.INFO;
        };
    }

    private void entry(String name, String value) {
        if (!value.isEmpty()) {
            raw("<dt>" + name + "</dt><dd>" + text(value) + "</dd>\n");
        }
    }

    private void code(String name, String value) {
        raw("<dt>" + name + "</dt><dd><pre>" + text(value) + "</pre></dd>\n");
    }

    private static String anchor(String title) {
        return "s-" + title.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    }

    private static String text(String text) {
        return JunitReport.xml(text);
    }

    private void raw(String html) {
        out.append(html);
    }

    private static String styles() {
        try (InputStream in = HtmlReport.class.getResourceAsStream("report.css")) {
            if (in == null) {
                throw new IllegalStateException("report.css is missing from the module");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
