package dev.caisson.cli.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Agreement;
import dev.caisson.audit.AuditException;
import dev.caisson.audit.Checks;
import dev.caisson.audit.Finding;
import dev.caisson.audit.Report;
import dev.caisson.audit.Severity;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AuditWatchTest {
    private static Report report(Finding... findings) {
        return new Report("1", LocalDate.EPOCH, List.of(), Severity.HIGH, List.of(findings), List.of());
    }

    private static Finding finding(String container, Status status, String message) {
        return new Finding(
                Checks.find("host-net").orElseThrow(),
                new Subject(Subject.Kind.CONTAINER, container),
                status,
                Severity.HIGH,
                message,
                Optional.empty(),
                Optional.empty(),
                Agreement.TRUTH_ONLY,
                List.of(),
                Optional.empty(),
                "",
                // of another order than the names
                (char) ('a' + 'z' - container.charAt(0)) + container,
                Optional.empty(),
                false);
    }

    @Test
    void what_came_what_went_and_what_reads_differently_is_told_and_the_rest_is_not() {
        Report before = report(
                finding("same", Status.FAIL, "a"),
                finding("went", Status.FAIL, "a"),
                finding("other", Status.FAIL, "a"),
                finding("fine", Status.PASS, "a"));
        Report now = report(
                finding("same", Status.FAIL, "a"),
                finding("went", Status.PASS, "a"),
                finding("other", Status.FAIL, "b"),
                finding("came", Status.FAIL, "a"));

        assertThat(AuditWatch.changes(before, now))
                .as("in the order of the report")
                .containsExactly(
                        "new: high host-net came: a", "changed: high host-net other: b", "gone: high host-net went: a");
    }

    @Test
    void what_could_not_be_judged_is_neither_gone_nor_new() {
        Report failed = report(finding("web", Status.FAIL, "a"));
        Report unknown = report(finding("web", Status.NOT_EVALUATED, "its facts could not be read"));

        assertThat(AuditWatch.changes(failed, unknown))
                .containsExactly("not evaluated: high host-net web: its facts could not be read");
        assertThat(AuditWatch.changes(unknown, failed)).containsExactly("evaluated: high host-net web: a");
    }

    @Test
    void an_engine_that_does_not_answer_for_a_while_is_told_once_and_the_watch_goes_on() {
        List<String> lines = new ArrayList<>();
        AtomicInteger round = new AtomicInteger();

        AuditWatch.run(
                report(finding("web", Status.FAIL, "a")),
                () -> {
                    if (round.incrementAndGet() < 4) {
                        throw new AuditException(AuditException.Code.ENGINE_UNREACHABLE, "no engine answers");
                    }
                    return report();
                },
                Duration.ofMillis(1),
                line -> {
                    lines.add(line);
                    if (line.startsWith("gone")) {
                        Thread.currentThread().interrupt();
                    }
                });

        assertThat(Thread.interrupted()).isTrue();
        assertThat(lines)
                .containsExactly("not audited: ENGINE_UNREACHABLE: no engine answers", "gone: high host-net web: a");
    }

    @Test
    void it_audits_until_it_is_interrupted() {
        List<String> lines = new ArrayList<>();
        Report first = report();

        AuditWatch.run(first, () -> report(finding("came", Status.FAIL, "a")), Duration.ofMillis(1), line -> {
            lines.add(line);
            Thread.currentThread().interrupt();
        });

        assertThat(Thread.interrupted()).isTrue();
        assertThat(lines).containsExactly("new: high host-net came: a");
    }
}
