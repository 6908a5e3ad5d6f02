package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.CaissonException;
import dev.caisson.network.Networks;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Gate;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkSpec;
import java.io.IOException;

/// A container that uses a secret by a gate, on a network and with a server of its own, for whoever looks whether the
/// container gets to know the value.
@SuppressWarnings("exports") // for Caisson's own modules
public final class GateCanary implements AutoCloseable {
    private final EngineOptions options;
    private final String network;
    private final CanaryServer server;
    private final Engine engine;

    private GateCanary(EngineOptions options, String network, CanaryServer server, Engine engine) {
        this.options = options;
        this.network = network;
        this.server = server;
        this.engine = engine;
    }

    /// Makes the network and the server.
    ///
    /// @param name of the network, which no other has
    /// @param value that the server looks for and repeats
    /// @throws EngineException NETWORK_UNAVAILABLE if this host gives containers no networks
    public static GateCanary open(EngineOptions options, String name, SecretValue value) throws IOException {
        present(options, "options");
        var server = new CanaryServer(present(value, "value").copy());
        try {
            Engine engine = Engine.open(options);
            try {
                engine.networks.know(server.known());
                make(options, name);
                return new GateCanary(options, name, server, engine);
            } catch (RuntimeException | Error e) {
                engine.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            server.close();
            throw e;
        }
    }

    private static void make(EngineOptions options, String name) {
        try (Networks networks = HostNetworks.open(options)) {
            HostNetworks.create(networks, options, NetworkSpec.of(name));
        } catch (CaissonException e) {
            throw new EngineException(
                    "NETWORK_UNAVAILABLE", "no network can be made for the canary (" + e.sentence() + ")", e);
        }
    }

    /// Returns the address that a program asks for.
    public String url() {
        return "https://" + server.target() + "/";
    }

    /// Starts a container with the gate, which the caller closes.
    ///
    /// @param spec without a network
    /// @param secret whose value is the canary's
    public Container start(ContainerSpec spec, SecretName secret, Streams streams) throws InterruptedException {
        return engine.start(
                spec.network(Network.on(network).egress(Egress.only(server.target(), server.reached())))
                        .secret(Gate.of(secret.text()).to(server.target()).asBearer()),
                streams);
    }

    /// True if the server was sent the value.
    public boolean wasSent() {
        return server.wasSent();
    }

    @Override
    public void close() throws IOException {
        try (server;
                Networks networks = HostNetworks.open(options)) {
            engine.close();
            HostNetworks.remove(networks, options, network);
        }
    }
}
