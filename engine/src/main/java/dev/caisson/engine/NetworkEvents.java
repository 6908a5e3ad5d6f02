package dev.caisson.engine;

import dev.caisson.network.Attachment;
import dev.caisson.network.NetworkInfo;
import dev.caisson.spec.ContainerId;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/// Events of networks, in Docker's words: `create` and `destroy`, and `connect` and `disconnect` with the container.
final class NetworkEvents {
    static final String DISCONNECT = "disconnect";
    private static final String CONNECT = "connect";
    private static final String CONTAINER = "container";
    private static final String NAME = "name";
    private static final String TYPE = "type";
    private static final String BRIDGE = "bridge";

    private NetworkEvents() {}

    static void noteCreated(EngineOptions options, NetworkInfo network) {
        note(options, network, "create");
    }

    static void noteRemoved(EngineOptions options, NetworkInfo network) {
        note(options, network, "destroy");
    }

    private static void note(EngineOptions options, NetworkInfo network, String action) {
        LifeEvents.note(
                options, LifeEvent.Kind.NETWORK, action, network.id(), Map.of(NAME, network.name(), TYPE, BRIDGE));
    }

    static void noteConnected(EngineOptions options, Attachment place) {
        LifeEvents.note(options, of(Instant.now(), CONNECT, place));
    }

    static void noteDisconnected(EngineOptions options, Attachment place) {
        LifeEvents.note(options, of(Instant.now(), DISCONNECT, place));
    }

    /// Notes the networks that a container has come onto by its start.
    static void noteStarted(EngineOptions options, ContainerId container, Instant time) {
        attachments(options, container).forEach(place -> LifeEvents.note(options, of(time, CONNECT, place)));
    }

    /// Returns the events of the networks that a container has left by its end.
    static List<LifeEvent> ended(EngineOptions options, ContainerId container, Instant time) {
        return attachments(options, container).stream()
                .map(place -> of(time, DISCONNECT, place))
                .toList();
    }

    /// Networks that cannot be read hold up no start, removal or reader; that is logged.
    private static List<Attachment> attachments(EngineOptions options, ContainerId container) {
        try {
            return HostNetworks.read(options, List.of(), networks -> networks.attachments(container));
        } catch (RuntimeException e) {
            System.getLogger(NetworkEvents.class.getName())
                    .log(System.Logger.Level.WARNING, "events of networks could not be told", e);
            return List.of();
        }
    }

    private static LifeEvent of(Instant time, String action, Attachment place) {
        return new LifeEvent(
                time,
                LifeEvent.Kind.NETWORK,
                action,
                place.networkId(),
                Map.of(CONTAINER, place.container().value(), NAME, place.network(), TYPE, BRIDGE));
    }
}
