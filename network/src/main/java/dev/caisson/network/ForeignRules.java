package dev.caisson.network;

import dev.caisson.linux.NetlinkException;
import dev.caisson.linux.NetlinkSocket;
import dev.caisson.network.nft.Batch.Hook;
import dev.caisson.network.nft.ClosedChains;
import dev.caisson.network.nft.ClosedChains.ClosedChain;
import dev.caisson.spec.Network;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// Tells which packet filter of somebody else's on the host has the last word over what our rules let pass, and which
/// setting of the host keeps packets from coming back. Rules of iptables-legacy are not seen.
final class ForeignRules {
    private static final String LINKS = "cn";
    private static final String FILTERED_BRIDGES = "bridge/bridge-nf-call-iptables";
    private static final String PASSES = "passes the packet filters of others";

    private final ClosedChains chains;
    private final NetworkRecords records;

    /// @param own name of our tables
    ForeignRules(NetlinkSocket filter, String own, NetworkRecords records) {
        this.chains = new ClosedChains(filter, own, LINKS);
        this.records = records;
    }

    /// Returns what is in the way of a container on these networks, of which some may be made at its start; or that it
    /// cannot be read.
    List<String> sentences(Network.Joined joined) {
        try {
            return found(joined);
        } catch (NetlinkException e) {
            return List.of("packet filters of others, which may be in the way, could not be read: " + e.sentence());
        }
    }

    private List<String> found(Network.Joined joined) {
        var sentences = new ArrayList<String>();
        boolean leadsOut = joined.endpoints().stream()
                .anyMatch(endpoint -> network(endpoint.network())
                        .filter(NetworkInfo::internal)
                        .isEmpty());
        if (leadsOut) {
            chains.at(Hook.FORWARD)
                    .forEach(chain -> sentences.add(named(chain)
                            + " drops what is forwarded and has no rule for interfaces "
                            + LINKS + "*: let them pass there, or containers reach nothing outside of their network,"
                            + " and nobody their published ports"));
        }
        boolean led = !joined.gates().isEmpty() || joined.egress().greets();
        if (led || !joined.hostServices().ports().isEmpty()) {
            chains.at(Hook.INPUT)
                    .forEach(chain -> sentences.add(named(chain) + " drops what comes to the host and has no rule for"
                            + " interfaces " + LINKS + "*: let "
                            + (led ? "TCP" : "the ports of --allow host-services")
                            + " pass from there, or containers do not reach them"));
        }
        ledBack(joined).ifPresent(sentences::add);
        return List.copyOf(sentences);
    }

    /// Where the kernel shows frames of bridges to packet filters, a published port is led to its container on the
    /// bridge itself. That gives no frame back to the port that it came by, nor from one isolated port to another.
    /// Few containers ask themselves by the host's address: that is in the docs alone.
    private Optional<String> ledBack(Network.Joined joined) {
        boolean publishes =
                !joined.ports().mappings().isEmpty() || joined.ports().all();
        if (!publishes || !Sysctl.read(FILTERED_BRIDGES).equals(Optional.of("1"))) {
            return Optional.empty();
        }
        List<String> apart = joined.endpoints().stream()
                .flatMap(endpoint -> network(endpoint.network()).stream())
                .filter(network -> !network.betweenContainers())
                .map(NetworkInfo::name)
                .toList();
        return apart.isEmpty()
                ? Optional.empty()
                : Optional.of("net.bridge.bridge-nf-call-iptables is 1, so no container of network "
                        + String.join(", ", apart) + " reaches the published ports by an address of the host: link them"
                        + " to the container, or set it to 0 if nothing else on the host needs it");
    }

    private Optional<NetworkInfo> network(String name) {
        return records.networks().values().stream()
                .filter(one -> one.name().equals(name))
                .findFirst();
    }

    private static String named(ClosedChain chain) {
        return "chain " + chain.name() + " of table " + chain.family() + " " + chain.table();
    }

    /// Compares what others let pass with what a container needs.
    List<HostCheck> checks(ContainerNetworks container) {
        var checks = new ArrayList<HostCheck>();
        boolean leadsOut = container.attachments().stream().anyMatch(place -> !place.internal());
        if (leadsOut) {
            checks.add(check("what it sends out", Hook.FORWARD));
        }
        boolean led = !container.gates().isEmpty() || container.egress().greets();
        if (led || !container.hostPorts().isEmpty()) {
            checks.add(check("what it sends to the host, which serves it or leads it on", Hook.INPUT));
        }
        return checks;
    }

    private HostCheck check(String subject, Hook hook) {
        List<ClosedChain> closed = chains.at(hook);
        return new HostCheck(
                subject,
                PASSES,
                closed.isEmpty()
                        ? PASSES
                        : closed.stream().map(ForeignRules::named).collect(Collectors.joining(", "))
                                + " drops it: let interfaces " + LINKS + "* pass there");
    }
}
