package dev.caisson.selftest;

import dev.caisson.engine.Container;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.HostNetworks;
import dev.caisson.engine.Streams;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.NetlinkException;
import dev.caisson.network.NetworkInfo;
import dev.caisson.network.Networks;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An internal network for attacks, which nothing leaves, and a server on it that its neighbors ask.
final class Ground implements AutoCloseable {
    static final String SERVER = "server";

    private final EngineOptions options;
    private final NetworkInfo network;
    private final Optional<Container> server;

    private Ground(EngineOptions options, NetworkInfo network, Optional<Container> server) {
        this.options = options;
        this.network = network;
        this.server = server;
    }

    /// True if this host has what networks take.
    static boolean isPossible(EngineOptions options) {
        try (Networks networks = HostNetworks.open(options)) {
            networks.remove(network(networks).name());
            return true;
        } catch (NetlinkException | ErrnoException e) {
            return false;
        }
    }

    private static NetworkInfo network(Networks networks) {
        String name = "selftest-" + ProcessHandle.current().pid();
        return networks.create(new NetworkSpec(name, List.of(), true, false, true, 0, Map.of()));
    }

    static Ground open(EngineOptions options, Engine engine, ContainerSpec server) throws InterruptedException {
        NetworkInfo made;
        try (Networks networks = HostNetworks.open(options)) {
            made = network(networks);
        }
        var ground = new Ground(options, made, Optional.empty());
        try {
            ContainerSpec spec = ground.on(server.name(SERVER + "-" + made.name()));
            return new Ground(options, made, Optional.of(engine.start(spec, Streams.capture())));
        } catch (RuntimeException | InterruptedException e) {
            try (ground) {
                throw e;
            }
        }
    }

    ContainerSpec on(ContainerSpec spec) {
        return spec.network(Network.on(network.name()));
    }

    /// Returns a script with the addresses that it names.
    String addressed(String script) {
        String gateway = network.gateway(false).orElseThrow().getHostAddress();
        return script.replace("SERVER", SERVER + "-" + network.name()).replace("GATEWAY", gateway);
    }

    @Override
    public void close() {
        try {
            server.ifPresent(Container::kill);
            server.ifPresent(Ground::await);
        } finally {
            try (Networks networks = HostNetworks.open(options)) {
                networks.remove(network.name());
            }
        }
    }

    private static void await(Container container) {
        try {
            container.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
