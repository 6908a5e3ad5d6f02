package dev.caisson.cli.run;

import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Network;
import java.util.ArrayList;
import java.util.List;

/// Says what a container in the background misses while no resident engine is there.
final class KeeperNotes {
    private KeeperNotes() {}

    /// Returns a line for each thing that a container on networks would have with `caisson serve`.
    static List<String> of(ContainerSpec wish) {
        if (!(wish.network() instanceof Network.Joined joined)) {
            return List.of();
        }
        var notes = new ArrayList<String>();
        if (joined.egress().hasNames()) {
            notes.add(
                    "caisson: note: the names of --egress lead nowhere while 'caisson serve' is not there; addresses on"
                            + " the list are reached");
        }
        if (joined.egress() instanceof Egress.All
                && joined.endpoints().stream()
                        .anyMatch(endpoint -> !endpoint.network().equals(Networks.DEFAULT))) {
            notes.add(
                    "caisson: note: it finds no containers by name: no resident engine was there when it was created");
        }
        if (!joined.ports().mappings().isEmpty() || joined.ports().all()) {
            notes.add(
                    "caisson: note: its published ports answer at the host's addresses, but at 127.0.0.1 and ::1 only while"
                            + " 'caisson serve' runs");
        }
        return notes;
    }
}
