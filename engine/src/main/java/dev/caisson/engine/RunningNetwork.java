package dev.caisson.engine;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.launch.ExecLauncher;
import dev.caisson.launch.ExecPlan;
import dev.caisson.launch.GuestNetwork;
import dev.caisson.launch.Launched;
import dev.caisson.launch.Namespace;
import dev.caisson.launch.NetlinkProtocol;
import dev.caisson.launch.NetlinkRequests;
import dev.caisson.launch.SlotSource;
import dev.caisson.launch.Step;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.network.Attachment;
import dev.caisson.network.GuestMessages;
import dev.caisson.network.Memberships;
import dev.caisson.state.ContainerRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The links of a container that runs. Their ends on the host are made here; what is set inside is set by a process
/// that enters the container for that alone.
final class RunningNetwork {
    private final ContainerRecord record;

    /// @param record with the process 1 that it has now
    RunningNetwork(ContainerRecord record) {
        this.record = record;
    }

    /// Makes the link of a place, and sets it up inside.
    ///
    /// @param all places of the container, with that one
    void link(Memberships memberships, List<Attachment> all, Attachment made) {
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            ExecTarget target = ExecTarget.of(record, hierarchy);
            List<Fd> namespace = target.namespaces(List.of(Namespace.NETWORK));
            try {
                memberships.link(made, namespace.getFirst());
            } finally {
                namespace.forEach(Fd::close);
            }
            enter(
                    target,
                    GuestNetworks.hasIpv6() ? GuestNetwork.sysctls(made) : Map.of(),
                    Stream.concat(
                                    Stream.of(
                                            // it may have been started without a network, and so without these
                                            netlink(NetlinkProtocol.NETFILTER, GuestMessages.neighborsAgain()),
                                            netlink(NetlinkProtocol.ROUTE, GuestMessages.linked(all, made))),
                                    GuestNetwork.gateways(made).stream())
                            .toList());
        }
    }

    /// Takes the link of a place away, and leads the container out by another one.
    ///
    /// @param all places of the container, with that one
    void unlink(Memberships memberships, List<Attachment> all, Attachment gone) {
        memberships.unlink(gone);
        Optional<byte[]> others = GuestMessages.unlinked(all, gone);
        if (others.isPresent()) {
            try (Hierarchy hierarchy = Hierarchy.detect()) {
                enter(
                        ExecTarget.of(record, hierarchy),
                        Map.of(),
                        List.of(netlink(NetlinkProtocol.ROUTE, others.get())));
            }
        }
    }

    private static Step.Netlink netlink(NetlinkProtocol protocol, byte[] requests) {
        return new Step.Netlink(protocol, new NetlinkRequests(requests));
    }

    private static void enter(ExecTarget target, Map<String, String> sysctls, List<? extends Step> requests) {
        var opened = new ArrayList<Fd>();
        try (var zygote = new RunningZygote(false)) {
            List<Fd> joins = target.group().chargedJoinFds();
            opened.addAll(joins);
            // whoever is born into the group of a paused one stands still
            Optional<Fd> directory =
                    target.isFrozenInside() ? Optional.empty() : target.group().chargedCloneInto();
            directory.ifPresent(opened::add);
            ExecPlan plan = ExecPlan.network(target.plan(), joins.size(), sysctls, requests);
            List<Fd> namespaces = target.namespaces(plan.slots().stream()
                    .filter(SlotSource.NamespaceOf.class::isInstance)
                    .map(slot -> ((SlotSource.NamespaceOf) slot).namespace())
                    .toList());
            opened.addAll(namespaces);
            Fd none = FileSystem.open("/dev/null", FileSystem.O_RDWR);
            opened.add(none);
            Launched launched = zygote.execLauncher()
                    .enter(
                            plan,
                            new ExecLauncher.Given(
                                    directory, joins, namespaces, List.of(none, none, none), Optional.empty()));
            launched.abandon(); // it has said that all is done
        } finally {
            opened.forEach(Fd::close);
        }
    }
}
