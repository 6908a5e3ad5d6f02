package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.gate.Authority;
import dev.caisson.gate.GateServer;
import dev.caisson.gate.HostTrust;
import dev.caisson.gate.Origins;
import dev.caisson.network.Attachment;
import dev.caisson.network.EgressDenial;
import dev.caisson.network.GateLead;
import dev.caisson.network.GateReach;
import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Gate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/// The gates of containers that this process serves. A container without its gate reaches nobody by that name.
final class GuestGates implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(GuestGates.class.getName());
    private static final long CLOSE_SECONDS = 5;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long PAUSE_MILLIS = 10;
    private static final long LOOK_MILLIS = 100;
    private static final long FAILED_MILLIS = 1_000;

    /// @param place of the container, and of the host's side of its network, that the gates are open for
    /// @param secrets by which others are told from these; without values
    private record Serving(
            GateServer server, GateUses uses, Attachment.Address place, List<Gate> gates, GateSecrets secrets)
            implements AutoCloseable {
        @Override
        public void close() {
            server.close();
            uses.close();
        }
    }

    private final EngineOptions options;
    private final Consumer<EgressDenial> denials;
    private final Map<String, Serving> serving = new HashMap<>();
    private final HostLookups lookups = new HostLookups("caisson gate lookup ");
    private final ExecutorService writing = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("caisson gate log").factory());
    private final Thread renewing =
            Thread.ofPlatform().daemon().name("caisson gate renewal").unstarted(this::renew);
    private final Thread looking =
            Thread.ofPlatform().daemon().name("caisson gate values").unstarted(this::look);
    private @Nullable GateReach reach;

    GuestGates(EngineOptions options, Consumer<EgressDenial> denials) {
        this.options = options;
        this.denials = denials;
        renewing.start();
        looking.start();
    }

    /// Looks for other values. To open the store may take long, if a program unlocks it, so nothing else waits
    /// for that.
    private void look() {
        var values = new GateUpdates(options, this::replace, this::end);
        long pause = LOOK_MILLIS;
        while (true) {
            try {
                Thread.sleep(pause);
                pause = LOOK_MILLIS;
                values.look(secrets());
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.WARNING, "values of gates could not be read, and are tried again", e);
                pause = FAILED_MILLIS;
            }
        }
    }

    /// Renews what leads to gates that are open, which ends by itself if this process is killed.
    private void renew() {
        while (true) {
            try {
                Thread.sleep(GateLead.RENEWED_EACH);
                List<ContainerId> open = open();
                if (!open.isEmpty()) {
                    try (Networks networks = HostNetworks.open(options)) {
                        networks.memberships().renewLeads(open);
                    }
                }
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                LOG.log(System.Logger.Level.WARNING, "gates could not be led to, and are tried again", e);
            }
        }
    }

    private synchronized Map<String, GateSecrets> secrets() {
        var all = new HashMap<String, GateSecrets>();
        serving.forEach((id, one) -> all.put(id, one.secrets()));
        return all;
    }

    /// Has the gates of a container put other values into requests, if it has the former ones still.
    private synchronized void replace(String id, GateSecrets former, GateSecrets next) {
        Serving one = serving.get(id);
        if (one != null && one.secrets() == former) {
            one.server().replace(next.copies());
            serving.put(id, new Serving(one.server(), one.uses(), one.place(), one.gates(), next));
        }
    }

    private synchronized List<ContainerId> open() {
        return serving.keySet().stream().map(ContainerId::new).toList();
    }

    /// Says that the hosts of a container's gates lead nowhere, until [#begin].
    static void prepare(Networks networks, ContainerId id, List<Gate> gates) {
        networks.memberships().lead(id, leads(gates, Map.of()));
    }

    /// @param ports that gates listen on, by the ports that the container sends to
    private static List<GateLead> leads(List<Gate> gates, Map<Integer, Integer> ports) {
        return gates.stream()
                .map(gate -> new GateLead(gate.host(), gate.port(), ports.getOrDefault(gate.port(), 0)))
                .distinct()
                .toList();
    }

    /// Waits until the gates of a container are open, for a few seconds: programs that find them closed try again after
    /// a second, but for long.
    static void await(ContainerId id, EngineOptions options) throws InterruptedException {
        if (!HostNetworks.hasAny(options)) {
            return;
        }
        long begun = System.nanoTime();
        try (var reach = new GateReach(options.networks())) {
            while (reach.isClosed(id) && System.nanoTime() - begun < PATIENCE_NANOS) {
                Thread.sleep(PAUSE_MILLIS);
            }
        }
    }

    /// Opens the gates of a container, until [#end]; those that are open at the right address stay.
    ///
    /// @param values is asked for them if they are opened
    synchronized void begin(ContainerId id, List<Attachment> places, Networks networks, Callable<GateSecrets> values)
            throws IOException {
        Optional<Attachment.Address> outward = places.stream()
                .filter(place -> !place.internal())
                .flatMap(place -> place.ip4().stream())
                .findFirst();
        if (outward.isEmpty()) {
            end(id.value());
            return;
        }
        Attachment.Address place = outward.get();
        Serving before = serving.get(id.value());
        if (before != null && before.place().equals(place)) {
            return;
        }
        end(id.value());
        Authority authority = GateFiles.authority(options.state(), id)
                .orElseThrow(() -> new EngineException(
                        "GATE_CERTIFICATES",
                        "the authority of the gates of container " + id.shortForm() + " is gone: create it again"));
        SSLContext trust = HostTrust.context();
        var uses = new GateUses(id, options.data(), writing, denials);
        List<Gate> gates;
        GateServer server;
        try (GateSecrets read = call(values)) {
            gates = read.gates();
            server = GateServer.open(
                    place.gateway(), place.address()::equals, authority, read.copies(), trust, origins(id), uses);
            serving.put(id.value(), new Serving(server, uses, place, gates, read));
        }
        try {
            networks.memberships().lead(id, leads(gates, server.ports()));
        } catch (RuntimeException e) {
            end(id.value()); // so that it is tried again
            throw e;
        }
    }

    private static GateSecrets call(Callable<GateSecrets> values) throws IOException {
        try {
            return values.call();
        } catch (RuntimeException | IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    private GateReach reach() {
        GateReach known = reach;
        if (known == null) {
            known = new GateReach(options.networks());
            reach = known;
        }
        return known;
    }

    private Origins origins(ContainerId id) {
        GateReach rules = reach();
        return new Origins() {
            @Override
            public boolean allows(Gate gate) {
                return rules.allows(id, gate.host(), gate.port());
            }

            @Override
            public List<InetAddress> addresses(Gate gate) throws UnknownHostException {
                return rules.reached(id, gate.port(), lookups.addresses(gate.host()));
            }
        };
    }

    /// Closes the gates of a container.
    synchronized void end(String id) {
        Serving one = serving.remove(id);
        if (one != null) {
            leadNowhere(Map.of(id, one));
            one.close();
        }
    }

    /// Before the ports are closed, which others may get then.
    private void leadNowhere(Map<String, Serving> closed) {
        try (Networks networks = HostNetworks.open(options)) {
            closed.forEach((id, one) -> prepare(networks, new ContainerId(id), one.gates()));
        } catch (CaissonException e) {
            LOG.log(System.Logger.Level.WARNING, "gates that are closed are led to for some seconds more", e);
        }
    }

    /// Closes all gates, and waits a moment for the notes of their use.
    @Override
    public synchronized void close() {
        renewing.interrupt();
        looking.interrupt();
        if (!serving.isEmpty()) {
            leadNowhere(serving);
        }
        serving.values().forEach(Serving::close);
        serving.clear();
        lookups.close();
        writing.shutdown();
        try {
            writing.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (reach != null) {
            reach.close();
            reach = null;
        }
    }
}
