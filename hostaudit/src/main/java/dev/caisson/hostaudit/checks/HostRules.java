package dev.caisson.hostaudit.checks;

import java.util.List;
import java.util.stream.Stream;

/// All checks of a live host, in the order of their sections.
public final class HostRules {
    /// All but the one that compares the answers of the others.
    public static final List<HostRule> SINGLE = Stream.of(
                    HostChecks.ALL,
                    DaemonChecks.ALL,
                    FileChecks.ALL,
                    ImageChecks.ALL,
                    ImageHistoryChecks.ALL,
                    PrivilegeChecks.ALL,
                    NamespaceChecks.ALL,
                    LimitChecks.ALL,
                    MountChecks.ALL,
                    PortChecks.ALL,
                    ServiceChecks.ALL,
                    SwarmChecks.ALL)
            .flatMap(List::stream)
            .toList();

    /// Compares the answers of the others.
    public static final HostRule CONTRADICTED = HostRule.of(
            "claim-contradicted",
            facts -> ClaimChecks.contradictions(
                    SINGLE, facts, rule -> rule.judge().apply(facts)));

    public static final List<HostRule> ALL =
            Stream.concat(SINGLE.stream(), Stream.of(CONTRADICTED)).toList();

    private HostRules() {}
}
