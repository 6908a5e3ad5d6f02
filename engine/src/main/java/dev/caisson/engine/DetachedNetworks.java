package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.Bandwidth;
import dev.caisson.spec.NetworkEndpoint;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/// Changes the networks that a container is on which outlives its command, at once if it runs, and for later starts.
///
/// ```java
/// web.networks().connect(NetworkEndpoint.on("back").alias("db"));
/// web.networks().disconnect("front");
/// ```
public final class DetachedNetworks {
    private final DetachedPlace place;

    DetachedNetworks(DetachedPlace place) {
        this.place = place;
    }

    /// Puts it on one more network. Its published ports and its default route stay where they are, unless it had none.
    ///
    /// @return true if names of the network are answered at once; false if the container asks the servers of the
    ///     host until its next start, because it was on no network that has names
    /// @throws dev.caisson.error.CaissonException NETWORK_NOT_FOUND, NETWORK_REFUSED if it is on that network
    ///     or has loopback alone, ADDRESS_TAKEN, ADDRESS_REFUSED, NO_ADDRESS_LEFT
    public boolean connect(NetworkEndpoint endpoint) throws InterruptedException {
        var answered = new AtomicBoolean();
        place.askAlone(held -> {
            answered.set(new NetworkChange(place, held).connect(present(endpoint, "endpoint")));
            place.note("update", Map.of("connected", endpoint.network()));
        });
        return answered.get();
    }

    /// Takes it off a network. Its published ports and its default route lead to the next one that leads out.
    ///
    /// @param network a name, or the beginning of an id
    /// @throws dev.caisson.error.CaissonException NETWORK_NOT_FOUND, NOT_CONNECTED if it is not on that network
    public void disconnect(String network) throws InterruptedException {
        place.askAlone(held -> {
            new NetworkChange(place, held).disconnect(present(network, "network"));
            place.note("update", Map.of("disconnected", network));
        });
    }

    /// Changes how much it may receive and send on each of its networks.
    ///
    /// @throws dev.caisson.error.CaissonException NETWORK_REFUSED if it has no network of its own
    public void bandwidth(Bandwidth value) throws InterruptedException {
        place.askAlone(held -> {
            new NetworkChange(place, held).bound(present(value, "value"));
            place.note("update", Map.of("bandwidth", value.text()));
        });
    }
}
