package dev.caisson.engine;

import dev.caisson.launch.Step;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Network;
import java.util.Map;

/// Changes what a container that outlives its command may send to, under its lock: the kernel first, then what is
/// written down.
final class EgressChange {
    private final DetachedPlace place;
    private final DetachedHold held;

    EgressChange(DetachedPlace place, DetachedHold held) {
        this.place = place;
        this.held = held;
    }

    void to(Egress egress) {
        ContainerSpec spec = KeptSpec.read(held.kept()).orElseThrow(() -> refused("has no spec that is written down"));
        switch (spec.network()) {
            case Network.None _ -> throw refused("is on no network, so it reaches nothing");
            case Network.Host _ -> throw refused("is in the host's network, where no list holds");
            case Network.OfContainer it -> throw refused("shares the network and the list of container " + it.text());
            case Network.Joined joined -> {
                if (egress.hasNames() && place.hasMonitor() && !asksUs()) {
                    throw refused(
                            "asks the host's servers for names, which " + egress.text() + " does not let it reach");
                }
                if (egress.greets() && !joined.gates().isEmpty()) {
                    throw refused("has gates of secrets, which read its greetings themselves");
                }
                GuestNetworks.limit(place.options(), place.id(), egress);
                KeptSpec.write(
                        held.kept(),
                        spec.network(joined.egress(egress)
                                .gates(joined.gates().stream()
                                        .filter(gate -> gate.isOn(egress))
                                        .toList())));
                place.note("update", Map.of("egress", egress.text()));
            }
        }
    }

    /// A container that was created without names that we answer has others' servers in its resolv.conf.
    private boolean asksUs() {
        return !place.record().plan().plan().all(Step.Resolver.class).isEmpty();
    }

    private EngineException refused(String why) {
        return new EngineException(
                "EGRESS_REFUSED",
                "what container " + place.name() + " may send to cannot be changed: it " + why
                        + "; create it again with --network and --egress");
    }
}
