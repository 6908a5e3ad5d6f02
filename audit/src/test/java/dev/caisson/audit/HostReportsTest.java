package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.text.Json;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Reports of a host with many containers, for people and for the programs that take them.
class HostReportsTest {
    private static Finding finding(String check, Subject.Kind kind, String subject, Status status, String message) {
        Check asked = Checks.named(check);
        return new Finding(
                asked,
                new Subject(kind, subject),
                status,
                asked.severity(),
                message,
                Optional.of("claim"),
                Optional.of("truth"),
                Agreement.AGREE,
                List.of(),
                Optional.empty(),
                asked.fix(),
                Integer.toHexString((check + subject).hashCode()),
                Optional.empty(),
                false);
    }

    private static Finding fails(String check, String container, String message) {
        return finding(check, Subject.Kind.CONTAINER, container, Status.FAIL, message);
    }

    private static Report report(Severity failOn, List<Finding> findings) {
        return new Report("1", LocalDate.of(2026, 11, 26), List.of("this host"), failOn, findings, List.of());
    }

    private static List<Finding> many(int count) {
        return new ArrayList<>(IntStream.range(0, count)
                .mapToObj(at -> fails("memory-unbounded", "web-" + at, "nothing limits its memory"))
                .toList());
    }

    @Test
    void counts_come_first_and_equal_findings_of_many_containers_are_one() {
        List<Finding> findings = many(135);
        findings.add(fails("privileged-in-effect", "web-3", "it was started with --privileged"));

        List<String> lines =
                ReportFormat.TEXT.write(report(Severity.HIGH, findings)).lines().toList();

        assertThat(lines.getFirst()).isEqualTo("open: 1 critical, 135 high; 136 at or over high");
        assertThat(lines)
                .filteredOn(line -> line.contains("nothing limits its memory"))
                .singleElement()
                .satisfies(line -> assertThat(line).contains("135 containers: "));
        assertThat(lines.indexOf("critical:")).isLessThan(lines.indexOf("high:"));
        assertThat(lines).hasSizeLessThan(20);
    }

    @Test
    void no_line_is_longer_than_a_terminal_whatever_a_name_or_path_is() {
        List<Finding> findings = many(3);
        findings.add(fails("host-directory", "x".repeat(200), "of the host it has /" + "y/".repeat(400) + " at /z rw"));
        findings.add(fails("host-directory", "\uD83D\uDC0B".repeat(100), "\uD83D\uDC0B".repeat(300)));

        String text = ReportFormat.TEXT.write(report(Severity.HIGH, findings));

        assertThat(text.lines()).allMatch(line -> line.length() <= 120);
        assertThat(text).doesNotContain("\uFFFD").contains("\uD83D\uDC0B");
    }

    @Test
    void what_follows_from_one_cause_is_told_with_it_and_listed_alone_for_programs() {
        List<Finding> findings = List.of(
                fails("privileged-in-effect", "web", "it was started with --privileged"),
                fails("filter-off", "web", "no filter holds for sleep (1)"),
                fails("capabilities-wide", "web", "it has SYS_ADMIN"),
                fails("filter-off", "db", "no filter holds for sleep (2)"));

        String text = ReportFormat.TEXT.write(report(Severity.HIGH, findings));

        assertThat(text)
                .contains("and so capabilities-wide, filter-off")
                .doesNotContain("sleep (1)")
                .contains("sleep (2)");
        assertThat(ReportFormat.JSON.write(report(Severity.HIGH, findings))).contains("sleep (1)");
    }

    @Test
    void what_could_not_be_evaluated_for_one_reason_is_one_line() {
        List<Finding> findings = List.of("memory-unbounded", "host-net", "filter-off").stream()
                .map(check -> finding(check, Subject.Kind.CONTAINER, "web", Status.NOT_EVALUATED, "run as root"))
                .toList();

        assertThat(ReportFormat.TEXT.write(report(Severity.HIGH, findings)).lines())
                .filteredOn(line -> line.contains("run as root"))
                .containsExactly("  web: run as root [3 checks]");
    }

    @Test
    void failures_of_junit_follow_the_threshold() {
        List<Finding> findings = List.of(
                fails("memory-unbounded", "web", "nothing limits its memory"),
                fails("health-unknown", "web", "nobody asks"));

        String strict = ReportFormat.JUNIT.write(report(Severity.LOW, findings));
        String high = ReportFormat.JUNIT.write(report(Severity.HIGH, findings));
        String none = ReportFormat.JUNIT.write(report(Severity.CRITICAL, findings));

        assertThat(strict).contains("failures=\"2\"", "skipped=\"0\"");
        assertThat(high).contains("failures=\"1\"", "skipped=\"1\"", "low, below --fail-on high: nobody asks");
        assertThat(none).contains("failures=\"0\"", "skipped=\"2\"").doesNotContain("<failure");
    }

    /// docs.github.com, "SARIF support for code scanning": what is required of results and rules, and how much is read.
    @Test
    void code_scanning_takes_every_result_of_a_host() {
        List<Finding> findings = many(25_100);
        findings.add(fails("privileged-in-effect", "zz/../x y", "it was started with --privileged"));
        findings.add(finding("engine-socket-file-mode", Subject.Kind.FILE, "/run/docker.sock", Status.FAIL, "0666"));

        Map<?, ?> run = (Map<?, ?>) ((List<?>) ((Map<?, ?>) Json.parse(
                                ReportFormat.SARIF.write(report(Severity.HIGH, findings)),
                                new Json.Limits(256 << 20, 64, 10_000_000)))
                        .get("runs"))
                .getFirst();
        List<?> results = (List<?>) run.get("results");

        assertThat(results).hasSize(25_000);
        assertThat(run.toString()).contains("102 findings are left out");
        assertThat(results).allSatisfy(result -> {
            Map<?, ?> place = (Map<?, ?>) ((List<?>) ((Map<?, ?>) result).get("locations")).getFirst();
            Map<?, ?> physical = (Map<?, ?>) place.get("physicalLocation");
            String uri =
                    ((Map<?, ?>) physical.get("artifactLocation")).get("uri").toString();
            assertThat(uri).doesNotStartWith("/").doesNotContain("..", " ", "://");
            assertThat(((Map<?, ?>) physical.get("region")).get("startLine")).isEqualTo(1L);
            assertThat(((Map<?, ?>) ((Map<?, ?>) result).get("partialFingerprints")).get("primaryLocationLineHash"))
                    .isNotNull();
            assertThat(((Map<?, ?>) ((Map<?, ?>) result).get("message"))
                            .get("text")
                            .toString())
                    .isNotBlank();
        });
        assertThat(results.toString()).contains("container/zz/__/x%20y", "uri=run/docker.sock");
        Map<?, ?> driver = (Map<?, ?>) ((Map<?, ?>) run.get("tool")).get("driver");
        assertThat((List<?>) driver.get("rules")).allSatisfy(rule -> {
            Map<?, ?> properties = (Map<?, ?>) ((Map<?, ?>) rule).get("properties");
            assertThat((List<?>) properties.get("tags")).hasSizeLessThanOrEqualTo(10);
            assertThat(Double.parseDouble(properties.get("security-severity").toString()))
                    .isBetween(0.0, 10.0);
            assertThat(((Map<?, ?>) ((Map<?, ?>) rule).get("help")).get("text").toString())
                    .isNotBlank();
        });
    }

    @Test
    void a_list_of_recommendations_has_those_that_pass_and_those_that_do_not_apply() {
        List<Finding> findings = List.of(
                finding("host-net", Subject.Kind.HOST, "this host", Status.NOT_APPLICABLE, "there is no container"),
                finding("icc-on", Subject.Kind.DAEMON, "dockerd", Status.PASS, "containers are kept apart"));

        String csv = ReportFormat.CSV.write(report(Severity.HIGH, findings));
        String bench = ReportFormat.DOCKER_BENCH_JSON.write(report(Severity.HIGH, findings));
        String html = ReportFormat.HTML.write(report(Severity.HIGH, findings));

        assertThat(csv).contains("there is no container", "containers are kept apart", "\"5.10\"", "cis 1.8");
        assertThat(bench).contains("\"id\": \"5.10\"", "not-applicable: there is no container");
        assertThat(html).contains("there is no container", "5.10 (1.6, 1.7, 1.8)");
    }
}
