package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Status;
import dev.caisson.hostaudit.engines.ContainerClaims;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.Tree;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whatever was asked for, the host gives no port on to a container that has internal networks alone.
class PublishedPortsTest {
    private static final String CLAIMS = "containers/0/claims/";
    private static final List<Map<String, Object>> NETWORKS = List.of(
            Map.of("name", "front", "driver", "bridge", "internal", false),
            Map.of("name", "back", "driver", "bridge", "internal", true),
            Map.of("name", "store", "driver", "bridge", "internal", true));

    /// A container that was asked to publish port 80, and listens on 8080 too.
    private static Status status(String check, List<String> networks) {
        Facts facts = FactsFile.with(
                "engine/networks",
                NETWORKS,
                CLAIMS + "networks",
                networks,
                CLAIMS + "ports",
                List.of(Map.of("port", "80/tcp", "hostAddress", "0.0.0.0", "hostPort", 80)),
                "containers/0/truth/listeners",
                List.of(Map.of("protocol", "tcp", "address", "0.0.0.0", "port", 8080, "inode", 7)));
        return HostAudit.judge(facts, LiveRequests.of(facts, Optional.empty(), 2)).findings().stream()
                .filter(finding -> finding.check().name().equals(check))
                .map(Finding::status)
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"port-everywhere", "privileged-port", "ports-unneeded", "ports-unpublished-open"})
    void ports_count_as_open_unless_every_network_is_internal(String check) {
        assertThat(status(check, List.of("back"))).isEqualTo(Status.PASS);
        assertThat(status(check, List.of("back", "store"))).isEqualTo(Status.PASS);
        assertThat(status(check, List.of("front"))).isEqualTo(Status.FAIL);
        assertThat(status(check, List.of("back", "front"))).isEqualTo(Status.FAIL);
        assertThat(status(check, List.of("unknown"))).isEqualTo(Status.FAIL);
        assertThat(status(check, List.of())).isEqualTo(Status.FAIL);
    }

    @Test
    void what_a_running_container_asked_for_and_did_not_get_is_not_published() {
        assertThat(ports(true, "{}")).isEmpty();
        assertThat(ports(true, "{\"80/tcp\": null}")).isEmpty();
        assertThat(ports(true, "{\"80/tcp\": [{\"HostIp\": \"0.0.0.0\", \"HostPort\": \"8080\"}]}"))
                .containsExactly(new ContainerFacts.Publication("80/tcp", "0.0.0.0", 8080));
        assertThat(ports(false, "{}")).as("one that is started later gets them").hasSize(1);
    }

    private static List<ContainerFacts.Publication> ports(boolean running, String live) {
        return ContainerClaims.of(
                        Tree.parse(
                                "{\"State\": {\"Running\": " + running + "}, \"NetworkSettings\": {\"Ports\": " + live
                                        + "}, \"HostConfig\": {\"PortBindings\": {\"80/tcp\": [{\"HostPort\": \"8080\"}]}}}"),
                        Tree.NONE)
                .ports();
    }
}
