package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HtmlReportTest {
    @TempDir
    Path root = Path.of("");

    @Test
    void every_finding_with_its_evidence_is_in_the_page_and_no_markup_of_theirs() throws Exception {
        Report report = SampleReport.of(root);
        String page = ReportFormat.HTML.write(report);

        for (Finding finding : report.notable()) {
            assertThat(page)
                    .contains(
                            JunitReport.xml(finding.message()), finding.check().id());
            finding.evidence().forEach(evidence -> assertThat(page).contains(JunitReport.xml(evidence.text())));
        }
        assertThat(page)
                .contains("Services and containers", "Kubernetes objects", "Dockerfiles", "contradiction")
                .doesNotContain("<img", "correct-horse", "http://", "https://json", "<script", "\u202E");
    }

    @Test
    void the_title_and_the_first_line_say_what_was_judged_and_how_bad_it_is() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), """
                services:
                  web: {image: "nginx:1.27", privileged: true, pid: host}
                  db: {image: "postgres:17", privileged: true}
                """);
        Report report = FileAudit.run(FileRequests.of(root, "."));
        long critical = report.findings().stream()
                .filter(finding -> finding.open() && finding.severity() == Severity.CRITICAL)
                .count();
        long high = report.findings().stream()
                .filter(finding -> finding.open() && finding.severity() == Severity.HIGH)
                .count();
        String judged = "Audit of " + String.join(", ", report.targets());

        String page = ReportFormat.HTML.write(report);

        assertThat(critical).isEqualTo(2);
        assertThat(page)
                .contains("<title>2 critical, " + high + " high: " + judged + "</title>")
                .contains("<h1>" + judged + "</h1>")
                .contains("2 compose services")
                .contains("<div class=\"verdict findings\">2 critical, " + high + " high, ");
    }

    @Test
    void findings_are_grouped_by_rule_and_listed_by_service_with_the_line_of_the_source() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), """
                services:
                  web: {image: "nginx:1.27", privileged: true}
                  db:
                    image: "postgres:17"
                    privileged: true
                    environment:
                      DB_PASSWORD: %s
                """.formatted("correct" + "-horse-battery"));
        Report report = FileAudit.run(FileRequests.of(root, "."));

        String page = ReportFormat.HTML.write(report);

        assertThat(page).contains("CSN-WL-006, 2</span></h3>", "<code>5: privileged: true</code>");
        assertThat(page).doesNotContain("correct-horse");
        List<String> links = Pattern.compile("<a href=\"#(f-[0-9]+)\">")
                .matcher(page)
                .results()
                .map(match -> match.group(1))
                .toList();
        assertThat(links)
                .hasSize((int) report.findings().stream().filter(Finding::open).count())
                .doesNotHaveDuplicates()
                .allSatisfy(link -> assertThat(page).contains("<details id=\"" + link + "\" class=\"finding "));
        assertThat(page.indexOf("By container, service or file")).isLessThan(page.indexOf("CSN-WL-006, 2"));
    }

    @Test
    void a_clean_report_says_so_and_has_no_list_of_subjects() throws Exception {
        Files.writeString(root.resolve("a.env"), "NAME=value\n");
        Report report = FileAudit.run(FileRequests.of(root, "."));
        Report clean = new Report(
                report.version(), report.date(), report.targets(), report.failOn(), List.of(), report.resolved());

        assertThat(ReportFormat.HTML.write(clean))
                .contains("<title>clean: Audit of ")
                .doesNotContain("By container, service or file", "href=\"#f-");
    }

    @Test
    void a_report_of_a_file_that_could_not_be_judged_is_not_called_clean() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), "services: [\n");
        Report report = FileAudit.run(FileRequests.of(root, "."));

        assertThat(report.exitCode()).isEqualTo(3);
        assertThat(ReportFormat.HTML.write(report))
                .contains("partly evaluated: Audit of ")
                .doesNotContain("<title>clean");
    }

    @Test
    void a_browser_shows_it_on_a_phone_and_on_paper_without_asking_anybody() throws Exception {
        assumeThat(Browser.executable()).as("chromium is installed").isPresent();
        Report report = SampleReport.of(root);
        Path page = root.resolve("report.html");
        Files.writeString(page, ReportFormat.HTML.write(report));
        Path artefacts = Files.createDirectories(Path.of("target/report"));
        try (Browser browser = new Browser(Files.createDirectory(root.resolve("home")))) {
            browser.width(390);
            browser.open(page.toUri());

            assertThat(browser.events("Network.requestWillBeSent"))
                    .extracting(event -> ((Map<?, ?>) ((Map<?, ?>) event.get("params")).get("request")).get("url"))
                    .allMatch(url -> url.equals(page.toUri().toString()));
            assertThat(browser.events("Runtime.exceptionThrown")).isEmpty();
            assertThat(browser.events("Log.entryAdded")).isEmpty();
            assertThat(browser.evaluate("document.documentElement.scrollWidth")).isEqualTo("390");
            assertThat(browser.evaluate("document.querySelectorAll('section svg.chart rect').length > 3"))
                    .isEqualTo("true");
            assertThat(browser.evaluate("document.querySelectorAll('img, script').length"))
                    .isEqualTo("0");
            save(browser.call("Page.captureScreenshot", Map.of()), artefacts.resolve("phone.png"));

            assertThat(opensByKeyboard(browser)).isTrue();
            filtersByKeyboard(browser);

            browser.width(1280);
            save(browser.call("Page.captureScreenshot", Map.of()), artefacts.resolve("screen.png"));
            browser.call("Emulation.setEmulatedMedia", Map.of("media", "print"));
            assertThat(
                            browser.evaluate(
                                    "[...document.querySelectorAll('details.finding .body')].every(b => b.checkVisibility({contentVisibilityAuto: true, contentVisibilityProperty: true}) && b.getBoundingClientRect().height > 0)"))
                    .as("paper shows what is folded on the screen")
                    .isEqualTo("true");
            byte[] paper = save(browser.call("Page.printToPDF", Map.of()), artefacts.resolve("report.pdf"));
            assertThat(new String(paper, StandardCharsets.ISO_8859_1)).startsWith("%PDF");
        }
    }

    /// Tab leads to the first finding, and Enter unfolds it.
    private static boolean opensByKeyboard(Browser browser) throws Exception {
        for (int tries = 0; tries < 40; tries++) {
            browser.press("Tab", 9);
            if (browser.evaluate("document.activeElement.matches('details.finding > summary')")
                    .equals("true")) {
                browser.press("Enter", 13);
                return browser.evaluate("document.activeElement.parentElement.open")
                                .equals("true")
                        && browser.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                                .equals("solid");
            }
        }
        return false;
    }

    private static void filtersByKeyboard(Browser browser) throws Exception {
        String shown = "[...document.querySelectorAll('.finding')].filter(f => f.checkVisibility()).length";
        int all = Integer.parseInt(browser.evaluate(shown).toString());
        browser.evaluate("document.getElementById('only-all').focus()");
        browser.press("ArrowUp", 38);
        assertThat(browser.evaluate("document.getElementById('only-critical').checked"))
                .isEqualTo("true");
        assertThat(Integer.parseInt(browser.evaluate(shown).toString())).isBetween(1, all - 1);
        browser.press("ArrowDown", 40);
        assertThat(browser.evaluate(shown)).isEqualTo(Integer.toString(all));
    }

    private static byte[] save(Map<String, Object> reply, Path file) throws Exception {
        byte[] bytes = Base64.getDecoder().decode(String.valueOf(reply.get("data")));
        Files.write(file, bytes);
        assertThat(bytes.length).isGreaterThan(5_000);
        return bytes;
    }

    @Test
    void sections_come_in_one_order() {
        assertThat(Checks.all())
                .extracting(Sections::of)
                .as("every check belongs to a section that has a title")
                .allMatch(Sections.ORDER::contains);
        assertThat(List.copyOf(Sections.ORDER)).startsWith("Host", "Engine");
    }
}
