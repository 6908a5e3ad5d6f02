package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Report;
import dev.caisson.audit.Status;
import dev.caisson.hostaudit.HostAudit.HostJson;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.FactsJson;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Many hosts in one report: what one of them sends cannot end the audit of the others.
class FleetTest {
    static List<String> bad() {
        return List.of(
                "",
                "no JSON",
                "[]",
                "{}",
                "[".repeat(2_000_000),
                "{\"a\":".repeat(500_000),
                FactsJson.write(FactsFile.with("images/0/tags", List.of(), "images/0/id", "short")),
                FactsJson.write(FactsFile.with("containers/0/truth/processes", List.of())),
                FactsJson.write(FactsFile.with("containers/0/truth/processes/0/uids", List.of())),
                FactsJson.write(FactsFile.recorded()).replaceFirst("\"processors\" *: *\\d+", "\"processors\":1e300"));
    }

    @ParameterizedTest
    @MethodSource("bad")
    void a_host_that_sends_no_facts_is_told_beside_the_others(String json) {
        Report report = HostAudit.judge(
                List.of(new HostJson("bad", json, ""), new HostJson("good", FactsJson.write(FactsFile.recorded()), "")),
                LiveRequests.of(Optional.empty(), Path.of("/")));

        assertThat(report.findings())
                .filteredOn(finding -> finding.subject().name().startsWith("bad/"))
                .singleElement()
                .satisfies(finding -> assertThat(finding.status()).isEqualTo(Status.NOT_EVALUATED));
        assertThat(report.findings())
                .filteredOn(finding -> finding.subject().name().startsWith("good/"))
                .hasSizeGreaterThan(100);
    }

    @Test
    void brackets_in_texts_are_no_depth() {
        Facts facts = FactsFile.with("containers/0/name", "[".repeat(1000) + "\"\\");

        assertThat(FactsJson.read(FactsJson.write(facts))).isEqualTo(facts);
    }

    @Test
    void findings_of_every_host_carry_its_name() {
        Report report = HostAudit.judge(
                List.of(new HostJson("a", "", "it could not be asked")),
                LiveRequests.of(Optional.empty(), Path.of("/")));

        assertThat(report.findings()).singleElement().satisfies(finding -> {
            assertThat(finding.message()).isEqualTo("it could not be asked");
            assertThat(finding.remediation()).contains("on that host");
        });
        assertThat(report.exitCode()).isEqualTo(3);
    }
}
