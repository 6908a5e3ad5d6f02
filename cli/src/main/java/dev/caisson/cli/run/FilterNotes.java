package dev.caisson.cli.run;

import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.HostNetworks;
import dev.caisson.error.CaissonException;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import java.util.List;

/// Says which packet filter of somebody else's on the host keeps a container's packets from passing.
final class FilterNotes {
    private FilterNotes() {}

    /// Returns a line for each; none for a container on no network.
    static List<String> of(ContainerSpec wish, EngineOptions directories) {
        if (!(wish.network() instanceof Network.Joined joined)) {
            return List.of();
        }
        List<String> warnings;
        try {
            warnings = HostNetworks.read(directories, List.of(), networks -> networks.warnings(joined));
        } catch (CaissonException e) { // which keeps no container from its start
            warnings = List.of("the packet filters of others could not be read: " + e.sentence());
        }
        return warnings.stream()
                .map(warning -> "caisson: warning: " + OneLine.of(warning))
                .toList();
    }
}
