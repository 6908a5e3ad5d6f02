package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Status;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("root")
@Timeout(60)
class RehearsalTest {
    /// Else the JVM records no class of what reads and judges containers, and every audit loads them anew.
    @Test
    void a_container_is_read_and_judged_in_it() {
        List<Finding> findings = Rehearsal.report().findings().stream()
                .filter(finding -> finding.subject().name().equals("caisson/rehearsed"))
                .toList();

        assertThat(findings)
                .hasSizeGreaterThan(30)
                .noneMatch(finding ->
                        finding.check().name().equals("host-net") && finding.status() == Status.NOT_EVALUATED);
    }
}
