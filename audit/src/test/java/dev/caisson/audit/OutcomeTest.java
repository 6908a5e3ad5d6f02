package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OutcomeTest {
    private static Finding finding(String check, Status status, String message) {
        return Finding.ofFile(
                        Checks.named(check),
                        new Subject(Subject.Kind.FILE, "compose.yaml"),
                        status,
                        Severity.HIGH,
                        message,
                        Optional.empty(),
                        Optional.empty())
                .withFingerprint(check + message);
    }

    private static Report report(Finding... findings) {
        return new Report("1", LocalDate.of(2026, 11, 25), List.of(), Severity.HIGH, List.of(findings), List.of());
    }

    @Test
    void what_cannot_be_judged_any_more_has_not_gone_away() {
        Report before = report(
                finding("privileged", Status.FAIL, "it is"),
                finding("host-pid", Status.FAIL, "it is"),
                finding("runs-as-root", Status.NOT_EVALUATED, "no base"));
        Report after = report(
                finding("privileged", Status.NOT_EVALUATED, "nobody knows"),
                finding("host-pid", Status.PASS, "it is not"),
                finding("runs-as-root", Status.NOT_EVALUATED, "no base"));

        assertThat(new Outcome(before, after).text()).isEqualTo("1 of 2 findings go away, 1 can then not be evaluated");
        assertThat(new Outcome(before, after).broken()).isEmpty();
        assertThat(new Outcome(before, before).text()).isEqualTo("0 of 2 findings go away");
    }

    @Test
    void a_file_that_is_not_understood_any_more_is_broken() {
        Report before = report(finding("privileged", Status.FAIL, "it is"));

        assertThat(new Outcome(before, report(finding("file-not-understood", Status.NOT_EVALUATED, "x"))).broken())
                .containsExactly("compose.yaml");
        Report known = report(finding("file-not-understood", Status.NOT_EVALUATED, "x"));
        assertThat(new Outcome(known, known).broken()).isEmpty();
    }
}
