package dev.caisson.network;

import dev.caisson.network.NetworkException.Code;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerLink;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// Finds the containers that one is linked to, by their names or ids.
final class LinkTargets {
    private final NetworkRecords records;
    private final ContainerId container;

    /// @param container the one that is linked to others
    LinkTargets(NetworkRecords records, ContainerId container) {
        this.records = records;
        this.container = container;
    }

    /// Returns what a link leads to on a network. Where containers do not reach each other it has no address of IPv6,
    /// which would lead nowhere.
    /// @throws NetworkException LINK_REFUSED if the container is not found, or is not on the network
    Attachment.Linked settled(ContainerLink link, NetworkInfo network) {
        ContainerNetworks target = find(link.container());
        Attachment place = target.attachments().stream()
                .filter(one -> one.networkId().equals(network.id()))
                .findFirst()
                .orElseThrow(() -> refused("container " + target.name() + " is not on network " + network.name()
                        + ", but on " + networks(target) + ": put both on one network"));
        return new Attachment.Linked(
                target.container(),
                target.name(),
                link.alias(),
                place.ip4().map(Attachment.Address::address),
                place.ip6().filter(_ -> network.betweenContainers()).map(Attachment.Address::address),
                target.exposed().all());
    }

    private static String networks(ContainerNetworks of) {
        return of.attachments().isEmpty()
                ? "none"
                : of.attachments().stream().map(Attachment::network).collect(Collectors.joining(", "));
    }

    private ContainerNetworks find(String nameOrId) {
        List<ContainerNetworks> found = matching(other -> other.name().equals(nameOrId));
        if (found.isEmpty()) {
            found = matching(other -> other.container().value().startsWith(nameOrId));
        }
        if (found.size() > 1) {
            throw refused(found.size() + " containers match '" + nameOrId + "': give more of the id");
        }
        if (found.isEmpty()) {
            throw refused("container " + ContainerId.shortened(nameOrId)
                    + " is on no network, or is not there: create it on the network before what is linked to it");
        }
        return found.getFirst();
    }

    private List<ContainerNetworks> matching(Predicate<ContainerNetworks> wanted) {
        return records.containers().values().stream()
                .filter(other -> !other.vacant() && !other.container().equals(container) && wanted.test(other))
                .toList();
    }

    private static NetworkException refused(String sentence) {
        return new NetworkException(Code.LINK_REFUSED, sentence);
    }
}
