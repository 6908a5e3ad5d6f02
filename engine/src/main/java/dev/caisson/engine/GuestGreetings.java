package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.gate.GreetingRules;
import dev.caisson.gate.GreetingServer;
import dev.caisson.network.Attachment;
import dev.caisson.network.EgressDenial;
import dev.caisson.network.GateLead;
import dev.caisson.network.GateReach;
import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Destination;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Reads the greetings of TLS of containers that this process serves, and leads their connections on by the names in
/// them. A container for which nobody does reaches nothing by such a name.
final class GuestGreetings implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(GuestGreetings.class.getName());
    private static final String PROTOCOL = "tcp";

    /// @param place of the container, and of the host's side of its network
    /// @param lookups its own, as it chooses names below a wildcard, whose servers may keep all threads waiting
    private record Serving(GreetingServer server, Attachment.Address place, HostLookups lookups)
            implements AutoCloseable {
        @Override
        public void close() {
            server.close();
            lookups.close();
        }
    }

    private final EngineOptions options;
    private final Consumer<EgressDenial> denials;
    private final GateReach reach;
    private final Map<String, Serving> serving = new HashMap<>();
    private final Thread renewing =
            Thread.ofPlatform().daemon().name("caisson greeting renewal").unstarted(this::renew);

    GuestGreetings(EngineOptions options, Consumer<EgressDenial> denials) {
        this.options = options;
        this.denials = denials;
        this.reach = new GateReach(options.networks());
        renewing.start();
    }

    /// Says that nobody reads a container's greetings, until [#begin].
    static void prepare(Networks networks, ContainerId id) {
        networks.memberships().lead(id, List.of(GateLead.ofGreetings(0)));
    }

    /// Reads the greetings of a container, until [#end].
    synchronized void begin(ContainerId id, List<Attachment> places, Networks networks) throws IOException {
        Optional<Attachment.Address> outward = places.stream()
                .filter(place -> !place.internal())
                .flatMap(place -> place.ip4().stream())
                .findFirst();
        Serving one = serving.get(id.value());
        if (one == null || outward.filter(one.place()::equals).isEmpty()) {
            end(id.value());
            if (outward.isEmpty()) {
                return;
            }
            one = open(id, outward.get());
            serving.put(id.value(), one);
        } else if (reach.leadsGreetings(id, one.server().port())) {
            return; // else its list was without such names for a moment
        }
        try {
            networks.memberships()
                    .lead(id, List.of(GateLead.ofGreetings(one.server().port())));
        } catch (RuntimeException e) {
            end(id.value()); // so that it is tried again
            throw e;
        }
    }

    private Serving open(ContainerId id, Attachment.Address place) throws IOException {
        var lookups = new HostLookups("caisson greeting lookup ");
        GreetingServer server = GreetingServer.open(
                place.gateway(),
                place.address()::equals,
                Destination.Name.GREETED,
                rules(id, place.gateway(), lookups));
        return new Serving(server, place, lookups);
    }

    private GreetingRules rules(ContainerId id, InetAddress gateway, HostLookups lookups) {
        return new GreetingRules() {
            @Override
            public boolean allows(String name) {
                return reach.greets(id, name);
            }

            @Override
            public List<InetAddress> addresses(String name) throws UnknownHostException {
                return reach.reached(id, Destination.Name.GREETED, lookups.addresses(name));
            }

            @Override
            public void denied(String name, String reason) {
                denials.accept(new EgressDenial(
                        id,
                        name.isEmpty() ? Optional.empty() : Optional.of(name),
                        Optional.of(gateway),
                        Destination.Name.GREETED,
                        PROTOCOL,
                        reason));
            }
        };
    }

    /// Renews what leads here, which ends by itself if this process is killed.
    private void renew() {
        while (true) {
            try {
                Thread.sleep(GateLead.RENEWED_EACH);
                List<ContainerId> served = served();
                if (!served.isEmpty()) {
                    try (Networks networks = HostNetworks.open(options)) {
                        networks.memberships().renewLeads(served);
                    }
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.WARNING, "greetings could not be led to, and are tried again", e);
            }
        }
    }

    private synchronized List<ContainerId> served() {
        return serving.keySet().stream().map(ContainerId::new).toList();
    }

    synchronized void end(String id) {
        Serving one = serving.remove(id);
        if (one != null) {
            leadNowhere(List.of(id));
            one.close();
        }
    }

    /// Before the ports are closed, which others may get then.
    private void leadNowhere(Iterable<String> containers) {
        try (Networks networks = HostNetworks.open(options)) {
            containers.forEach(id -> prepare(networks, new ContainerId(id)));
        } catch (CaissonException e) {
            LOG.log(System.Logger.Level.WARNING, "greetings are led to for some seconds more", e);
        }
    }

    @Override
    public synchronized void close() {
        renewing.interrupt();
        if (!serving.isEmpty()) {
            leadNowhere(serving.keySet());
        }
        serving.values().forEach(Serving::close);
        serving.clear();
        reach.close();
    }
}
