package dev.caisson.engine;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.error.CaissonException;
import dev.caisson.gate.Authority;
import dev.caisson.gate.GateProcess;
import dev.caisson.gate.GateServer;
import dev.caisson.gate.HostTrust;
import dev.caisson.gate.OpenGates;
import dev.caisson.gate.Origins;
import dev.caisson.launch.Zygote;
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
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The gates of containers that this process serves. A container without its gate reaches nobody by that name.
final class GuestGates implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(GuestGates.class.getName());
    private static final String ACTION = "gate_ended";
    private static final long CLOSE_SECONDS = 5;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long PAUSE_MILLIS = 10;
    private static final long LOOK_MILLIS = 100;
    private static final long FAILED_MILLIS = 1_000;

    /// @param place of the container, and of the host's side of its network, that the gates are open for
    /// @param secrets by which others are told from these; without values
    /// @param group of the process that serves them, if they are in one
    private record Serving(
            OpenGates server,
            GateUses uses,
            Optional<GateGroup> group,
            Attachment.Address place,
            List<Gate> gates,
            GateSecrets secrets)
            implements AutoCloseable {
        Serving with(GateSecrets next) {
            return new Serving(server, uses, group, place, gates, next);
        }

        @Override
        public void close() {
            server.close();
            group.ifPresent(GateGroup::close);
            uses.close();
        }
    }

    private final EngineOptions options;
    private final Consumer<EgressDenial> denials;
    private final Optional<KnownHost> known;
    private final Map<String, Serving> serving = new HashMap<>();
    private final HostLookups lookups = new HostLookups("caisson gate lookup ");
    private final ExecutorService writing = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("caisson gate log").factory());
    private final Thread renewing =
            Thread.ofPlatform().daemon().name("caisson gate renewal").unstarted(this::renew);
    private final Thread looking =
            Thread.ofPlatform().daemon().name("caisson gate values").unstarted(this::look);
    private final GateReopening reopenings = new GateReopening();
    /// Containers whose gates' process has ended, until their gates are open again or they are gone.
    private final Set<String> reopening = new HashSet<>();
    private @Nullable GateReach reach;
    private @Nullable Hierarchy hierarchy;
    private boolean closed;

    /// @param known a host that is found and trusted otherwise than the host of the containers does
    GuestGates(EngineOptions options, Consumer<EgressDenial> denials, Optional<KnownHost> known) {
        this.options = options;
        this.denials = denials;
        this.known = known;
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
            serving.put(id, one.with(next));
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
        open(id, place, networks, values);
    }

    private void open(ContainerId id, Attachment.Address place, Networks networks, Callable<GateSecrets> values)
            throws IOException {
        if (closed) {
            return;
        }
        Authority authority = GateFiles.authority(options.state(), id)
                .orElseThrow(() -> new EngineException(
                        "GATE_CERTIFICATES",
                        "the authority of the gates of container " + id.shortForm() + " is gone: create it again"));
        var uses = new GateUses(id, options.data(), writing, denials);
        try (GateSecrets read = call(values)) {
            var ends = new AtomicReference<OpenGates>();
            Optional<GateGroup> group = options.gateIsolation() == GateIsolation.PROCESS
                    ? Optional.of(GateGroup.make(hierarchy(), options, read.placement(), id))
                    : Optional.empty();
            OpenGates server;
            try {
                server = group.isPresent()
                        ? GateProcess.open(
                                new GateProcess.Setting(
                                        Zygote::executable,
                                        group.get(),
                                        place.gateway(),
                                        place.address(),
                                        authority,
                                        bundle(),
                                        origins(id),
                                        uses,
                                        () -> ended(id, ends)),
                                read.copies())
                        : GateServer.open(
                                place.gateway(),
                                place.address()::equals,
                                authority,
                                read.copies(),
                                HostTrust.context(),
                                origins(id),
                                uses);
            } catch (RuntimeException | IOException | Error e) {
                group.ifPresent(GateGroup::close);
                throw e;
            }
            ends.set(server);
            serving.put(id.value(), new Serving(server, uses, group, place, read.gates(), read));
            try {
                networks.memberships().lead(id, leads(read.gates(), server.ports()));
            } catch (RuntimeException e) {
                end(id.value()); // so that it is tried again
                throw e;
            }
        }
    }

    /// Called when the process of a container's gates has ended by itself.
    private synchronized void ended(ContainerId id, AtomicReference<OpenGates> server) {
        Serving one = serving.get(id.value());
        if (one == null || !one.server().equals(server.get())) {
            return;
        }
        serving.remove(id.value());
        leadNowhere(Map.of(id.value(), one));
        String why = one.group().filter(GateGroup::isOutOfMemory).isPresent() ? "out of memory" : "ended by itself";
        note(id, why);
        one.close();
        reopening.add(id.value());
        LOG.log(
                System.Logger.Level.WARNING,
                "the process of the gates of container " + id.shortForm() + " has ended: " + why);
        reopen(id, one);
    }

    /// Notes among the container's events that its gates are closed for a while.
    private void note(ContainerId id, String why) {
        Map<String, String> reason = Map.of("reason", why);
        LifeEvents.note(
                options,
                id,
                ACTION,
                DetachedPlace.find(id.value(), options)
                        .map(place -> LifeEvents.attributes(place, reason))
                        .orElse(reason));
    }

    private void reopen(ContainerId id, Serving former) {
        String gates = "the gates of container " + id.shortForm();
        Optional<Duration> pause = reopenings.after(id.value(), System.nanoTime());
        if (pause.isEmpty()) {
            reopening.remove(id.value());
            LOG.log(
                    System.Logger.Level.ERROR,
                    gates + " are closed: their process has ended " + GateReopening.MOST
                            + " times within ten minutes: restart the container");
            return;
        }
        LOG.log(System.Logger.Level.WARNING, gates + " are opened again");
        Thread.ofPlatform().daemon().name("caisson gate reopening").start(() -> {
            try {
                Thread.sleep(pause.get());
                again(id, former);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /// Opens the gates with values that are read anew, if the container is not gone.
    private synchronized void again(ContainerId id, Serving former) {
        if (closed || !reopening.contains(id.value()) || serving.containsKey(id.value())) {
            return;
        }
        try (Networks networks = HostNetworks.open(options)) {
            open(id, former.place(), networks, former.secrets()::anew);
            reopening.remove(id.value());
        } catch (RuntimeException | IOException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "the gates of container " + id.shortForm() + " could not be opened again: " + e.getMessage());
            reopening.add(id.value()); // which an opening that has failed late has ended
            reopen(id, former);
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

    private Optional<byte[]> bundle() throws IOException {
        return known.isPresent()
                ? known.map(host -> host.certificates().getBytes(StandardCharsets.US_ASCII))
                : HostTrust.bundle();
    }

    private Hierarchy hierarchy() {
        Hierarchy known = hierarchy;
        if (known == null) {
            known = Hierarchy.detect();
            hierarchy = known;
        }
        return known;
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
                Optional<InetAddress> own =
                        known.filter(host -> host.name().equals(gate.host())).map(KnownHost::address);
                return rules.reached(
                        id, gate.port(), own.isPresent() ? List.of(own.get()) : lookups.addresses(gate.host()));
            }
        };
    }

    /// Closes the gates of a container.
    synchronized void end(String id) {
        reopening.remove(id);
        Serving one = serving.remove(id);
        if (one != null) {
            leadNowhere(Map.of(id, one));
            one.close();
        }
    }

    /// The same for a container that is gone.
    void forget(String id) {
        end(id);
        reopenings.forget(id);
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
        closed = true;
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
        if (hierarchy != null) {
            hierarchy.close();
            hierarchy = null;
        }
    }
}
